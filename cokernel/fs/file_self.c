/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of /proc about the program and its threads. */
#include "arch/time.h"
#include "arch/user.h"
#include "boot/boot.h"
#include "fs/files.h"
#include "lib/string.h"
#include "mm/aspace.h"
#include "mm/heap.h"
#include "task/process.h"
#include "task/sched.h"
#include "task/thread.h"

#define TICK (NSEC_PER_SEC / 100)

static void add_region(user_addr_t start, user_addr_t end, unsigned int prot, void *argument)
{
	user_addr_t stack = process_current()->stack_top;
	const char *name = stack > start && stack <= end ? "[stack]" : "";

	text_add(argument, "%012lx-%012lx %c%c%cp 00000000 00:00 0 %26s\n", start, end,
		 prot & ASPACE_READ ? 'r' : '-', prot & ASPACE_WRITE ? 'w' : '-',
		 prot & ASPACE_EXEC ? 'x' : '-', name);
}

WRITER(self_maps)
{
	(void)number;
	aspace_for_each(process_current()->aspace, add_region, text);
}

/* What there is at FROM up to END of the program's memory, as its start left it. */
static void add_user_bytes(struct text *text, user_addr_t from, user_addr_t end)
{
	char piece[256];
	uint64_t size;

	for (; from < end; from += size) {
		size = min_u64(end - from, sizeof(piece));
		if (copy_from_user(piece, from, size) != 0)
			return;
		text_add_bytes(text, piece, size);
	}
}

WRITER(self_cmdline)
{
	struct process *process = process_current();

	(void)number;
	add_user_bytes(text, process->arguments, process->environment);
}

WRITER(self_environ)
{
	struct process *process = process_current();

	(void)number;
	add_user_bytes(text, process->environment, process->environment_end);
}

/* ---- of one thread: the one of NUMBER, or the first one ---- */

static struct thread *find(tid_t tid)
{
	struct thread *self = thread_current(), *thread = thread_find(tid);

	if (thread && thread->process == self->process)
		return thread;
	/* It has ended since its file was opened: rare, and the caller is as good. */
	if (thread)
		thread_put(thread);
	thread_get(self);
	return self;
}

/* Numbers of CPUs that THREAD may run on. */
static struct numbers allowed(const struct thread *thread)
{
	struct numbers set = { { 0 } };
	uint32_t number;
	cpu_id_t cpu;

	for (number = tree_number_next(TREE_CPU, 0); number != UINT32_MAX;
	     number = tree_number_next(TREE_CPU, number + 1)) {
		cpu = cpu_of_number(number);
		if (thread->cpus[cpu / 64] >> (cpu % 64) & 1)
			numbers_add_cpu(&set, cpu);
	}
	return set;
}

static void add_nodes(struct text *text)
{
	const uint32_t none[TREE_NUMBERS] = { 0 };
	uint64_t mask = 0;
	uint32_t node;

	for (node = tree_number_next(TREE_NODE, 0); node != UINT32_MAX;
	     node = tree_number_next(TREE_NODE, node + 1))
		mask |= 1ull << node;
	text_add(text, "Mems_allowed:\t%08x,%08x\n", (uint32_t)(mask >> 32), (uint32_t)mask);
	text_add(text, "Mems_allowed_list:\t");
	write_nodes(text, none);
}

static void add_status(struct text *text, tid_t tid)
{
	struct process *process = process_current();
	struct thread *thread = find(tid);
	struct numbers cpus = allowed(thread);
	unsigned int i;

	text_add(text, "Name:\t%s\n", thread->name);
	text_add(text, "Umask:\t0022\n");
	text_add(text, "State:\tR (running)\n");
	text_add(text, "Tgid:\t%u\nNgid:\t0\nPid:\t%u\nPPid:\t0\nTracerPid:\t0\n", process->pid,
		 thread->tid);
	text_add(text, "Uid:");
	for (i = 0; i < 4; i++)
		text_add(text, "\t%u", process->uid);
	text_add(text, "\nGid:");
	for (i = 0; i < 4; i++)
		text_add(text, "\t%u", process->gid);
	text_add(text, "\nFDSize:\t1024\n");
	text_add(text, "VmPeak:\t%8lu kB\n", aspace_reserved(process->aspace) / 1024);
	text_add(text, "VmSize:\t%8lu kB\n", aspace_reserved(process->aspace) / 1024);
	text_add(text, "VmHWM:\t%8lu kB\n", aspace_peak(process->aspace) / 1024);
	text_add(text, "VmRSS:\t%8lu kB\n", aspace_resident(process->aspace) / 1024);
	text_add(text, "VmSwap:\t%8u kB\n", 0);
	text_add(text, "Threads:\t%u\n", process->thread_count);
	text_add(text, "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\n",
		 thread->signals.pending.set, process->pending.set, thread->signals.blocked);
	text_add(text, "CapInh:\t%016x\nCapPrm:\t%016x\nCapEff:\t%016x\n", 0, 0, 0);
	text_add(text, "Seccomp:\t0\n");
	text_add(text, "Cpus_allowed:\t");
	numbers_write_map(text, &cpus);
	text_add(text, "Cpus_allowed_list:\t");
	numbers_write_list(text, &cpus);
	add_nodes(text);
	text_add(text, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t0\n",
		 thread->switches);
	thread_put(thread);
}

WRITER(self_status)
{
	(void)number;
	add_status(text, process_current()->pid);
}

WRITER(thread_status)
{
	add_status(text, number[0]);
}

/* The 52 fields of proc(5); those about what no enclave has are 0. */
static void add_stat(struct text *text, tid_t tid, bool whole_process)
{
	struct process *process = process_current();
	struct thread *thread = find(tid);
	uint64_t used = whole_process ? process_cpu_time(process) : sched_cpu_time(thread);
	uint64_t start = process->start_time / TICK, pages = aspace_resident(process->aspace);
	unsigned int i;

	used /= TICK;
	pages /= PAGE_SIZE;

	text_add(text, "%u (%s) R 0 %u %u 0 -1 0 ", thread->tid, thread->name, process->pid,
		 process->pid);
	text_add(text, "0 0 0 0 %lu 0 0 0 20 %d %u 0 ", used, thread->nice,
		 process->thread_count);
	text_add(text, "%lu %lu %lu %lu ", start,
		 aspace_reserved(process->aspace), pages, UINT64_MAX);
	/* Where code, stack and instruction pointer are, signals, where it waits. */
	for (i = 26; i < 38; i++)
		text_add(text, "0 ");
	text_add(text, "17 %u 0 0 0 0 0 ", boot_block->cpus[thread->cpu].linux_cpu);
	for (i = 45; i < 52; i++)
		text_add(text, "0 ");
	text_add(text, "0\n");
	thread_put(thread);
}

WRITER(self_stat)
{
	(void)number;
	add_stat(text, process_current()->pid, true);
}

WRITER(thread_stat)
{
	add_stat(text, number[0], false);
}

WRITER(thread_comm)
{
	struct thread *thread = find(number[0]);

	text_add(text, "%s\n", thread->name);
	thread_put(thread);
}

WRITER(self_comm)
{
	const uint32_t first[TREE_NUMBERS] = { process_current()->pid };

	(void)number;
	write_thread_comm(text, first);
}
