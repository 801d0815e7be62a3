/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files whose calls wait for no other machine and no other program: these the main thread
 * executes at once. On a file of NFS, Lustre or FUSE, or of /proc, a call may take for ever,
 * and all others would wait for it.
 */
#ifndef PROXY_LOCAL_FILE_H
#define PROXY_LOCAL_FILE_H

#include <stdbool.h>

/* Is FD a regular file on a disk or in the memory of this machine? */
bool local_file(int fd);

#endif
