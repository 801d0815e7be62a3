/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The upper half of the entry paths. arch/ decides what came and counts it; the
 * functions below are called by it and live in the rooms that know what to do.
 * Interrupts are off in all of them.
 */
#ifndef CK_ARCH_TRAP_H
#define CK_ARCH_TRAP_H

#include "arch/frame.h"
#include "lib/types.h"

/* syscall/table.c: serves the call in FRAME; the result goes to frame->rax. */
void syscall_dispatch(struct frame *frame);

/*
 * mm/fault.c: a page fault at ADDRESS (below USER_END) of the running program, from
 * user mode or in a user copy. ERROR as the CPU gives it. As aspace_fault(): 0: mapped,
 * go on; -EFAULT: no region; -EACCES: not allowed there; -ENOMEM.
 */
int aspace_fault_current(user_addr_t address, uint64_t error);

/*
 * task/signal.c: a program's own exception becomes a signal. SIGNAL and CODE as
 * in siginfo_t; ADDRESS for si_addr. Delivered on the way out, or kills with a
 * report that names address and rip.
 */
void signal_fault(struct frame *frame, int signal, int code, user_addr_t address);

/*
 * task/out_of_memory.c: there is no page for ADDRESS, which the running program touched
 * itself, or IN_CALL: in a user copy, maybe with locks held. It ends on its way out.
 */
void out_of_memory(user_addr_t address, bool in_call);

/*
 * task/sched.c: on the way back to user mode, from any entry path: deliver
 * signals, give the CPU to another thread if that was asked.
 */
void return_to_user(struct frame *frame);

/* channel/bell.c: PISCES_BELL_VECTOR arrived: look at the rings. */
void bell_interrupt(void);

/* task/hotplug.c: a kick arrived, maybe of a CPU that leaves. */
void kick_interrupt(void);

/* task/timer.c: this CPU's timer expired. */
void timer_interrupt(void);

#endif
