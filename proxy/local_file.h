/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files whose calls wait for no other machine and no other program: these the main thread
 * executes at once. On a file of NFS, Lustre or FUSE, or of /proc, a call may take for ever,
 * and all others would wait for it.
 */
#ifndef PROXY_LOCAL_FILE_H
#define PROXY_LOCAL_FILE_H

#include <stdbool.h>

/*
 * Is FD a regular file, a directory or a symbolic link on a disk or in the memory of this
 * machine? Others, as FIFOs and devices, may take their time. Main thread.
 */
bool local_file(int fd);

/* The same of a descriptor that goes away at once: no answer is kept for its number. */
bool local_file_now(int fd);

/*
 * Is it closed at once? The last one who closes a file may have to write what is left of it,
 * or to free all of it: not where FD is a local file or directory that was opened to be read,
 * and has a name. Main thread.
 */
bool local_file_closes(int fd);

/*
 * Around a call after which an open descriptor may be another file: until it has ended, no
 * answer is kept for the next time. Begin: main thread, before the call is executed; end:
 * any thread.
 */
void local_file_begin_change(void);
void local_file_end_change(void);

#endif
