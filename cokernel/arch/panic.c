/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/exception.h"
#include "arch/frame.h"
#include "arch/panic.h"
#include "arch/percpu.h"
#include "arch/snapshot.h"
#include "arch/stack.h"
#include "arch/x86.h"
#include "boot/boot.h"
#include "boot/image.h"
#include "channel/console.h"
#include "channel/control.h"
#include "lib/print.h"
#include "lib/string.h"

#define BACKTRACE_MOST 24

static struct cpu *speaker; /* the first CPU that panicked */

static bool in_text(uint64_t address)
{
	return address >= (uint64_t)image_text_start && address < (uint64_t)image_text_end;
}

/* For addr2line -e cokernel.elf. */
static void show_backtrace(uint64_t rip, uint64_t rbp)
{
	print("  at %016lx", rip);
	for (int i = 0; i < BACKTRACE_MOST && (int64_t)rbp < 0 && rbp % 8 == 0; i++) {
		uint64_t caller, up;

		if (!exception_safe_read((const void *)rbp, &up) ||
		    !exception_safe_read((const void *)(rbp + 8), &caller) || !in_text(caller))
			return;
		print("  by %016lx", caller);
		if (up <= rbp)
			return;
		rbp = up;
	}
}

static void show_registers(const struct frame *f)
{
	print("  rip %016lx rsp %016lx rflags %08lx cs %02lx", f->rip, f->rsp, f->rflags, f->cs);
	print("  rax %016lx rbx %016lx rcx %016lx rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
	print("  rsi %016lx rdi %016lx rbp %016lx r8  %016lx", f->rsi, f->rdi, f->rbp, f->r8);
	print("  r9  %016lx r10 %016lx r11 %016lx r12 %016lx", f->r9, f->r10, f->r11, f->r12);
	print("  r13 %016lx r14 %016lx r15 %016lx cr2 %016lx", f->r13, f->r14, f->r15, read_cr2());
}

/*
 * For Linux's dump: the registers of FRAME, or without one what is known of the place
 * where panic() was called.
 */
static void save_registers(const struct frame *frame, uint64_t rip, uint64_t rbp, uint64_t rsp)
{
	struct frame known = { .rip = rip, .rbp = rbp, .rsp = rsp, .cs = KERNEL_CS };

	snapshot_last(frame != NULL ? frame : &known, rdmsr(MSR_GS_BASE));
}

/*
 * The first CPU to come speaks; another one only stops. One that fails while it
 * speaks calls for Linux at least: the reason is written before anything else is
 * tried.
 */
static __noreturn void die(const struct frame *frame, uint64_t rip, uint64_t rbp,
			   uint64_t rsp, const char *format, va_list args)
{
	struct cpu *cpu = this_cpu();
	struct cpu *nobody = NULL;
	char reason[PISCES_REASON_LEN];

	__asm__ volatile("cli");
	if (!__atomic_compare_exchange_n(&speaker, &nobody, cpu, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST)) {
		if (speaker == cpu)
			linux_ring();
		else
			save_registers(frame, rip, rbp, rsp);
		cpu_park();
	}
	save_registers(frame, rip, rbp, rsp);
	format_text_args(reason, sizeof(reason), format, args);
	if (boot_status != NULL) {
		memcpy(boot_status->reason, reason, sizeof(reason));
		__atomic_store_n(&boot_status->state, PISCES_COKERNEL_PANIC, __ATOMIC_RELEASE);
	}
	cpu_stop_others(false);
	console_break_lock();
	print("panic on CPU %u (CPU %u of Linux): %s", cpu->index, cpu->linux_cpu, reason);
	if (frame != NULL)
		show_registers(frame);
	show_backtrace(rip, rbp);
	control_send_panic();
	linux_ring();
	cpu_park();
}

void panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	die(NULL, (uint64_t)__builtin_return_address(0),
	    *(const uint64_t *)__builtin_frame_address(0),
	    (uint64_t)__builtin_frame_address(0) + 16, format, args);
}

void panic_at(const struct frame *frame, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	die(frame, frame->rip, frame->rbp, frame->rsp, format, args);
}
