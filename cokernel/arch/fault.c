/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/exception.h"
#include "arch/fault.h"
#include "arch/frame.h"
#include "arch/panic.h"
#include "arch/percpu.h"
#include "arch/stack.h"
#include "arch/trap.h"
#include "arch/user.h"
#include "arch/x86.h"
#include "lib/errno.h"

/* si_code of the ABI. */
enum fault_code {
	CODE_ILL_OPERAND = 2,
	CODE_TRAP_TRACE = 2,
	CODE_BUS_ALIGNMENT = 1,
	CODE_BUS_NO_ADDRESS = 2,
	CODE_SEGV_NO_MAP = 1,
	CODE_SEGV_ACCESS = 2,
	CODE_FPE_INT_DIVIDE = 1,
	CODE_FPE_DIVIDE = 3,
	CODE_FPE_OVERFLOW = 4,
	CODE_FPE_UNDERFLOW = 5,
	CODE_FPE_RESULT = 6,
	CODE_FPE_INVALID = 7,
};

static const char *const names[32] = {
	"divide error",
	"debug",
	"NMI",
	"breakpoint",
	"overflow",
	"bound range",
	"invalid opcode",
	"no FPU",
	"double fault",
	"coprocessor overrun",
	"invalid TSS",
	"segment not present",
	"stack segment",
	"general protection",
	"page fault",
	"exception 15",
	"x87 error",
	"alignment check",
	"machine check",
	"SIMD error",
	"virtualization",
	"control protection",
	[28] = "hypervisor injection",
	[29] = "VMM communication",
	[30] = "security",
};

static const char *name_of(uint64_t vector)
{
	const char *name = vector < ARRAY_SIZE(names) ? names[vector] : NULL;

	return name != NULL ? name : "exception";
}

static int code_of_fpu_flags(unsigned int flags)
{
	if (flags & 0x01)
		return CODE_FPE_INVALID;
	if (flags & 0x04)
		return CODE_FPE_DIVIDE;
	if (flags & 0x08)
		return CODE_FPE_OVERFLOW;
	if (flags & 0x12)
		return CODE_FPE_UNDERFLOW;
	if (flags & 0x20)
		return CODE_FPE_RESULT;
	return 0;
}

static int x87_code(void)
{
	uint16_t control, status;

	__asm__ volatile("fnstcw %0\n\tfnstsw %1" : "=m"(control), "=m"(status));
	return code_of_fpu_flags(status & ~(unsigned int)control);
}

static int sse_code(void)
{
	uint32_t mxcsr;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	return code_of_fpu_flags(mxcsr & ~(mxcsr >> 7));
}

static void page_fault_from_user(struct frame *frame, user_addr_t address)
{
	int result = -EFAULT;

	this_cpu()->status->page_faults++;
	if (address < USER_END)
		result = aspace_fault_current(address, frame->error);
	if (result == 0)
		return;
	if (result == -ENOMEM)
		out_of_memory(address, false);
	else if (result == -ENXIO)
		signal_fault(frame, SIGNAL_BUS, CODE_BUS_NO_ADDRESS, address);
	else
		signal_fault(frame, SIGNAL_SEGV,
			     result == -EACCES ? CODE_SEGV_ACCESS : CODE_SEGV_NO_MAP, address);
}

void fault_from_user(struct frame *frame)
{
	switch (frame->vector) {
	case 0:
		signal_fault(frame, SIGNAL_FPE, CODE_FPE_INT_DIVIDE, frame->rip);
		break;
	case VECTOR_DEBUG:
		__asm__ volatile("mov %0, %%dr6" : : "r"(0xffff0ff0ul));
		signal_fault(frame, SIGNAL_TRAP, CODE_TRAP_TRACE, frame->rip);
		break;
	case 3:
		signal_fault(frame, SIGNAL_TRAP, SIGNAL_CODE_KERNEL, 0);
		break;
	case 6:
		signal_fault(frame, SIGNAL_ILL, CODE_ILL_OPERAND, frame->rip);
		break;
	case 11:
	case 12:
		signal_fault(frame, SIGNAL_BUS, SIGNAL_CODE_KERNEL, 0);
		break;
	case VECTOR_PAGE_FAULT:
		page_fault_from_user(frame, read_cr2());
		break;
	case 16:
		signal_fault(frame, SIGNAL_FPE, x87_code(), frame->rip);
		break;
	case 17:
		signal_fault(frame, SIGNAL_BUS, CODE_BUS_ALIGNMENT, 0);
		break;
	case 19:
		signal_fault(frame, SIGNAL_FPE, sse_code(), frame->rip);
		break;
	default:
		signal_fault(frame, SIGNAL_SEGV, SIGNAL_CODE_KERNEL, 0);
		break;
	}
}

void fault_from_kernel(struct frame *frame)
{
	uint64_t fixup = exception_fixup(frame->rip);

	if (frame->vector == VECTOR_PAGE_FAULT) {
		uint64_t address = read_cr2();

		if (fixup != 0 && address < USER_END) {
			int result = aspace_fault_current(address, frame->error);

			this_cpu()->status->page_faults++;
			if (result == 0)
				return;
			if (result == -ENOMEM)
				out_of_memory(address, true);
		}
		if (fixup == 0)
			panic_at(frame, "page fault in the co-kernel: %s of %016lx (error %lx)",
				 frame->error & 16 ? "execution" :
				 frame->error & 2  ? "write" :
						     "read",
				 address, frame->error);
	}
	if (fixup == 0)
		panic_at(frame, "%s in the co-kernel (error %lx)", name_of(frame->vector),
			 frame->error);
	frame->rip = fixup;
}

void fault_fatal(const struct frame *frame)
{
	if (frame->vector == VECTOR_DOUBLE_FAULT && stack_is_guard(read_cr2()))
		panic_at(frame, "kernel stack overflow");
	panic_at(frame, "%s", name_of(frame->vector));
}
