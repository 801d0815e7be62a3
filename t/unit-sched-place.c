/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a thread goes, while another one changes the set of its CPUs. */
#include <pthread.h>
#include <time.h>

#include "tap.h"

#include "task/run_queue.h"
#include "task/sched.h"

#define CPUS 1024u

static struct run_queue queues[CPUS];
static struct cpu cpus[CPUS];
unsigned int cpu_count = CPUS;

struct cpu *cpu_get(cpu_id_t index)
{
	return &cpus[index];
}

cpu_id_t cpu_next_online(cpu_id_t index)
{
	return index < CPUS ? index : CPU_NONE;
}

void tlb_serve(void)
{
}

static void set_only(uint64_t *set, cpu_id_t cpu)
{
	unsigned int i;

	/* As sched_setaffinity(2) does: the new one first, so that it is never empty. */
	__atomic_fetch_or(&set[cpu / 64], 1ull << (cpu % 64), __ATOMIC_SEQ_CST);
	for (i = 0; i < PISCES_CPU_WORDS; i++)
		__atomic_store_n(&set[i], i == cpu / 64 ? 1ull << (cpu % 64) : 0,
				 __ATOMIC_SEQ_CST);
}

static void test_order(void)
{
	uint64_t set[PISCES_CPU_WORDS] = { 0 };

	set[0] = 0xf0;
	ok(sched_choose(set, 5) == 6, "of equals, the next one");
	queues[6].threads = 1;
	ok(sched_choose(set, 5) == 7, "the one with fewer threads");
	ok(sched_choose(set, 7) == 4, "around the end");
	queues[6].threads = 5;
	queues[6].idle = true;
	ok(sched_choose(set, 5) == 6, "an idle one before all others");
	ok(sched_choose(set, PISCES_MAX_CPUS - 1) == 6, "from wherever");
	queues[6] = (struct run_queue){ 0 };
}

static uint64_t moving[PISCES_CPU_WORDS];
static bool over;

static void *moves(void *unused)
{
	static const cpu_id_t places[] = { 0, 700, 300, 1000, 100 };
	unsigned int i;

	for (i = 0; !__atomic_load_n(&over, __ATOMIC_RELAXED); i++)
		set_only(moving, places[i % 5]);
	return unused;
}

/* It ends, and with one of those that the set has had. */
static void test_moving(void)
{
	unsigned int wrong = 0, looks, i;
	time_t until = time(NULL) + 2;
	pthread_t other;
	cpu_id_t chosen;

	set_only(moving, 0);
	pthread_create(&other, NULL, moves, NULL);
	for (looks = 0; time(NULL) < until; looks += i) {
		for (i = 0; i < 1000; i++) {
			chosen = sched_choose(moving, 500);
			wrong += chosen >= CPUS || chosen % 100 != 0;
		}
	}
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	pthread_join(other, NULL);
	ok(wrong == 0, "%u looks at a set that changes: always a CPU", looks);
}

int main(void)
{
	cpu_id_t cpu;

	for (cpu = 0; cpu < CPUS; cpu++) {
		cpus[cpu].index = cpu;
		cpus[cpu].run_queue = &queues[cpu];
	}
	test_order();
	test_moving();
	return done();
}
