/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/staged.h"

#include <asm/unistd_64.h>
#include <pisces/channel.h>

#include "arch/user.h"
#include "channel/channel.h"
#include "fs/linux.h"
#include "fs/memory_file.h"
#include "fs/own.h"
#include "fs/stage_log.h"
#include "fs/stage_name.h"
#include "fs/stage_open.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/aspace.h"
#include "mm/heap.h"
#include "mm/page.h"
#include "syscall/random.h"
#include "task/exec.h"
#include "task/process.h"
#include "task/thread.h"

#define GROUPS_MOST 65536u
#define DESCRIPTORS_LEAST 16u
#define DESCRIPTORS_MOST (1u << 16) /* what a table of descriptors has room for */

/* Where the dynamic linkers of GNU and musl look for libraries; what is not there is not needed. */
static const char *const library_paths[] = { "/etc/ld.so.cache", "/etc/ld-musl-x86_64.path" };

struct staged *staged_current(void)
{
	return process_current()->staged;
}

const char *staged_reason(int64_t error, char text[24])
{
	static const struct {
		int error;
		const char *reason;
	} reasons[] = {
		{ ENOENT, "no such file or directory" },
		{ EACCES, "no permission" },
		{ EPERM, "not permitted" },
		{ ENOTDIR, "a part of its path is not a directory" },
		{ EISDIR, "it is a directory" },
		{ ENOTEMPTY, "the directory is not empty" },
		{ ELOOP, "too many symbolic links" },
		{ ENAMETOOLONG, "its path is too long" },
		{ ENOSPC, "no space left" },
		{ EDQUOT, "the disk quota is exceeded" },
		{ EROFS, "the file system is read-only" },
		{ EFBIG, "it is too large" },
		{ EIO, "input/output error" },
		{ EBADF, "it is closed" },
		{ ENOMEM, "the enclave has no memory left" },
		{ EPIPE, "nobody reads it" },
		{ EMFILE, "too many open files" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (error == -reasons[i].error)
			return reasons[i].reason;
	}
	format_text(text, 24, "error %d", (int)-error);
	return text;
}

/* ---- who it is on Linux ---- */

static int get_groups(struct stage_view *view)
{
	struct channel *channel = process_current()->channel;
	struct channel_buffer buffer;
	int64_t count = channel_call_own(__NR_getgroups, 0, 0, 0, 0, 0, 0), result;

	if (count <= 0 || count > (int64_t)GROUPS_MOST)
		return count < 0 ? (int)count : 0;
	result = channel_buffer_take_all(channel, (uint64_t)count * 4, &buffer);
	if (result < 0)
		return (int)result;
	result = channel_call_own(__NR_getgroups, (uint64_t)count, buffer.offset, 0, 0, 0, 0);
	if (result > count)
		result = -EIO;
	view->groups = result > 0 ? heap_alloc((uint64_t)result * 4) : NULL;
	if (view->groups) {
		memcpy(view->groups, buffer.memory, (uint64_t)result * 4);
		view->group_count = (uint32_t)result;
	} else if (result > 0) {
		result = -ENOMEM;
	}
	channel_buffer_give(channel, &buffer);
	return result < 0 ? (int)result : 0;
}

/* An absolute path, as the proxy says; -ENOENT: it has been removed, or cannot be reached. */
static int get_cwd(char *path)
{
	int64_t length = linux_path_of(-100, path, STAGE_PATH_MOST);

	if (length < 0)
		return (int)length;
	return path[0] == '/' && strlen(path) == (size_t)length ? 0 : -ENOENT;
}

/* What of LIMIT there can be. */
static uint32_t descriptors(uint64_t limit)
{
	return (uint32_t)min_u64(max_u64(limit, DESCRIPTORS_LEAST), DESCRIPTORS_MOST);
}

static int get_view(struct process *process, struct staged *staged,
		    const struct pisces_exec *exec)
{
	struct stage_view *view = &staged->view;

	view->uid = process->uid;
	view->gid = process->gid;
	view->mask = exec->umask & 0777;
	view->stage = stage_get(process->uid);
	if (view->stage)
		stage_keep(view->stage);
	staged->log = stage_log_create();
	staged->descriptor_limit = descriptors(exec->descriptor_limit);
	staged->descriptor_most =
		descriptors(max_u64(exec->descriptor_most, exec->descriptor_limit));
	if (!view->stage || !staged->log)
		return -ENOMEM;
	staged->group = channel_call_own(__NR_getpgid, 0, 0, 0, 0, 0, 0);
	staged->session = channel_call_own(__NR_getsid, 0, 0, 0, 0, 0, 0);
	if (random_seed(staged) != 0)
		return -EIO;
	return get_groups(view);
}

/* ---- what it begins with ---- */

static int open_device(struct staged *staged, const char *path, uint32_t flags)
{
	struct stage_view *view = &staged->view;
	struct stage_node *node;
	struct open_file *open;
	int error = stage_open_node(view, view->stage->root, path, flags, 0, &node);

	if (!error)
		error = stage_open(node, flags, &open);
	if (!error)
		error = file_table_add(open, 0, staged->descriptor_limit, false);
	return error < 0 ? error : 0;
}

static int open_stream(struct staged *staged, uint32_t stream)
{
	struct stage_view *view = &staged->view;
	struct stage_node *node = stage_node_create(view->stage, MODE_PIPE | 0600, view->uid,
						    view->gid);
	struct open_file *open;
	int error;

	if (!node)
		return -ENOMEM;
	node->device = STAGE_OUTPUT;
	node->log = staged->log;
	node->stream = stream;
	error = stage_open(node, OPEN_WRITE_ONLY, &open);
	if (!error)
		error = file_table_add(open, 0, staged->descriptor_limit, false);
	return error < 0 ? error : 0;
}

static int open_streams(struct staged *staged)
{
	int error = open_device(staged, "/dev/null", OPEN_READ_ONLY);

	if (!error)
		error = open_stream(staged, 1);
	return error ? error : open_stream(staged, 2);
}

/* 0 or -errno, after it has said why. */
static int copy_in(struct stage_in *in, const struct pisces_exec *exec, const char *cwd,
		   const char *program)
{
	const char *path = exec_block_path(exec);
	unsigned int i;
	int error = stage_in_path(in, cwd, cwd, 0);

	/* As it was typed, and as it is: the one may lead to the other by a link. */
	if (!error)
		error = stage_in_path(in, cwd, path, STAGE_IN_NEEDED);
	if (!error)
		error = stage_in_path(in, cwd, program, 0);
	path = exec_block_behind(path, 1);
	for (i = 0; i < exec->named && !error; i++) {
		error = stage_in_path(in, cwd, path, STAGE_IN_ALL | STAGE_IN_NAMED);
		path = exec_block_behind(path, 1);
	}
	for (i = 0; i < exec->needed && !error; i++) {
		error = stage_in_path(in, cwd, path, STAGE_IN_NEEDED);
		path = exec_block_behind(path, 1);
	}
	for (i = 0; i < ARRAY_SIZE(library_paths) && exec->needed && !error; i++)
		error = stage_in_path(in, cwd, library_paths[i], STAGE_IN_NEEDED);
	return error ? error : stage_in_fill(in);
}

static int find_places(struct staged *staged, const char *cwd, const char *program)
{
	struct stage_view *view = &staged->view;
	struct stage_node *root = view->stage->root;
	int error = stage_look(view, root, cwd, STAGE_FOLLOW, false, &view->directory);

	if (!error)
		error = stage_look(view, root, program, STAGE_FOLLOW, false, &staged->program);
	if (!error && (!stage_is_directory(view->directory) || !staged->program->file))
		error = -EACCES;
	return error;
}

static int begin(struct process *process, struct staged *staged, const struct pisces_exec *exec,
		 char *cwd)
{
	struct stage_in in;
	int error = get_view(process, staged, exec);

	if (!error)
		error = get_cwd(cwd);
	if (!error && !process->executable)
		error = -ENOENT;
	if (!error)
		error = stage_in_begin(&in, process, &staged->view);
	if (error)
		return error;
	error = copy_in(&in, exec, cwd, process->executable);
	stage_in_end(&in);
	if (error)
		return -ECANCELED;
	staged->cpuinfo = own_cpuinfo_template();
	error = find_places(staged, cwd, process->executable);
	return error ? error : open_streams(staged);
}

int staged_begin(struct process *process, struct pisces_exec *exec)
{
	struct staged *staged = heap_alloc_zero(sizeof(*staged));
	char *cwd = heap_alloc(STAGE_PATH_MOST), text[24];
	int error = staged && cwd ? 0 : -ENOMEM;

	process->staged = staged;
	if (!error)
		error = begin(process, staged, exec, cwd);
	heap_free(cwd);
	if (error && error != -ECANCELED && !thread_has_work(thread_current()))
		process_report(process, "cannot run %s with staged I/O: %s", process->path,
			       staged_reason(error, text));
	/* The stack gets what is before it. */
	exec->size = (uint32_t)(exec_block_behind(exec_block_path(exec), 1) - (const char *)exec);
	return error ? STATUS_NOT_RUN : 0;
}

int staged_find_file(const char *path, uint32_t wanted, struct memory_file **file)
{
	struct stage_view *view = &staged_current()->view;
	struct stage_node *node;
	int error = stage_look(view, view->directory, path, STAGE_FOLLOW, false, &node);

	if (error)
		return error;
	*file = stage_allows(view, node, wanted) ? node->file : NULL;
	if (*file)
		memory_file_get(*file);
	stage_node_put(node);
	return *file ? 0 : -EACCES;
}

void staged_start(struct process *process)
{
	stage_node_put(process->staged->program);
	process->staged->program = NULL;
	process->staged->started = true;
	channel_set_phase(process->channel, CHANNEL_SEALED);
}
