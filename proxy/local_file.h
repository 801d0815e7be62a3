/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files whose calls wait for no other machine and no other program: these the main thread
 * executes at once. On a file of NFS, Lustre or FUSE, or of /proc, a call may take for ever,
 * and all others would wait for it.
 */
#ifndef PROXY_LOCAL_FILE_H
#define PROXY_LOCAL_FILE_H

#include <stdbool.h>

/* Is FD a regular file on a disk or in the memory of this machine? Main thread. */
bool local_file(int fd);

/*
 * Around a call after which an open descriptor may be another file: until it has ended, no
 * answer is kept for the next time. Begin: main thread, before the call is executed; end:
 * any thread.
 */
void local_file_begin_change(void);
void local_file_end_change(void);

#endif
