/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The start of a program: from the exec block in the channel to its first instruction. */
#include <asm/unistd_64.h>

#include "arch/context.h"
#include "arch/cpu.h"
#include "arch/frame.h"
#include "arch/user.h"
#include "boot/boot.h"
#include "channel/channel.h"
#include "fs/linux.h"
#include "fs/memory_file.h"
#include "fs/page_cache.h"
#include "fs/staged.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/aspace.h"
#include "mm/elf.h"
#include "mm/heap.h"
#include "mm/page.h"
#include "syscall/random.h"
#include "task/exec.h"
#include "task/process.h"
#include "task/sched.h"
#include "task/thread.h"
#include "task/usage.h"
#include "vdso/vdso.h"

/* As a shell reports that it could not run a program. */
#define STATUS_NOT_RUN 126
#define STATUS_NOT_FOUND 127

#define FLAG_INTERRUPTS (1u << 9)
#define FLAG_ALWAYS_SET (1u << 1)

/* Linux's open(2) */
#define AT_FDCWD (-100)

#define PATH_SIZE 4096
#define PROC_FD_SIZE 64

#define BRK_RANDOM_BITS 11 /* of pages */

/* What one ELF file is loaded through. */
struct loading {
	struct aspace *aspace;
	struct memory_file *file; /* staged I/O: it is here, with a reference; else NULL, and */
	int fd;			  /* Linux's */
	user_addr_t hint; /* for an image that can be anywhere */
};

static int64_t source_read(void *context, uint64_t offset, void *to, uint64_t size)
{
	struct loading *loading = context;

	if (loading->file)
		return memory_file_read(loading->file, to, size, offset);
	return forward_pread_kernel(loading->fd, to, size, offset);
}

static int64_t source_read_user(void *context, uint64_t offset, user_addr_t to, uint64_t size)
{
	struct loading *loading = context;

	if (loading->file)
		return memory_file_read_user(loading->file, to, size, offset);
	return forward_pread_all(loading->fd, to, size, offset);
}

static int64_t memory_reserve(void *context, user_addr_t at, uint64_t size)
{
	struct loading *loading = context;

	return aspace_map(loading->aspace, at ? at : loading->hint, size, 0,
			  at ? ASPACE_FIXED_NOREPLACE : 0);
}

static int memory_map(void *context, user_addr_t at, uint64_t size)
{
	struct loading *loading = context;
	int64_t result = aspace_map(loading->aspace, at, size, ASPACE_READ | ASPACE_WRITE,
				    ASPACE_FIXED | ASPACE_POPULATE);

	return result < 0 ? (int)result : 0;
}

/* Shared with other tasks that run it; what follows the data in its last page is not the file's. */
static int memory_map_file(void *context, user_addr_t at, uint64_t size, uint64_t offset,
			   uint64_t used, bool clear)
{
	struct loading *loading = context;
	unsigned int prot = ASPACE_READ | ASPACE_WRITE;
	int64_t result;

	if (loading->file)
		result = aspace_map_object(loading->aspace, at, size, prot, ASPACE_FIXED,
					   loading->file->object, offset);
	else
		result = page_cache_map(loading->fd, at, size, offset, prot, ASPACE_FIXED);
	if (result < 0)
		return (int)result;
	if (clear && used < size && clear_user(at + used, size - used) != 0)
		return -ENOMEM;
	return 0;
}

static int memory_protect(void *context, user_addr_t at, uint64_t size, unsigned int prot)
{
	struct loading *loading = context;

	return aspace_protect(loading->aspace, at, size, prot);
}

static int load(struct loading *loading, struct elf_image *image, const char **why)
{
	const struct elf_source source = {
		.read = source_read,
		.read_user = source_read_user,
		.context = loading,
	};
	const struct elf_memory memory = {
		.reserve = memory_reserve,
		.map = memory_map,
		.map_file = memory_map_file,
		.protect = memory_protect,
		.context = loading,
	};

	return elf_load(&source, &memory, image, why);
}

/* What is only needed to begin. */
static void release(const struct program_start *start)
{
	heap_free(start->exec);
	heap_free(start->image);
}

/* Says why PROCESS cannot run and ends it. */
static __noreturn void give_up(struct process *process, const struct program_start *start,
			       int status, int error, const char *what, const char *why)
{
	if (why)
		process_report(process, "cannot run %s: %s%s", process->path, what, why);
	else if (error == -ENOMEM)
		process_report(process,
			       "cannot run %s: %sit needs more memory than the %llu MiB that are "
			       "free in the enclave",
			       process->path, what,
			       (unsigned long long)(page_free_bytes() >> 20));
	else
		process_report(process, "cannot run %s: %sreading it failed with error %d",
			       process->path, what, -error);
	release(start);
	process_end(process, WAIT_EXITED(status));
	thread_exit(process->wait_status);
}

/* Opens PATH for LOADING, wherever it is. 0 or -errno. */
static int open_file(struct process *process, const char *path, struct loading *loading)
{
	int64_t fd;

	if (process->staged)
		return staged_find_file(path, &loading->file);
	fd = linux_open(path);
	loading->fd = (int)fd;
	return fd < 0 ? (int)fd : 0;
}

static void close_file(struct loading *loading)
{
	if (loading->file)
		memory_file_put(loading->file);
	else
		linux_close(loading->fd);
}

/* The ELF interpreter of the image of START: loads it too, and begins there. */
static void load_interpreter(struct process *process, struct program_start *start)
{
	struct elf_image *interpreter = heap_alloc(sizeof(*interpreter));
	struct loading loading = { .aspace = process->aspace };
	const char *why = NULL;
	char what[ELF_INTERP_MAX + 40];
	int error;

	format_text(what, sizeof(what), "its ELF interpreter %s: ", start->image->interpreter);
	if (!interpreter)
		give_up(process, start, STATUS_NOT_RUN, -ENOMEM, what, NULL);
	error = open_file(process, start->image->interpreter, &loading);
	if (error) {
		heap_free(interpreter);
		give_up(process, start, STATUS_NOT_FOUND, error, what,
			error == -ENOENT ? "no such file" : NULL);
	}
	error = load(&loading, interpreter, &why);
	close_file(&loading);
	if (!error) {
		start->interpreter_base = interpreter->base;
		start->entry = interpreter->entry;
	}
	heap_free(interpreter);
	if (error)
		give_up(process, start, STATUS_NOT_RUN, error, what, why);
}

/* The absolute path of the file behind FD, as Linux names it; NULL if it cannot be had. */
static char *path_of(int fd)
{
	struct channel *channel = process_current()->channel;
	struct channel_buffer buffer;
	char *path = NULL;
	int64_t length;

	if (channel_buffer_take_all(channel, PROC_FD_SIZE + PATH_SIZE, &buffer) < 0)
		return NULL;
	format_text((char *)buffer.memory, PROC_FD_SIZE, "/proc/self/fd/%d", fd);
	length = channel_call_own(__NR_readlinkat, (uint64_t)AT_FDCWD, buffer.offset,
				  buffer.offset + PROC_FD_SIZE, PATH_SIZE, 0, 0);
	if (length > 0 && length < PATH_SIZE)
		path = heap_alloc((size_t)length + 1);
	if (path) {
		memcpy(path, buffer.memory + PROC_FD_SIZE, (size_t)length);
		path[length] = '\0';
	}
	channel_buffer_give(channel, &buffer);
	return path;
}

static void set_name(struct thread *thread, const char *name)
{
	strlcpy(thread->name, name, sizeof(thread->name));
}

static const char *last_string(const struct pisces_exec *exec)
{
	const char *text = exec->strings;
	uint64_t i;

	for (i = 0; i < (uint64_t)exec->argc + exec->envc; i++)
		text += strlen(text) + 1;
	return text;
}

static __noreturn void enter(user_addr_t entry, user_addr_t stack)
{
	struct frame frame = {
		.rip = entry,
		.rsp = stack,
		.cs = USER_CS,
		.ss = USER_SS,
		.rflags = FLAG_INTERRUPTS | FLAG_ALWAYS_SET,
	};

	thread_current()->firm = false;
	if (process_current()->staged)
		staged_start(process_current());
	if (boot_status->user_tsc == 0)
		boot_status->user_tsc = rdtsc();
	context_enter_user(&thread_current()->context, &frame);
}

/* The wait status of a program that did not begin: that of the signal that broke it off, if one did. */
static int status_of(int status)
{
	struct signal_info info;
	int signal;

	while ((signal = signal_take(UINT64_MAX, &info)) != 0) {
		if (!signal_default_is_ignore(signal) && !signal_default_is_stop(signal))
			return WAIT_SIGNALED(signal);
	}
	return WAIT_EXITED(status);
}

/* All comes in, the program too. */
static void begin_staged(struct process *process, const struct program_start *start,
			 struct loading *loading)
{
	int status = staged_begin(process, start->exec);

	if (status != 0) {
		release(start);
		process_end(process, status_of(status));
		thread_exit(process->wait_status);
	}
	loading->file = process->staged->program->file;
	memory_file_get(loading->file);
}

void exec_main(void *argument)
{
	struct process *process = argument;
	struct loading loading = { .fd = -1 };
	struct program_start start = { 0 };
	const char *why = NULL;
	int64_t result;
	int error;

	start.exec = channel_exec_block(process->channel, &why);
	if (!start.exec) {
		strlcpy(process->path, "the program", sizeof(process->path));
		give_up(process, &start, STATUS_NOT_RUN, 0, "", why);
	}
	strlcpy(process->path, last_string(start.exec), sizeof(process->path));
	set_name(thread_current(), process_name(process));
	process->stack_limit = start.exec->stack_limit;
	process->executable = path_of(start.exec->program_fd);
	process->umask = start.exec->umask & 0777;
	signal_inherit(start.exec->ignored, start.exec->blocked);
	if (start.exec->io == PISCES_IO_STAGED)
		begin_staged(process, &start, &loading);

	loading.fd = start.exec->program_fd;
	start.image = heap_alloc(sizeof(*start.image));
	process->aspace = aspace_create(this_cpu()->node);
	if (!start.image || !process->aspace) {
		close_file(&loading);
		give_up(process, &start, STATUS_NOT_RUN, -ENOMEM, "", NULL);
	}
	aspace_tell(process->aspace, usage_of(process));
	sched_use_aspace(process->aspace);

	/* As Linux's execve(2): a signal waits until there is a program to take it. */
	thread_current()->firm = true;
	loading.aspace = process->aspace;
	loading.hint = aspace_program_base(process->aspace);
	error = load(&loading, start.image, &why);
	/* Also of a program that cannot run: its file stays in the stage, but is no one's. */
	close_file(&loading);
	if (error)
		give_up(process, &start, STATUS_NOT_RUN, error, "", why);
	if (process->staged)
		linux_close(start.exec->program_fd);
	aspace_set_brk(process->aspace, align_up(start.image->end, PAGE_SIZE) +
						(random_number(BRK_RANDOM_BITS) << PAGE_SHIFT));
	start.entry = start.image->entry;
	if (start.image->interpreter[0])
		load_interpreter(process, &start);
	result = vdso_map(process->aspace);
	if (result > 0)
		start.vdso = (user_addr_t)result;
	result = exec_build_stack(process, &start);
	if (result < 0)
		give_up(process, &start, STATUS_NOT_RUN, (int)result, "its stack: ",
			result == -E2BIG ? "arguments and environment do not fit" : NULL);
	release(&start);
	enter(start.entry, (user_addr_t)result);
}
