/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the co-kernel itself asks of Linux through the proxy. All may sleep. */
#ifndef CK_FS_LINUX_H
#define CK_FS_LINUX_H

#include "lib/types.h"

/* CALL, whose first argument is NAME and second SECOND. Its result. */
int64_t linux_call_with_name(uint32_t call, const char *name, uint64_t second);

/* Opens the file PATH for reading. Descriptor or -errno. */
int64_t linux_open(const char *path);

void linux_close(int64_t fd);

/* Up to SIZE bytes of the file PATH from its start. Bytes or -errno. */
int64_t linux_read_file(const char *path, char *to, uint64_t size);

/* The path of descriptor FD, or AT_FDCWD, with NUL. Length, or -errno; -ENAMETOOLONG if it is SIZE or more. */
int64_t linux_path_of(int fd, char *path, uint64_t size);

/* Writes SIZE BYTES to offset 0 on of FD; the descriptor's own position stays. 0 or -errno. */
int64_t linux_fill(int64_t fd, const char *bytes, uint64_t size);

/* ---- linux_name.c. 0 or a result, or -errno ---- */

struct user_stat;

/* CALL of AT_FDCWD, PATH, THIRD and FOURTH: openat(2), mkdirat(2), unlinkat(2)... */
int64_t linux_name_call(uint32_t call, const char *path, uint64_t third, uint64_t fourth);

/* stat(2) if FOLLOW, else lstat(2). */
int64_t linux_status(const char *path, bool follow, struct user_stat *status);

/* readlink(2), with NUL; -ENAMETOOLONG if that is not all in SIZE. */
int64_t linux_read_link(const char *path, char *target, uint64_t size);

int64_t linux_rename(const char *old, const char *new);
int64_t linux_symlink(const char *target, const char *path);

/* Of CLOCK_REALTIME, to descriptor FD. */
int64_t linux_set_times(int64_t fd, nsec_t accessed, nsec_t modified);

#endif
