/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file that a program, its interpreter or its ELF interpreter is loaded from. */
#ifndef CK_TASK_PROGRAM_FILE_H
#define CK_TASK_PROGRAM_FILE_H

#include "lib/types.h"

struct memory_file;

struct program_file {
	struct memory_file *file; /* it is inside, with a reference; else NULL, and */
	int fd;			  /* Linux's */
};

/* Opens PATH for reading, wherever it is. 0 or -errno. */
int program_file_open(const char *path, struct program_file *file);

/* The same if the user may execute it and it is a regular file, as execve(2) has it; -EACCES. */
int program_file_execute(const char *path, struct program_file *file);

void program_file_close(struct program_file *file);

/* Its absolute path, as /proc/self/exe has it, for heap_free(); PATH: as it was named. NULL: none. */
char *program_file_name(const struct program_file *file, const char *path);

/* Bytes, fewer only at the end of the file, or -errno. */
int64_t program_file_read(const struct program_file *file, void *to, uint64_t size,
			  uint64_t offset);
int64_t program_file_read_user(const struct program_file *file, user_addr_t to, uint64_t size,
			       uint64_t offset);

#endif
