/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a CPU that comes or goes is to the sets of processes and their threads. */
#include "task/cpu_sets.h"

#include "arch/cpu.h"
#include "lib/string.h"
#include "task/process.h"
#include "task/sched.h"
#include "task/thread.h"

struct change {
	cpu_id_t cpu;
	uint64_t before[PISCES_CPU_WORDS]; /* all CPUs online but CPU */
};

static void begin(struct change *change, cpu_id_t cpu)
{
	memcpy(change->before, cpu_online_set, sizeof(change->before));
	change->before[cpu / 64] &= ~(1ull << (cpu % 64));
	change->cpu = cpu;
}

static bool is_same(const uint64_t *a, const uint64_t *b)
{
	return memcmp(a, b, PISCES_CPU_WORDS * sizeof(*a)) == 0;
}

/* The scheduler reads sets at any time; it never finds one empty. */
static void set_add(uint64_t *set, cpu_id_t cpu)
{
	__atomic_fetch_or(&set[cpu / 64], 1ull << (cpu % 64), __ATOMIC_SEQ_CST);
}

static void set_remove(uint64_t *set, cpu_id_t cpu)
{
	__atomic_fetch_and(&set[cpu / 64], ~(1ull << (cpu % 64)), __ATOMIC_SEQ_CST);
}

static bool has_other(const uint64_t *set, cpu_id_t cpu)
{
	unsigned int i;
	uint64_t word;

	for (i = 0; i < PISCES_CPU_WORDS; i++) {
		word = set[i];
		if (i == cpu / 64)
			word &= ~(1ull << (cpu % 64));
		if (word)
			return true;
	}
	return false;
}

static bool came(struct process *process, void *argument)
{
	const struct change *change = argument;
	struct thread *thread;
	struct list *pos;

	lock_take(&process->lock);
	if (is_same(process->cpus, change->before)) {
		LIST_FOR_EACH(pos, &process->threads) {
			thread = LIST_ENTRY(pos, struct thread, process_link);
			if (is_same(thread->cpus, change->before))
				set_add(thread->cpus, change->cpu);
		}
		set_add(process->cpus, change->cpu);
	}
	lock_drop(&process->lock);
	return true;
}

void cpu_sets_add(cpu_id_t cpu)
{
	struct change change;

	begin(&change, cpu);
	process_for_each(came, &change);
}

/* An empty set is that of a task whose CPUs are still to be told: no reason to stay. */
static bool can_go(struct process *process, void *argument)
{
	const struct change *change = argument;
	cpu_id_t cpu = change->cpu;

	return !(process->cpus[cpu / 64] >> (cpu % 64) & 1) || has_other(process->cpus, cpu);
}

static void leave(struct thread *thread, cpu_id_t cpu)
{
	const uint64_t *all = thread->process->cpus;
	unsigned int i;

	if (!has_other(thread->cpus, cpu)) {
		for (i = 0; i < PISCES_CPU_WORDS; i++)
			__atomic_fetch_or(&thread->cpus[i], all[i], __ATOMIC_SEQ_CST);
	}
	set_remove(thread->cpus, cpu);
}

static bool goes(struct process *process, void *argument)
{
	const struct change *change = argument;
	struct list *pos;

	lock_take(&process->lock);
	set_remove(process->cpus, change->cpu);
	LIST_FOR_EACH(pos, &process->threads)
		leave(LIST_ENTRY(pos, struct thread, process_link), change->cpu);
	lock_drop(&process->lock);
	return true;
}

bool cpu_sets_remove(cpu_id_t cpu)
{
	struct change change;

	/* Sets of processes change only here and by messages, which one CPU serves. */
	begin(&change, cpu);
	if (!process_for_each(can_go, &change))
		return false;
	process_for_each(goes, &change);
	return true;
}
