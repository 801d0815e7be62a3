/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The handlers' prototypes, and what several families use. */
#ifndef CK_SYSCALL_HANDLERS_H
#define CK_SYSCALL_HANDLERS_H

#include "arch/user.h"
#include "lib/errno.h"
#include "syscall/syscall.h"

#define CALL(number, name, kind) int64_t syscall_##name(const struct syscall_args *args);
#include "syscall/list.h"
#undef CALL

/* Linux's AT_FDCWD as an argument. */
#define CWD ((uint64_t)-100)

/* Longer spans mean for ever: NSEC_FOREVER / NSEC_PER_SEC is 584 years. */
#define SECONDS_MOST 18000000000ll

/* struct timespec and struct timeval of the ABI. */
struct user_time {
	int64_t seconds;
	int64_t fraction; /* ns, or us */
};

/* A valid span or -EINVAL; NSEC_FOREVER if it is too long to count. */
int time_from_user(user_addr_t from, nsec_t *span);
int time_to_user(user_addr_t to, nsec_t time);

/* mmap(2) of the memory file OPEN, whatever its descriptor is by now. */
struct open_file;
int64_t mmap_open(struct open_file *open, const struct syscall_args *args);

/* NOW + SPAN, or NSEC_FOREVER. */
nsec_t time_after(nsec_t span);

/*
 * A sleep until DEADLINE that signals end: 0 when it is over, -ERESTART_DEADLINE
 * if it was ended, with thread->restart_deadline set.
 */
int sleep_until(nsec_t deadline);

/*
 * For calls that begin a wait with a relative time: the deadline of the call that
 * this one repeats, or NOW + SPAN.
 */
nsec_t deadline_of_call(nsec_t span);

/*
 * For calls that wait with another mask: sets the one that is at FROM (0: none), of
 * SIZE bytes; 0 or -errno. And after the wait, with its result, which it returns: if
 * no signal ended it the mask is put back at once, else by signal_deliver().
 */
int signal_mask_for_call(user_addr_t from, uint64_t size);
int64_t signal_mask_after_call(int64_t result);

#endif
