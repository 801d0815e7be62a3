/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory files by the names of their descriptors, this program's and other tasks': MPI
 * libraries share memory so between ranks. What Linux has there is the proxy's empty file.
 */
#include "fs/descriptor_name.h"
#include "fs/file_table.h"
#include "fs/memory_file.h"
#include "syscall/own_file.h"
#include "task/process.h"
#include "task/thread.h"

static struct memory_file *file_of(struct process *process, int fd)
{
	struct memory_file *file = NULL;
	struct open_file *open;

	/* One with staged I/O has other files in its table. */
	if (process->staged || !process_may_reach(process))
		return NULL;
	open = file_table_get_of(&process->file_table, fd);
	if (!open)
		return NULL;
	file = open->file;
	if (file)
		memory_file_get(file);
	open_file_put(open);
	return file;
}

struct memory_file *own_descriptor_file(const char *path)
{
	struct memory_file *file;
	struct thread *thread;
	tid_t whose;
	int fd;

	if (!descriptor_name(path, &whose, &fd))
		return NULL;
	if (whose == 0)
		return file_of(process_current(), fd);
	thread = thread_find(whose);
	if (!thread)
		return NULL;
	file = file_of(thread->process, fd);
	thread_put(thread);
	return file;
}
