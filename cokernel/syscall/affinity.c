/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUs as programs see them: by the numbers that Linux gives them, so that they are
 * the same in the enclave, on Linux, and in Slurm. Inside they are indices.
 */
#include "arch/cpu.h"
#include "boot/boot.h"
#include "lib/string.h"
#include "syscall/handlers.h"
#include "task/process.h"
#include "task/sched.h"
#include "task/thread.h"

#define MASK_BYTES (PISCES_MAX_CPUS / 8)

/* Bytes that a mask needs for all CPUs of the enclave. */
static uint64_t mask_bytes(void)
{
	uint32_t highest = 0;
	cpu_id_t cpu;

	FOR_EACH_ONLINE_CPU(cpu) {
		if (boot_block->cpus[cpu].linux_cpu > highest)
			highest = boot_block->cpus[cpu].linux_cpu;
	}
	return (highest / 64 + 1) * 8;
}

/* The thread that TID names for the affinity calls, referenced; 0: the caller. */
static struct thread *find_thread(tid_t tid)
{
	struct thread *self = thread_current(), *thread;

	if (tid == 0) {
		thread_get(self);
		return self;
	}
	thread = thread_find(tid);
	if (thread && thread->process != self->process) {
		thread_put(thread);
		return NULL;
	}
	return thread;
}

int64_t syscall_sched_getaffinity(const struct syscall_args *args)
{
	uint64_t size = args->a[1], mask[MASK_BYTES / 8] = { 0 };
	struct thread *thread;
	uint32_t number;
	cpu_id_t cpu;

	if (size % 8 != 0 || size < mask_bytes())
		return -EINVAL;
	thread = find_thread((tid_t)args->a[0]);
	if (!thread)
		return -ESRCH;
	FOR_EACH_ONLINE_CPU(cpu) {
		number = boot_block->cpus[cpu].linux_cpu;
		if ((thread->cpus[cpu / 64] >> (cpu % 64) & 1) && number < PISCES_MAX_CPUS)
			mask[number / 64] |= 1ull << (number % 64);
	}
	thread_put(thread);
	size = min_u64(size, sizeof(mask));
	return copy_to_user(args->a[2], mask, size) != 0 ? -EFAULT : (int64_t)size;
}

int64_t syscall_sched_setaffinity(const struct syscall_args *args)
{
	uint64_t size = min_u64(args->a[1], MASK_BYTES), mask[MASK_BYTES / 8] = { 0 };
	uint64_t cpus[PISCES_CPU_WORDS] = { 0 }, any = 0;
	struct process *process = process_current();
	struct thread *thread;
	uint32_t number;
	unsigned int i;
	cpu_id_t cpu;

	if (copy_from_user(mask, args->a[2], size) != 0)
		return -EFAULT;
	FOR_EACH_ONLINE_CPU(cpu) {
		number = boot_block->cpus[cpu].linux_cpu;
		if (number < PISCES_MAX_CPUS && (mask[number / 64] >> (number % 64) & 1))
			cpus[cpu / 64] |= 1ull << (cpu % 64);
	}
	thread = find_thread((tid_t)args->a[0]);
	if (!thread)
		return -ESRCH;
	lock_take(&process->lock);
	/* Under the lock, under which a CPU that goes is taken out of the sets. */
	for (i = 0; i < PISCES_CPU_WORDS; i++) {
		cpus[i] &= process->cpus[i];
		any |= cpus[i];
	}
	if (any == 0) {
		lock_drop(&process->lock);
		thread_put(thread);
		return -EINVAL;
	}
	/* New CPUs first: at no time does the scheduler find the set empty. */
	for (i = 0; i < PISCES_CPU_WORDS; i++)
		__atomic_fetch_or(&thread->cpus[i], cpus[i], __ATOMIC_SEQ_CST);
	for (i = 0; i < PISCES_CPU_WORDS; i++)
		__atomic_store_n(&thread->cpus[i], cpus[i], __ATOMIC_SEQ_CST);
	lock_drop(&process->lock);
	/* It moves on its way to user mode, or when it wakes up. */
	sched_poke(thread);
	thread_put(thread);
	return 0;
}

int64_t syscall_getcpu(const struct syscall_args *args)
{
	uint32_t cpu = this_cpu()->linux_cpu, node = this_cpu()->node;

	if (args->a[0] && copy_to_user(args->a[0], &cpu, sizeof(cpu)) != 0)
		return -EFAULT;
	if (args->a[1] && copy_to_user(args->a[1], &node, sizeof(node)) != 0)
		return -EFAULT;
	return 0;
}
