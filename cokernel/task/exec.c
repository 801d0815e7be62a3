/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The start of a program: from the exec block in the channel to its first instruction. */
#include <asm/unistd_64.h>

#include "arch/context.h"
#include "arch/cpu.h"
#include "arch/frame.h"
#include "boot/boot.h"
#include "channel/channel.h"
#include "fs/linux.h"
#include "fs/memory_file.h"
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

#define FLAG_INTERRUPTS (1u << 9)
#define FLAG_ALWAYS_SET (1u << 1)

#define BRK_RANDOM_BITS 11 /* of pages */

/* What is only needed to begin. */
void exec_release(struct program_start *start)
{
	if (start->interpreter_open)
		program_file_close(&start->interpreter);
	start->interpreter_open = false;
	heap_free(start->exec);
	heap_free(start->image);
}

void exec_give_up(struct process *process, struct program_start *start, int status, int error,
		  const char *what, const char *why)
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
	exec_release(start);
	process_end(process, WAIT_EXITED(status));
	thread_exit(process->wait_status);
}

int exec_open_interpreter(struct program_start *start)
{
	int error;

	if (!start->image->interpreter[0] || start->interpreter_open)
		return 0;
	error = program_file_open(start->image->interpreter, &start->interpreter);
	start->interpreter_open = error == 0;
	return error;
}

/* The ELF interpreter of the image of START: loads it too, and begins there. */
static void load_interpreter(struct process *process, struct program_start *start)
{
	struct elf_image *interpreter = heap_alloc(sizeof(*interpreter));
	struct exec_loading loading = { 0 };
	const char *why = NULL;
	char what[ELF_INTERP_MAX + 40];
	int error;

	format_text(what, sizeof(what), "its ELF interpreter %s: ", start->image->interpreter);
	if (!interpreter)
		exec_give_up(process, start, STATUS_NOT_RUN, -ENOMEM, what, NULL);
	error = exec_open_interpreter(start);
	if (error) {
		heap_free(interpreter);
		exec_give_up(process, start, STATUS_NOT_FOUND, error, what,
			     error == -ENOENT ? "no such file" : NULL);
	}
	loading.file = start->interpreter;
	error = exec_load(&loading, interpreter, &why);
	if (!error) {
		start->interpreter_base = interpreter->base;
		start->entry = interpreter->entry;
	}
	heap_free(interpreter);
	if (error)
		exec_give_up(process, start, STATUS_NOT_RUN, error, what, why);
}

void exec_set_name(struct process *process, const char *path, char *executable)
{
	char *before = process->executable;

	strlcpy(process->path, path, sizeof(process->path));
	strlcpy(thread_current()->name, process_name(process), sizeof(thread_current()->name));
	process->executable = executable;
	heap_free(before);
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

void exec_enter(struct process *process, struct program_start *start)
{
	int64_t result;

	aspace_set_brk(process->aspace, align_up(start->image->end, PAGE_SIZE) +
						(random_number(BRK_RANDOM_BITS) << PAGE_SHIFT));
	start->entry = start->image->entry;
	if (start->image->interpreter[0])
		load_interpreter(process, start);
	result = vdso_map(process->aspace);
	if (result > 0)
		start->vdso = (user_addr_t)result;
	result = exec_build_stack(process, start);
	if (result < 0)
		exec_give_up(process, start, STATUS_NOT_RUN, (int)result, "its stack: ",
			     result == -E2BIG ? "arguments and environment do not fit" : NULL);
	exec_release(start);
	enter(start->entry, (user_addr_t)result);
}

/* All comes in, the program too. */
static void begin_staged(struct process *process, struct program_start *start,
			 struct program_file *file)
{
	int status = staged_begin(process, start->exec);

	if (status != 0) {
		exec_release(start);
		process_end(process, status_of(status));
		thread_exit(process->wait_status);
	}
	file->file = process->staged->program->file;
	memory_file_get(file->file);
}

void exec_main(void *argument)
{
	struct process *process = argument;
	struct exec_loading loading = { .is_program = true };
	struct program_start start = { 0 };
	const char *why = NULL;
	int error;

	start.exec = channel_exec_block(process->channel, &why);
	if (!start.exec) {
		strlcpy(process->path, "the program", sizeof(process->path));
		exec_give_up(process, &start, STATUS_NOT_RUN, 0, "", why);
	}
	loading.file.fd = start.exec->program_fd;
	exec_set_name(process, exec_block_path(start.exec),
		      program_file_name(&loading.file, exec_block_path(start.exec)));
	process->stack_limit = start.exec->stack_limit;
	process->umask = start.exec->umask & 0777;
	signal_inherit(start.exec->ignored, start.exec->blocked);
	if (start.exec->io == PISCES_IO_STAGED)
		begin_staged(process, &start, &loading.file);

	start.image = heap_alloc(sizeof(*start.image));
	process->aspace = aspace_create(this_cpu()->node);
	if (!start.image || !process->aspace) {
		program_file_close(&loading.file);
		exec_give_up(process, &start, STATUS_NOT_RUN, -ENOMEM, "", NULL);
	}
	aspace_tell(process->aspace, usage_of(process));
	sched_use_aspace(process->aspace);

	/* As Linux's execve(2): a signal waits until there is a program to take it. */
	thread_current()->firm = true;
	error = exec_load(&loading, start.image, &why);
	/* Also of a program that cannot run: its file stays in the stage, but is no one's. */
	program_file_close(&loading.file);
	if (error)
		exec_give_up(process, &start, STATUS_NOT_RUN, error, "", why);
	if (process->staged)
		linux_close(start.exec->program_fd);
	exec_enter(process, &start);
}
