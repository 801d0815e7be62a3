/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/snapshot.h"

#include <pisces/status.h>

#include "arch/cpu.h"
#include "arch/frame.h"
#include "arch/x86.h"
#include "boot/boot.h"
#include "lib/print.h"

static struct pisces_registers *registers; /* in shared memory; only written */
static unsigned int registers_count;

void snapshot_init(void)
{
	registers_count = (unsigned int)(boot_block->registers.size / sizeof(*registers));
	if (registers_count < cpu_count)
		panic("the boot block has room for the registers of %u CPUs", registers_count);
	registers = boot_area(boot_block->registers);
}

static uint64_t read_cr0(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr0, %0" : "=r"(value));
	return value;
}

/*
 * Nothing here may fault or take a lock: the code that has been interrupted may be any,
 * that of a lock and of a fault too. The number goes away first and comes last, so that
 * a reader can tell that it has seen one state.
 */
static void save(const struct frame *frame, uint64_t gs_base, uint64_t snapshot)
{
	const struct cpu *cpu = this_cpu();
	struct pisces_registers *to;
	uint32_t task;

	if (registers == NULL || cpu->index >= registers_count)
		return;
	to = &registers[cpu->index];
	task = cpu->status->task;
	__atomic_store_n(&to->snapshot, 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	to->rax = frame->rax;
	to->rbx = frame->rbx;
	to->rcx = frame->rcx;
	to->rdx = frame->rdx;
	to->rsi = frame->rsi;
	to->rdi = frame->rdi;
	to->rbp = frame->rbp;
	to->rsp = frame->rsp;
	to->r8 = frame->r8;
	to->r9 = frame->r9;
	to->r10 = frame->r10;
	to->r11 = frame->r11;
	to->r12 = frame->r12;
	to->r13 = frame->r13;
	to->r14 = frame->r14;
	to->r15 = frame->r15;
	to->rip = frame->rip;
	to->rflags = frame->rflags;
	to->cs = frame->cs;
	to->ss = frame->ss;
	to->fs_base = rdmsr(MSR_FS_BASE);
	to->gs_base = gs_base;
	to->kernel_gs_base = rdmsr(MSR_KERNEL_GS_BASE);
	to->cr0 = read_cr0();
	to->cr2 = read_cr2();
	to->cr3 = read_cr3();
	to->cr4 = read_cr4();
	to->task = task == UINT32_MAX ? UINT64_MAX : task;
	__atomic_store_n(&to->snapshot, snapshot, __ATOMIC_RELEASE);
}

bool snapshot_answer(const struct frame *frame, uint64_t gs_base)
{
	uint64_t wanted;

	if (registers == NULL)
		return false;
	wanted = __atomic_load_n(&boot_status->snapshot, __ATOMIC_ACQUIRE);
	if (this_cpu()->index >= registers_count ||
	    wanted == __atomic_load_n(&registers[this_cpu()->index].snapshot, __ATOMIC_RELAXED))
		return false;
	save(frame, gs_base, wanted);
	return true;
}

void snapshot_last(const struct frame *frame, uint64_t gs_base)
{
	save(frame, gs_base, PISCES_SNAPSHOT_DEATH);
}
