/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls on descriptors that may be ends of pipes of ours (fs/pipe.h), whose I/O is forwarded. */
#ifndef CK_SYSCALL_PIPE_H
#define CK_SYSCALL_PIPE_H

#include "fs/pipe.h"
#include "lib/types.h"

struct vector;

/* The end that FD is, with a reference, or NULL. */
struct open_file *pipe_end(int fd);

/*
 * readv(2) and writev(2) of COUNT PARTS by END, which FD is, with the checks of the call:
 * bytes or -errno. PIPE_MOVED: it is Linux's, where all of it is to be done.
 */
int64_t pipe_transfer(int fd, struct open_file *end, const struct vector *parts, uint64_t count,
		      bool writing);

/* fcntl(2) and ioctl(2), if they are about a pipe: then true, and *RESULT. */
bool pipe_fcntl(struct open_file *end, uint32_t command, uint64_t argument, int64_t *result);
bool pipe_ioctl(struct open_file *end, uint32_t command, user_addr_t argument, int64_t *result);

/* F_SETFL with FLAGS, or FIONBIO with the word at FROM, has been done for FD on Linux. */
void pipe_flags_are(int fd, uint64_t flags);
void pipe_blocking_is(int fd, user_addr_t from);

/*
 * FD is about to be used in a way that only Linux can: if it is an end of a pipe, that is
 * Linux's from now on. 0 or -errno.
 */
int file_to_linux(int fd);

/* The same for the descriptor that PATH is another name of. */
int file_to_linux_by_name(const char *path);

#endif
