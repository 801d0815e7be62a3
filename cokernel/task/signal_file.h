/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What signalfd(2) makes: which of a process's descriptors are signal files, and which
 * signals each of them reads.
 *
 * The descriptor is a timer of the proxy's (timerfd), so that its number, and what
 * poll(2) and epoll(7) on Linux see, are as with any other: it tells of nothing but
 * reading, and it can be read once the timer has run out. Whoever is about to wait there
 * sets the timers as the pending signals are (syscall/signal_wait.h); a signal that comes
 * meanwhile ends the wait, which then does that again. What is read comes from here.
 */
#ifndef CK_TASK_SIGNAL_FILE_H
#define CK_TASK_SIGNAL_FILE_H

#include "task/signal.h"

struct process;
struct signal_file;
struct signal_files; /* of one process, on the heap; under process->lock */

/* A timer that is to be set: that of FILE, whose descriptor is FD. */
struct signal_file_change {
	struct signal_file *file; /* with a reference */
	int fd;
	bool readable;
};

/* All but the first two are about the running process. */

/* A signal has been queued, process->lock is held: is there a file that reads it? */
bool signal_files_read(struct process *process, int signal);

/* The last thread has gone. */
void signal_files_free(struct process *process);

/* Are there any? Without the lock. */
bool signal_files_exist(void);

/* FD reads the signals of SET from now on, and is a signal file if it was none. 0 or -ENOMEM. */
int signal_file_open(int fd, signal_set_t set);

/* The same for one that is open. False: FD is no signal file. */
bool signal_file_set(int fd, signal_set_t set);

bool signal_file_is(int fd);

/* That of FD, with a reference, or NULL. */
struct signal_file *signal_file_get(int fd);
void signal_file_put(struct signal_file *file);

signal_set_t signal_file_reads(struct signal_file *file);

/* Descriptors FIRST to LAST are about to be closed. */
void signal_file_forget(uint32_t first, uint32_t last);

/* TO is now what FROM is. 0, or -ENOMEM: it is a signal file, but that cannot be noted. */
int signal_file_copy(int from, int to);

/*
 * One thread at a time sets timers, and while it does no descriptor of a signal file is
 * closed. begin: 0, or -EINTR if the process ends. next: false: all are set as the running
 * thread should see them. failed: CHANGE was not made. next and failed take over or give
 * back the reference in CHANGE; after a change that was made it is signal_file_put().
 */
int signal_files_begin(void);
bool signal_files_next(struct signal_file_change *change);
void signal_files_failed(struct signal_file_change *change);
void signal_files_end(void);

#endif
