/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/context.h"
#include "arch/features.h"
#include "arch/fpu.h"
#include "arch/isolation.h"
#include "arch/percpu.h"
#include "arch/stack.h"
#include "arch/trap_entry.h"
#include "arch/x86.h"
#include "boot/boot.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/heap.h"

/* In switch.S. */
void switch_stacks(uint64_t *save, uint64_t load);
extern const char context_begin[];

/* What switch_stacks() takes from a stack. */
struct switch_frame {
	uint64_t r15, r14, r13, r12, rbx, rbp;
	uint64_t rip;
};

static uint64_t stack_top(const struct context *context)
{
	return (uint64_t)context->stack + KERNEL_STACK_SIZE;
}

struct frame *context_frame(const struct context *context)
{
	return (struct frame *)(stack_top(context) - sizeof(struct frame));
}

bool context_init(struct context *context, void (*entry)(void *), void *argument, bool with_fpu)
{
	struct switch_frame *start;

	memset(context, 0, sizeof(*context));
	context->stack = stack_alloc(this_cpu()->node);
	if (context->stack == NULL)
		return false;
	if (with_fpu) {
		context->fpu = heap_alloc(fpu_size());
		if (context->fpu == NULL) {
			context_destroy(context);
			return false;
		}
		ASSERT((uint64_t)context->fpu % 64 == 0);
		fpu_fill_reset(context->fpu);
	}
	/* The frame's place is kept free: context_enter_user() writes there. */
	start = (struct switch_frame *)context_frame(context) - 2;
	*start = (struct switch_frame){
		.r12 = (uint64_t)entry,
		.r13 = (uint64_t)argument,
		.rip = (uint64_t)context_begin,
	};
	context->rsp = (uint64_t)start;
	return true;
}

void context_destroy(struct context *context)
{
	if (context->stack != NULL)
		stack_free(context->stack);
	heap_free(context->fpu);
	context->stack = NULL;
	context->fpu = NULL;
}

uint64_t context_fs_base(void)
{
	uint64_t base;

	if (!cpu_features.fsgsbase)
		return rdmsr(MSR_FS_BASE);
	__asm__ volatile("rdfsbase %0" : "=r"(base));
	return base;
}

uint64_t context_gs_base(void)
{
	return rdmsr(MSR_KERNEL_GS_BASE);
}

void context_set_fs_base(uint64_t base)
{
	if (cpu_features.fsgsbase)
		__asm__ volatile("wrfsbase %0" : : "r"(base));
	else
		wrmsr(MSR_FS_BASE, base);
}

void context_set_gs_base(uint64_t base)
{
	wrmsr(MSR_KERNEL_GS_BASE, base);
}

uint64_t context_selectors(void)
{
	uint64_t ds, es, fs, gs;

	__asm__ volatile("movq %%ds, %0\n\t"
			 "movq %%es, %1\n\t"
			 "movq %%fs, %2\n\t"
			 "movq %%gs, %3"
			 : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
	return ds | es << 16 | fs << 32 | gs << 48;
}

/* Those of a program, so none faults. Changes the bases of FS and of the user's GS. */
static void load_selectors(uint64_t selectors)
{
	__asm__ volatile("movl %k0, %%ds\n\t"
			 "movl %k1, %%es\n\t"
			 "movl %k2, %%fs\n\t"
			 "swapgs\n\t"
			 "movl %k3, %%gs\n\t"
			 "swapgs"
			 :
			 : "r"(selectors & 0xffff), "r"(selectors >> 16 & 0xffff),
			   "r"(selectors >> 32 & 0xffff), "r"(selectors >> 48)
			 : "memory");
}

void context_renew(void)
{
	fpu_reset();
	load_selectors(0);
	context_set_fs_base(0);
	context_set_gs_base(0);
}

void context_switch(struct context *prev, struct context *next)
{
	struct percpu *percpu = this_percpu();

	if (prev->fpu != NULL) {
		fpu_save(prev->fpu);
		prev->fs_base = context_fs_base();
		prev->gs_base = context_gs_base();
		prev->selectors = context_selectors();
	}
	if (next->fpu != NULL) {
		fpu_restore(next->fpu);
		if (next->selectors != context_selectors())
			load_selectors(next->selectors);
		context_set_fs_base(next->fs_base);
		context_set_gs_base(next->gs_base);
	}
	if (next->stack != NULL) {
		percpu->cpu.kernel_stack = stack_top(next);
		if (!isolation_on)
			percpu->entry.tss.rsp0 = stack_top(next);
	}
	percpu->context = next;
	switch_stacks(&prev->rsp, next->rsp);
}

void context_enter_user(struct context *context, const struct frame *frame)
{
	struct frame *at = context_frame(context);

	*at = *frame;
	if (boot_status->user_tsc == 0)
		boot_status->user_tsc = rdtsc();
	enter_user(at);
}
