/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/frame.h"
#include "arch/isolation.h"
#include "arch/percpu.h"
#include "arch/x86.h"

extern const char entry_syscall[], isolated_syscall[];

/*
 * These registers survive INIT with Linux's entry points in them, so all are
 * written: a SYSENTER in 64-bit mode would else land in Linux's code in ring 0. No
 * 32-bit code segment exists here, so CSTAR is only told the same entry.
 */
void syscall_init_cpu(void)
{
	uint64_t entry = (uint64_t)(isolation_on ? isolated_syscall : entry_syscall);

	wrmsr(MSR_STAR, (uint64_t)KERNEL_CS << 32 | (uint64_t)(USER_CS - 16) << 48);
	wrmsr(MSR_LSTAR, entry);
	wrmsr(MSR_CSTAR, entry);
	wrmsr(MSR_FMASK, FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_TF | FLAG_IF |
				 FLAG_DF | FLAG_OF | FLAG_IOPL | FLAG_NT | FLAG_RF | FLAG_AC |
				 FLAG_ID);
	wrmsr(MSR_SYSENTER_CS, 0);
	wrmsr(MSR_SYSENTER_ESP, 0);
	wrmsr(MSR_SYSENTER_EIP, 0);
	wrmsr(MSR_DEBUGCTL, 0);
}
