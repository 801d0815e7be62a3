/* SPDX-License-Identifier: GPL-2.0-or-later */
/* User space's part of giving back: started from here. */
#ifndef PISCES_KMOD_RECLAIM_H
#define PISCES_KMOD_RECLAIM_H

int reclaim_init(void);
void reclaim_exit(void);

/*
 * If there is something that only user space can give back (blocks to bring online,
 * cpusets), runs `pisces reclaim --returned` and waits until it ends, at most 60 s. Not
 * in a process that may have been killed, nor with a lock that the program needs.
 */
void reclaim_start(void);

#endif
