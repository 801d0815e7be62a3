/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * execve(2), in place: there are no other processes to go on with, but shells, wrappers that
 * set something up (numactl, env, nice) and programs that start anew end by it.
 *
 * Up to begin() the old program loses nothing: what is wrong until then is its to hear. From
 * there on it is gone, and an error ends the process.
 */
#include "arch/context.h"
#include "arch/user.h"
#include "fs/file_table.h"
#include "fs/mapped_file.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/aspace.h"
#include "mm/heap.h"
#include "syscall/own_file.h"
#include "task/exec.h"
#include "task/futex.h"
#include "task/posix_timer.h"
#include "task/process.h"
#include "task/thread.h"

#define SCRIPTS_MOST 5u /* that are interpreters of each other, as on Linux */

struct replacement {
	struct program_start start;
	struct exec_loading loading;
	char *path; /* of the file, as it was named; on the heap */
	bool begun;
};

/* ---- the old program goes ---- */

static int forget_memory(struct process *process)
{
	bool files = mapped_file_in(0, USER_END);
	int error = aspace_unmap(process->aspace, 0, USER_END);

	if (files)
		mapped_file_unmapped();
	if (!error)
		aspace_renew(process->aspace, !process->places_fixed);
	return error;
}

static void forget_thread(struct thread *self)
{
	futex_thread_exit();
	self->clear_child_tid = 0;
	self->rseq = 0;
	self->restart_deadline = 0;
	context_renew();
}

static int forget_descriptors(struct process *process)
{
	if (!process->staged)
		return descriptors_close_on_exec();
	file_table_close_on_exec(&process->file_table);
	return 0;
}

static int begin(struct exec_loading *loading)
{
	struct process *process = process_current();
	struct replacement *new = loading->argument;
	/* That it is not there is what most users find out only now. */
	int error = exec_open_interpreter(&new->start);

	if (!error)
		error = process_alone();
	if (error)
		return error;
	new->begun = true;
	/* As at the start of the first one: signals wait until there is a program. */
	thread_current()->firm = true;
	forget_thread(thread_current());
	posix_timers_free(process);
	signal_renew();
	process->barriers = process->barriers_rseq = false;
	process->told_no_fork = false;
	exec_set_name(process, exec_block_path(new->start.exec),
		      program_file_name(&loading->file, new->path));
	error = forget_memory(process);
	return error ? error : forget_descriptors(process);
}

/* ---- the new one comes ---- */

/* The script in the file of NEW, of LENGTH bytes at HEAD, gives way to its interpreter. */
static int take_interpreter(struct replacement *new, char *head, uint64_t length)
{
	char *interpreter, *argument;
	struct pisces_exec *exec;
	int error;

	if (!exec_parse_script(head, length, &interpreter, &argument))
		return -ENOEXEC;
	exec = exec_block_script(new->start.exec, interpreter, argument, new->path, &error);
	if (!exec)
		return error;
	heap_free(new->start.exec);
	new->start.exec = exec;
	strlcpy(new->path, interpreter, EXEC_PATH_MOST);
	program_file_close(&new->loading.file);
	return program_file_execute(new->path, &new->loading.file);
}

/* Opens the program of NEW, through scripts. */
static int open_program(struct replacement *new)
{
	char head[EXEC_HEAD_SIZE + 1];
	int64_t length;
	unsigned int scripts;
	int error = program_file_execute(new->path, &new->loading.file);

	for (scripts = 0; !error; scripts++) {
		length = program_file_read(&new->loading.file, head, EXEC_HEAD_SIZE, 0);
		if (length < 2 || head[0] != '#' || head[1] != '!')
			return length < 0 ? (int)length : 0;
		error = scripts < SCRIPTS_MOST ? take_interpreter(new, head, (uint64_t)length) :
						 -ELOOP;
	}
	return error;
}

static int prepare(struct replacement *new, user_addr_t path, user_addr_t argv, user_addr_t envp)
{
	int error;

	new->loading.file.fd = -1;
	new->start.exec = exec_block_copy(path, argv, envp, &error);
	if (error)
		return error;
	new->start.image = heap_alloc(sizeof(*new->start.image));
	new->path = heap_alloc(EXEC_PATH_MOST);
	if (!new->start.image || !new->path)
		return -ENOMEM;
	strlcpy(new->path, exec_block_path(new->start.exec), EXEC_PATH_MOST);
	return open_program(new);
}

int64_t exec_replace(user_addr_t path, user_addr_t argv, user_addr_t envp)
{
	struct replacement new = { .loading = { .is_program = true, .begin = begin } };
	const char *why = NULL;
	int error = prepare(&new, path, argv, envp);

	new.loading.argument = &new;
	if (!error)
		error = exec_load(&new.loading, new.start.image, &why);
	heap_free(new.path);
	program_file_close(&new.loading.file);
	if (!error)
		exec_enter(process_current(), &new.start);
	if (new.begun)
		exec_give_up(process_current(), &new.start, STATUS_NOT_RUN, error, "", why);
	exec_release(&new.start);
	return error;
}
