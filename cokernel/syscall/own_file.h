/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls on descriptors and names that may be the co-kernel's own: memory files. */
#ifndef CK_SYSCALL_OWN_FILE_H
#define CK_SYSCALL_OWN_FILE_H

#include "lib/types.h"

/* As forward_read() and so on in channel/channel.h, of whichever kind FD is. */
int64_t file_read(int fd, user_addr_t to, uint64_t size);
int64_t file_write(int fd, user_addr_t from, uint64_t size);
int64_t file_pread(int fd, user_addr_t to, uint64_t size, uint64_t offset);
int64_t file_pwrite(int fd, user_addr_t from, uint64_t size, uint64_t offset);

/*
 * System calls about names and descriptors of /dev/shm, or else of Linux; those that
 * fs/own.h knows come before.
 */
struct syscall_args;
int64_t file_fstat(const struct syscall_args *args);
int64_t file_newfstatat(const struct syscall_args *args);
int64_t file_statx(const struct syscall_args *args);
int64_t file_faccessat(const struct syscall_args *args);
int64_t file_faccessat2(const struct syscall_args *args);

/* Is FD a memory file? */
bool file_is_own(int fd);

/*
 * The memory file that PATH, as /proc/self/fd/3 or a name of another task's, is an open
 * descriptor of, with a reference; NULL: none. Whether its mode lets it be opened is not looked at.
 */
struct memory_file;
struct memory_file *own_descriptor_file(const char *path);

/* read(2) of FD, which is FILE: signal_file.c. */
struct signal_file;
int64_t signal_file_read(int fd, struct signal_file *file, user_addr_t to, uint64_t size);

/* FD, which Linux has just made, is a copy of OLD. FD or -errno, with FD closed. */
int64_t file_copied(int old, int64_t fd);

/*
 * Another program takes the place of the running one: descriptors that are to be closed by
 * that are. 0 or -errno.
 */
int descriptors_close_on_exec(void);

/*
 * open(2) of PATH if that is in /dev/shm or the name of a descriptor of a memory file: then
 * true, and *RESULT is a descriptor or -errno.
 */
bool own_file_open(const char *path, uint32_t flags, uint32_t mode, int64_t *result);

#endif
