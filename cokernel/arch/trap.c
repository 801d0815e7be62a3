/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What came, and who is to look at it. entry.S calls these with interrupts off.
 */
#include "arch/crash.h"
#include "arch/exception.h"
#include "arch/fault.h"
#include "arch/frame.h"
#include "arch/isolation.h"
#include "arch/lapic.h"
#include "arch/offsets.h"
#include "arch/panic.h"
#include "arch/percpu.h"
#include "arch/snapshot.h"
#include "arch/tlb.h"
#include "arch/trap.h"
#include "arch/trap_entry.h"
#include "arch/user.h"
#include "arch/x86.h"

extern const char cpu_halt_begin[], cpu_halt_end[];

/* See cpu_halt in entry.S. */
static void leave_halt(struct frame *frame)
{
	if (frame->rip == (uint64_t)cpu_halt_begin)
		frame->rip = (uint64_t)cpu_halt_end;
}

static void count_entry(struct pisces_cpu_status *status)
{
	status->heartbeat++;
	status->state = PISCES_CPU_KERNEL;
}

static void interrupt(uint64_t vector)
{
	struct pisces_cpu_status *status = this_cpu()->status;

	status->interrupts++;
	switch (vector) {
	case PISCES_BELL_VECTOR:
		status->bells++;
		lapic_eoi();
		bell_interrupt();
		break;
	case LAPIC_TIMER_VECTOR:
		status->timers++;
		lapic_eoi();
		timer_interrupt();
		break;
	case LAPIC_KICK_VECTOR:
		lapic_eoi();
		tlb_serve();
		kick_interrupt();
		break;
	default:
		/* Linux's broadcasts (0xf0 and up) among them. */
		status->strays++;
		lapic_eoi_stray((uint8_t)vector);
		break;
	}
}

void trap_syscall(struct frame *frame)
{
	struct pisces_cpu_status *status = this_cpu()->status;

	count_entry(status);
	status->syscalls++;
	if (unlikely(frame->error == CRASH_SYSCALL))
		crash_test(frame);
	syscall_dispatch(frame);
}

void trap_from_user(struct frame *frame)
{
	count_entry(this_cpu()->status);
	if (frame->vector < 32)
		fault_from_user(frame);
	else
		interrupt(frame->vector);
}

void trap_from_kernel(struct frame *frame)
{
	if (frame->vector >= 32) {
		count_entry(this_cpu()->status);
		leave_halt(frame);
		interrupt(frame->vector);
	} else {
		fault_from_kernel(frame);
	}
}

static bool is_canonical(uint64_t address)
{
	return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

/* Can SYSRET leave with it? */
static bool suits_sysret(const struct frame *frame)
{
	return frame->vector == FRAME_SYSCALL && frame->rcx == frame->rip &&
	       frame->r11 == frame->rflags && (frame->rflags & (FLAG_TF | FLAG_RF)) == 0 &&
	       frame->cs == USER_CS && frame->ss == USER_SS;
}

/*
 * RIP that is no address would fault in the instruction that leaves, with the program's
 * GS base already there (and on Intel on the program's stack). So does RSP in IRET, on CPUs;
 * emulators let it pass.
 */
static bool can_leave(const struct frame *frame)
{
	return is_canonical(frame->rip) && (is_canonical(frame->rsp) || suits_sysret(frame));
}

unsigned int trap_leave(struct frame *frame)
{
	return_to_user(frame);
	while (unlikely(!can_leave(frame))) {
		signal_fault(frame, SIGNAL_SEGV, SIGNAL_CODE_KERNEL, 0);
		return_to_user(frame);
	}
	this_cpu()->status->state = PISCES_CPU_USER;
	if (unlikely(isolation_on))
		return LEAVE_ISOLATED;
	return suits_sysret(frame) ? LEAVE_BY_SYSRET : LEAVE_BY_IRET;
}

/*
 * The heartbeat stays as it is: it says that the co-kernel gets on with its work, and
 * a CPU that hangs takes an NMI all the same.
 */
void trap_nmi(struct frame *frame, uint64_t gs_base)
{
	struct pisces_cpu_status *status = this_cpu()->status;

	if (cpu_stopping()) {
		snapshot_last(frame, gs_base);
		cpu_stop();
	}
	status->interrupts++;
	if (!snapshot_answer(frame, gs_base))
		status->strays++;
	/* See can_leave(). A signal is not possible here, and such a program has no stack to lose. */
	if (unlikely((frame->cs & 3) != 0 && !is_canonical(frame->rsp)))
		frame->rsp = 0;
	leave_halt(frame);
}

/*
 * No debug register is ever set and SYSCALL clears TF, so this comes from corners
 * of the architecture at most. It is harmless once TF is off.
 */
void trap_debug_in_kernel(struct frame *frame, uint64_t gs_base)
{
	(void)gs_base;
	this_cpu()->status->strays++;
	frame->rflags &= ~(uint64_t)FLAG_TF;
	__asm__ volatile("mov %0, %%dr6" : : "r"(0xffff0ff0ul));
}

void trap_fatal(struct frame *frame, uint64_t gs_base)
{
	(void)gs_base;
	fault_fatal(frame);
}

#define FLAGS_OF_PROGRAMS                                                                     \
	(FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_TF | FLAG_DF | FLAG_OF | FLAG_RF | \
	 FLAG_AC | FLAG_ID)

void frame_sanitize(struct frame *frame)
{
	frame->cs = USER_CS;
	frame->ss = USER_SS;
	frame->rflags = (frame->rflags & FLAGS_OF_PROGRAMS) | FLAG_ALWAYS | FLAG_IF;
}
