/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a thread is to the hardware: a kernel stack, FPU state, selectors, FS and GS base.
 */
#ifndef CK_ARCH_CONTEXT_H
#define CK_ARCH_CONTEXT_H

#include "arch/frame.h"
#include "lib/types.h"

#define KERNEL_STACK_SIZE 16384u

struct context {
	uint64_t rsp; /* saved while another thread runs; the first member: switch.S */
	uint64_t fs_base;
	uint64_t gs_base;   /* the user's */
	uint64_t selectors; /* DS, ES, FS and GS, 16 bits each from the lowest */
	void *stack;	  /* KERNEL_STACK_SIZE bytes, aligned to that */
	void *fpu;	  /* XSAVE area, fpu_size() bytes, 64-byte aligned; NULL: idle thread */
	uint64_t calls;	  /* system calls; counted in entry.S, too */
	uint32_t pid, tid; /* what getpid() and gettid() say, which entry.S answers */
};

/*
 * Makes a context whose first switch calls ENTRY(ARGUMENT) on its own kernel
 * stack, with interrupts off. Allocates stack (and FPU state in reset form when
 * WITH_FPU). False: out of memory.
 */
bool context_init(struct context *context, void (*entry)(void *), void *argument, bool with_fpu);
void context_destroy(struct context *context);

/*
 * Saves the running thread's state to PREV and goes on with NEXT: FPU, selectors,
 * FS/GS base, kernel stack (also for TSS and SYSCALL). Page tables are the caller's
 * task. Returns when PREV is switched to again, maybe on another CPU.
 */
void context_switch(struct context *prev, struct context *next);

/* The frame at the top of the kernel stack, where user registers are. */
struct frame *context_frame(const struct context *context);

/* Leaves the co-kernel for the first time with these user registers. */
__noreturn void context_enter_user(struct context *context, const struct frame *frame);

/*
 * FS and GS base of the running thread, for arch_prctl(2). BASE is below USER_END.
 * Of another thread: context->fs_base and gs_base, while it does not run.
 */
uint64_t context_fs_base(void);
uint64_t context_gs_base(void);
void context_set_fs_base(uint64_t base);
void context_set_gs_base(uint64_t base);

/* The running thread's FPU, selectors and bases are as a new program finds them. */
void context_renew(void);

/* The selectors that the program has loaded; 0, as a program finds them, but for old ones. */
uint64_t context_selectors(void);

/*
 * Bytes of user FPU state in a signal frame, and its copy from and to there.
 * The running thread only. fpu_load_user checks the image; false: bad or not readable.
 */
size_t fpu_size(void);
void fpu_reset(void); /* as a new program finds it; the running thread */
bool fpu_save_user(user_addr_t to);
bool fpu_load_user(user_addr_t from); /* FROM = 0: as fpu_reset() */
void fpu_copy(struct context *to, const struct context *from); /* for clone: FROM is running */

#endif
