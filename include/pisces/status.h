/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The status area: what the co-kernel writes and Linux may read at any time,
 * without asking it. Counters only grow; nothing in Linux depends on them but
 * what is shown to people, and the state words, whose every value is expected.
 */
#ifndef PISCES_STATUS_H
#define PISCES_STATUS_H

#include <pisces/abi.h>
#include <pisces/types.h>

enum pisces_cpu_state {
	PISCES_CPU_ABSENT = 0,	/* not arrived yet */
	PISCES_CPU_ARRIVED = 1, /* has left the trampoline */
	PISCES_CPU_IDLE = 2,	/* halted, waits for work */
	PISCES_CPU_USER = 3,	/* runs a program */
	PISCES_CPU_KERNEL = 4,	/* runs the co-kernel */
	PISCES_CPU_PARKED = 5,	/* stopped for good: interrupts off, halted */
};

enum pisces_cokernel_state {
	PISCES_COKERNEL_NONE = 0,
	PISCES_COKERNEL_BOOTING = 1,
	PISCES_COKERNEL_RUNNING = 2,
	PISCES_COKERNEL_PANIC = 3,
	PISCES_COKERNEL_STOPPED = 4, /* as asked by STOP; all CPUs are parked */
};

/* One CPU. A cache line or two, written by that CPU alone. */
struct pisces_cpu_status {
	uint32_t state; /* enum pisces_cpu_state */
	uint32_t task;	/* id of the task whose program it runs, or UINT32_MAX */
	/*
	 * Entries into the co-kernel, of any kind, and steps of long work there: a CPU
	 * in state KERNEL whose heartbeat rests for seconds hangs.
	 */
	uint64_t heartbeat;
	uint64_t interrupts; /* all that arrived, whatever the vector, NMI and timer too */
	uint64_t bells;	     /* of these: PISCES_BELL_VECTOR */
	uint64_t timers;     /* of these: its own timer */
	uint64_t strays;     /* of these: vectors that nobody asked for, and NMIs */
	uint64_t syscalls;
	uint64_t forwarded;  /* of these: sent to a proxy */
	uint64_t page_faults;
	uint64_t switches;   /* from one thread to another */
	uint64_t running;    /* whose thread has it, and since when: see PISCES_RUNNING_... */
	uint64_t unused[5];
};
PISCES_ASSERT_SIZE(struct pisces_cpu_status, 128);

/*
 * `running`, in one word, so that it is never half old and half new: the TSC when the
 * thread got the CPU, rounded up to a multiple of PISCES_RUNNING_GRAIN, and below that
 * the task's id + 1. 0: no task's thread has the CPU.
 */
#define PISCES_RUNNING_GRAIN 0x10000ull

static inline uint64_t pisces_running(uint64_t tsc, uint32_t task)
{
	return ((tsc + PISCES_RUNNING_GRAIN - 1) & ~(PISCES_RUNNING_GRAIN - 1)) | (task + 1u);
}

static inline uint64_t pisces_running_since(uint64_t running)
{
	return running & ~(PISCES_RUNNING_GRAIN - 1);
}

/* Any value; UINT32_MAX: nobody. */
static inline uint32_t pisces_running_task(uint64_t running)
{
	return (uint32_t)(running & (PISCES_RUNNING_GRAIN - 1)) - 1u;
}

_Static_assert(PISCES_MAX_TASKS < PISCES_RUNNING_GRAIN, "a task's id has its place in `running`");

/*
 * What a task has used, in the area `usage` of the boot block, by its id. The module
 * zeroes it before it announces the task, the co-kernel writes it from then until
 * TASK_ENDED. `cpu_ns` is of stretches that are over; those that go on are in `running`.
 * A CPU says in `running` that its stretch is over before it is added here, and Linux
 * reads in the other order: so none is ever counted twice.
 */
struct pisces_task_usage {
	uint64_t cpu_ns;
	uint64_t resident; /* bytes of memory that it has, */
	uint64_t peak;	   /* and the most that it had */
	uint64_t unused[5];
};
PISCES_ASSERT_SIZE(struct pisces_task_usage, 64);

/* System calls counted by number when the co-kernel does not have them. */
#define PISCES_STATUS_CALLS 512u

struct pisces_status {
	uint32_t state; /* enum pisces_cokernel_state */
	uint32_t cpus_online;
	uint32_t tasks;
	uint32_t threads;
	uint64_t memory_total; /* bytes; of the ranges, less the co-kernel itself */
	uint64_t memory_free;
	uint64_t console_lost; /* bytes that did not fit into the console ring */
	uint64_t boot_tsc;     /* TSC when the first CPU arrived, */
	uint64_t ready_tsc;    /* when all CPUs were up, */
	uint64_t user_tsc;     /* and just before the first instruction of the first program */
	/*
	 * Written by Linux: number of the snapshot that it wants. A CPU that gets an NMI and
	 * whose registers are of another snapshot stores them, and goes on as before.
	 */
	uint64_t snapshot;
	uint64_t unused[7];
	char reason[PISCES_REASON_LEN];	      /* of a panic */
	uint64_t task_bells[PISCES_TASK_WORDS]; /* tasks whose proxy is to be woken; the module
						   takes bits away */
	uint32_t missing[PISCES_STATUS_CALLS];	/* ENOSYS by call number; last: all above */
	struct pisces_cpu_status cpu[];
};

/*
 * What a CPU had in its registers when it was asked (an NMI, see `snapshot`), or
 * when the co-kernel died. For pisces dump.
 */
struct pisces_registers {
	uint64_t snapshot; /* whose this is, written last; 0: nothing is here */
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rip, rflags, cs, ss;
	uint64_t fs_base, gs_base, kernel_gs_base;
	uint64_t cr0, cr2, cr3, cr4;
	uint64_t task; /* id, or UINT64_MAX: the co-kernel's own */
	uint64_t unused[3];
};
PISCES_ASSERT_SIZE(struct pisces_registers, 256);

/* The snapshot of a dying co-kernel, which nobody asked for. */
#define PISCES_SNAPSHOT_DEATH 0xffffffffffffffffull

#endif
