/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads as the C library makes them out of calls: futexes, affinity, policies. */
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "calls.h"

static uint32_t word, second;

static void futexes(void)
{
	struct timespec span = { 0, 10000000 }, wrong = { 0, -1 }, past = { 0, 1 };

	part("futex");
	TRY(futex, &word, FUTEX_WAIT, 1, NULL, NULL, 0);
	TRY(futex, &word, FUTEX_WAIT, 0, &span, NULL, 0);
	TRY(futex, &word, FUTEX_WAIT, 0, &wrong, NULL, 0);
	TRY(futex, &word, FUTEX_WAIT, 0, BAD, NULL, 0);
	TRY(futex, BAD, FUTEX_WAIT, 0, &span, NULL, 0);
	TRY(futex, (char *)&word + 1, FUTEX_WAIT, 0, &span, NULL, 0);
	TRY(futex, KERNEL, FUTEX_WAIT, 0, &span, NULL, 0);
	TRY(futex, &word, FUTEX_WAIT_BITSET, 0, &past, NULL, 1);
	TRY(futex, &word, FUTEX_WAIT_BITSET, 0, &past, NULL, 0);
	TRY(futex, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &past, NULL, 1);
	TRY(futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0);
	TRY(futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	TRY(futex, BAD, FUTEX_WAKE, 1, NULL, NULL, 0);
	TRY(futex, &word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0);
	TRY(futex, &word, FUTEX_REQUEUE, 1, 1, &second, 0);
	TRY(futex, &word, FUTEX_CMP_REQUEUE, 1, 1, &second, 7);
	TRY(futex, &word, FUTEX_CMP_REQUEUE, 1, 1, &second, 0);
	TRY(futex, &word, FUTEX_CMP_REQUEUE, 1, 1, BAD, 0);
	TRY(futex, &word, FUTEX_CMP_REQUEUE, -1, 1, &second, 0);
	TRY(futex, &word, FUTEX_WAKE_OP, 1, 1, &second, FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_EQ, 0));
	SHOW(second);
	TRY(futex, &word, FUTEX_WAKE_OP, 1, 1, BAD, 0);
	TRY(futex, &word, 99, 1, NULL, NULL, 0);

	part("locks with an owner");
	word = 0;
	TRY(futex, &word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
	SHOW(word == (uint32_t)gettid());
	TRY(futex, &word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
	TRY(futex, &word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0);
	TRY(futex, &word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
	SHOW(word);
	TRY(futex, &word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
	TRY(futex, &word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0);
	TRY(futex, &word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
	TRY(futex, BAD, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
	TRY(futex, BAD, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
}

static pthread_mutex_t mutex;
static pthread_barrier_t both;
static int count;

static void *dies_with_it(void *unused)
{
	pthread_mutex_lock(&mutex);
	return unused;
}

static void *counts(void *unused)
{
	int i;

	pthread_barrier_wait(&both);
	for (i = 0; i < 2000; i++) {
		pthread_mutex_lock(&mutex);
		count++;
		pthread_mutex_unlock(&mutex);
	}
	return unused;
}

static void mutexes(int protocol, int robust)
{
	pthread_mutexattr_t attributes;
	struct timespec soon;
	pthread_t threads[4];
	int i;

	printf("-- mutex: protocol %d, robust %d\n", protocol, robust);
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setprotocol(&attributes, protocol);
	pthread_mutexattr_setrobust(&attributes, robust);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&mutex, &attributes);
	count = 0;
	pthread_barrier_init(&both, NULL, 4);
	for (i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, counts, NULL);
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&both);
	SHOW(count);
	SHOW(pthread_mutex_lock(&mutex));
	SHOW(pthread_mutex_lock(&mutex));
	SHOW(pthread_mutex_unlock(&mutex));
	SHOW(pthread_mutex_unlock(&mutex));
	if (robust == PTHREAD_MUTEX_ROBUST) {
		pthread_create(&threads[0], NULL, dies_with_it, NULL);
		pthread_join(threads[0], NULL);
		SHOW(pthread_mutex_lock(&mutex));
		SHOW(pthread_mutex_consistent(&mutex));
		SHOW(pthread_mutex_unlock(&mutex));
		SHOW(pthread_mutex_lock(&mutex));
		SHOW(pthread_mutex_unlock(&mutex));
	} else {
		pthread_mutex_lock(&mutex);
		clock_gettime(CLOCK_REALTIME, &soon);
		SHOW(pthread_mutex_timedlock(&mutex, &soon));
		pthread_mutex_unlock(&mutex);
	}
	pthread_mutex_destroy(&mutex);
}

static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn;

static void *takes_turns(void *own)
{
	int i;

	for (i = 0; i < 500; i++) {
		pthread_mutex_lock(&plain);
		while (turn % 3 != (int)(intptr_t)own)
			pthread_cond_wait(&changed, &plain);
		turn++;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&plain);
	}
	return NULL;
}

static void conditions(void)
{
	pthread_t threads[3];
	struct timespec past = { 1, 0 };
	int i;

	part("conditions");
	for (i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, takes_turns, (void *)(intptr_t)i);
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	SHOW(turn);
	pthread_mutex_lock(&plain);
	SHOW(pthread_cond_timedwait(&changed, &plain, &past));
	pthread_mutex_unlock(&plain);
}

static void lists(void)
{
	struct robust_list_head *head;
	size_t size;

	part("robust lists");
	TRY(set_robust_list, NULL, 5);
	TRY(get_robust_list, 0, &head, &size);
	SHOW(size);
	TRY(get_robust_list, 0, BAD, &size);
	TRY(get_robust_list, 0x3ffffff, &head, &size);
}

static void affinity(void)
{
	unsigned long mask[16] = { 0 }, none[16] = { 0 };
	unsigned int cpu = 99, node = 99;
	cpu_set_t set;

	part("affinity");
	TRY(sched_getaffinity, 0, 3, mask);
	TRY(sched_getaffinity, 0, 0, mask);
	TRY(sched_getaffinity, 0x3ffffff, sizeof(mask), mask);
	TRY(sched_getaffinity, 0, sizeof(mask), BAD);
	TRY_ANY(sched_getaffinity, 0, sizeof(mask), mask);
	TRY(sched_setaffinity, 0, sizeof(mask), mask);
	TRY(sched_setaffinity, 0, sizeof(none), none);
	TRY(sched_setaffinity, 0, sizeof(mask), BAD);
	TRY(sched_setaffinity, 0x3ffffff, sizeof(mask), mask);
	TRY(getcpu, &cpu, &node, NULL);
	SHOW(mask[cpu / 64] >> (cpu % 64) & 1);
	SHOW(node < 8);
	TRY(getcpu, NULL, NULL, NULL);
	TRY(getcpu, BAD, NULL, NULL);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	TRY(sched_setaffinity, 0, sizeof(set), &set);
	SHOW(sched_getcpu() == (int)cpu);
	SHOW(sched_getaffinity(0, sizeof(set), &set));
	SHOW(CPU_COUNT(&set));
	/* The C library knows from its rseq where a thread is, without a call. */
	for (cpu = 0, node = 0; cpu < 1024; cpu++) {
		if (!(mask[cpu / 64] >> (cpu % 64) & 1))
			continue;
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		node += sched_setaffinity(0, sizeof(set), &set) != 0 || sched_getcpu() != (int)cpu;
	}
	SHOW(node);
	TRY(sched_setaffinity, 0, sizeof(mask), mask);
}

struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t times[3];
};

static void policies(void)
{
	struct sched_param zero = { 0 }, ten = { 10 };
	struct attributes attributes = { .size = sizeof(attributes) };
	struct timespec slice;
	int policy;

	part("policies");
	/* 7 is SCHED_EXT, of kernels after 6.11 */
	for (policy = -1; policy < 7; policy++) {
		printf("policy %d\n", policy);
		TRY(sched_get_priority_max, policy);
		TRY(sched_get_priority_min, policy);
	}
	TRY(sched_getscheduler, 0);
	TRY(sched_getscheduler, -1);
	TRY(sched_getscheduler, 0x3ffffff);
	TRY(sched_setscheduler, 0, SCHED_OTHER, &zero);
	TRY(sched_setscheduler, 0, SCHED_OTHER, &ten);
	TRY(sched_setscheduler, 0, SCHED_FIFO, &ten);
	TRY(sched_setscheduler, 0, SCHED_FIFO, &zero);
	TRY(sched_setscheduler, 0, SCHED_OTHER, NULL);
	TRY(sched_setscheduler, 0, SCHED_OTHER, BAD);
	TRY(sched_setscheduler, 0, 77, &zero);
	TRY(sched_setscheduler, 0x3ffffff, SCHED_OTHER, &zero);
	TRY(sched_setscheduler, 0, SCHED_BATCH, &zero);
	TRY(sched_getscheduler, 0);
	TRY(sched_setscheduler, 0, SCHED_OTHER, &zero);
	TRY(sched_setparam, 0, &zero);
	TRY(sched_setparam, 0, &ten);
	TRY(sched_setparam, 0, NULL);
	TRY(sched_getparam, 0, &ten);
	SHOW(ten.sched_priority);
	TRY(sched_getparam, 0, NULL);
	TRY(sched_getattr, 0, &attributes, sizeof(attributes), 0);
	SHOW(attributes.policy);
	SHOW(attributes.nice);
	TRY(sched_getattr, 0, &attributes, 3, 0);
	TRY(sched_getattr, 0, &attributes, sizeof(attributes), 1);
	TRY(sched_getattr, 0, NULL, sizeof(attributes), 0);
	attributes.size = sizeof(attributes);
	TRY(sched_setattr, 0, &attributes, 0);
	TRY(sched_setattr, 0, NULL, 0);
	TRY(sched_setattr, 0, BAD, 0);
	TRY(sched_setattr, 0, &attributes, 1);
	attributes.policy = SCHED_RR;
	attributes.priority = 5;
	TRY(sched_setattr, 0, &attributes, 0);
	TRY(sched_rr_get_interval, 0, &slice);
	TRY(sched_rr_get_interval, -1, &slice);
	TRY(sched_rr_get_interval, 0, BAD);

	part("nice");
	TRY(getpriority, PRIO_PROCESS, 0);
	TRY(getpriority, 7, 0);
	TRY(getpriority, PRIO_PROCESS, 0x3ffffff);
	TRY(setpriority, PRIO_PROCESS, 0, 5);
	TRY(getpriority, PRIO_PROCESS, 0);
	TRY(setpriority, PRIO_PROCESS, 0, 100);
	TRY(getpriority, PRIO_PROCESS, 0);
	TRY(setpriority, PRIO_PROCESS, 0, -5);
	TRY(setpriority, 7, 0, 5);
	TRY(setpriority, PRIO_PROCESS, 0x3ffffff, 5);
}

static void barriers(void)
{
	part("membarrier");
	TRY(membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
	TRY(membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
	TRY(membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
	TRY(membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	TRY(membarrier, MEMBARRIER_CMD_GLOBAL, 1, 0);
	TRY(membarrier, 12345, 0, 0);
	TRY(sched_yield);
}

struct rseq_area {
	uint32_t cpu_id_start, cpu_id;
	uint64_t sequence;
	uint32_t flags, pad[3];
} __attribute__((aligned(32)));

static void *registers(void *unused)
{
	static struct rseq_area area = { .cpu_id = -1 };
	struct rseq_area *own = &area;
	unsigned int cpu;

	/* The C library has registered one of its own: that is known by its address only. */
	TRY(rseq, own, sizeof(*own), 0, 1234);
	TRY(rseq, (char *)own + 4, sizeof(*own), 0, 1234);
	TRY(rseq, own, 16, 0, 1234);
	TRY(rseq, own, sizeof(*own), 77, 1234);
	TRY(rseq, own, sizeof(*own), 1, 1234);
	getcpu(&cpu, NULL);
	SHOW(sched_getcpu() == (int)cpu);
	return unused;
}

static volatile int alarms, enough;

static void on_alarm(int signal)
{
	(void)signal;
	if (++alarms == 20)
		enough = 1;
}

/* struct rseq_cs */
static struct {
	uint32_t version, flags;
	uint64_t start, size, abort;
} sequence __attribute__((aligned(32)));

/* A sequence that lasts until a signal comes: that sends it to its abort handler. */
static void aborts(void)
{
	struct rseq_area *own = (void *)((char *)__builtin_thread_pointer() + __rseq_offset);
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval period = { { 0, 20000 }, { 0, 20000 } }, off = { { 0, 0 }, { 0, 0 } };
	long aborted;

	part("a restartable sequence");
	SHOW(__rseq_size > 0);
	if (__rseq_size == 0)
		return;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &period, NULL);
	__asm__ volatile("	lea	1f(%%rip), %%rax\n"
			 "	mov	%%rax, 8(%[sequence])\n"
			 "	lea	2f(%%rip), %%rcx\n"
			 "	sub	%%rax, %%rcx\n"
			 "	mov	%%rcx, 16(%[sequence])\n"
			 "	lea	3f(%%rip), %%rax\n"
			 "	mov	%%rax, 24(%[sequence])\n"
			 "	mov	%[sequence], 8(%[own])\n"
			 "1:	pause\n"
			 "	cmpl	$0, %[enough]\n"
			 "	je	1b\n"
			 "2:	mov	$0, %[aborted]\n"
			 "	jmp	4f\n"
			 "	.long	0x53053053\n"
			 "3:	mov	$1, %[aborted]\n"
			 "4:\n"
			 : [aborted] "=&r"(aborted)
			 : [sequence] "r"(&sequence), [own] "r"(own), [enough] "m"(enough)
			 : "rax", "rcx", "memory", "cc");
	setitimer(ITIMER_REAL, &off, NULL);
	SHOW(aborted);
	SHOW(own->sequence);
}

static void children(void)
{
	siginfo_t info;

	part("no children");
	TRY(wait4, -1, NULL, 0, NULL);
	TRY(wait4, -1, NULL, WNOHANG, NULL);
	TRY(waitid, P_ALL, 0, &info, WEXITED, NULL);
	TRY(tgkill, getpid(), gettid(), 0);
	TRY(tgkill, getpid(), 0x3ffffff, 0);
	TRY(tgkill, getpid(), gettid(), 99);
	TRY(tkill, -1, 0);
}

int main(void)
{
	futexes();
	mutexes(PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED);
	mutexes(PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST);
	mutexes(PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED);
	mutexes(PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_ROBUST);
	conditions();
	lists();
	affinity();
	policies();
	barriers();
	part("rseq");
	registers(NULL);
	aborts();
	children();
	return 0;
}
