/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Offsets that assembler code uses; arch/cpu.c and boot/boot.c hold them against C. */
#ifndef CK_ARCH_OFFSETS_H
#define CK_ARCH_OFFSETS_H

/* struct cpu */
#define CPU_SELF 0
#define CPU_KERNEL_STACK 8
#define CPU_USER_RSP 16
#define CPU_CURRENT 24
#define CPU_STATUS 48

/* struct entry_area, from GS base as well */
#define ENTRY_SCRATCH 4096
#define ENTRY_RSP0 4740

/* Of CR3: the top table of a program's own tables follows that of the co-kernel's. */
#define TABLES_OF_PROGRAM 0x1000

/* What trap_leave() returns. */
#define LEAVE_BY_IRET 0
#define LEAVE_BY_SYSRET 1
#define LEAVE_ISOLATED 2

/* struct context, with which a thread begins */
#define CONTEXT_CALLS 48
#define CONTEXT_PID 56
#define CONTEXT_TID 60

/* struct pisces_cpu_status */
#define CPU_STATUS_HEARTBEAT 8
#define CPU_STATUS_SYSCALLS 48

/* struct frame */
#define FRAME_R11 48
#define FRAME_RCX 88
#define FRAME_VECTOR 120
#define FRAME_RIP 136
#define FRAME_CS 144
#define FRAME_RFLAGS 152
#define FRAME_RSP 160
#define FRAME_SIZE 176

/* struct pisces_boot_block */
#define BLOCK_CPU_COUNT 444
#define BLOCK_STATUS 536
#define BLOCK_CPUS 592
#define BLOCK_CPU_SHIFT 4 /* of sizeof(struct pisces_boot_cpu) */

/* struct pisces_status */
#define STATUS_BOOT_TSC 40
#define STATUS_CPU 2432
#define STATUS_CPU_SHIFT 7

/* struct start_slot */
#define SLOT_STACK 0
#define SLOT_PERCPU 8
#define SLOT_SHIFT 4

#define EARLY_STACK_SHIFT 6

#endif
