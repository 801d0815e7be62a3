/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hostile program: random system calls with bad arguments from several threads, while
 * the memory that they point at comes and goes.
 *
 *   fuzz-calls [--seed=N] [--calls=N] [--threads=N] [--unknown] [--counts] [--witness]
 *
 * --unknown also makes calls by numbers that are not in the table (rows.c): in an enclave
 * these are refused, on Linux they are not. --counts prints how often each call was
 * done and refused. With --witness the first task of the step (PISCES_TASK_ID) is a witness:
 * its memory must stay as it is while the others do all that.
 *
 * Calls that wait are interrupted by SIGUSR1. Exit code 1: a call did not return, or
 * one told an address of the co-kernel. The program ends by exit_group(2) in the middle
 * of its threads' calls.
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "../chance.h"
#include "fuzz.h"

#define THREADS_MAX 16u
#define HANG_S 60
#define NUDGE_MS 20 /* a call that takes longer waits for something */
#define POPULATE_MOST (16ul << 20)

enum { BLIND_MAP_FLAGS = MAP_POPULATE | MAP_LOCKED };

static unsigned long seed = 1, calls = 30000;
static unsigned int threads = 3;
static bool unknown, counts, witness;
static atomic_uint *beats;

static struct worker {
	atomic_ulong done;
	atomic_uint row; /* row_count: none of the table */
	atomic_int tid;
} workers[THREADS_MAX];

static atomic_ulong good[256], bad[256], faults, frames_bad, threads_made;
static __thread sigjmp_buf back;

static void on_signal(int number)
{
	(void)number;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info, (void)context;
	__builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() & ~0x40000ull);
	atomic_fetch_add(&faults, 1);
	siglongjmp(back, 1);
}

static void handle_signals(void)
{
	static const int of_faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
	struct sigaction action = { .sa_handler = on_signal };

	/*
	 * None restarts a call. Their frames are large, so they do not pile up, and never
	 * where return_from_nothing() has its stack.
	 */
	sigfillset(&action.sa_mask);
	action.sa_flags = SA_ONSTACK;
	for (int i = 1; i <= 64; i++)
		sigaction(i, &action, NULL);
	action.sa_sigaction = on_fault;
	action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
	for (size_t i = 0; i < sizeof(of_faults) / sizeof(of_faults[0]); i++)
		sigaction(of_faults[i], &action, NULL);
}

static long raw(long number, const uint64_t a[6])
{
	register uint64_t r10 __asm__("r10") = a[3];
	register uint64_t r8 __asm__("r8") = a[4];
	register uint64_t r9 __asm__("r9") = a[5];
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

/* A thread by random flags, whose stack and TLS are rubbish: it only ends itself. */
static void make_thread(void)
{
	static const uint64_t needed = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
	sigset_t all, before;
	long result;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	{
		uint64_t a[6];

		make_arguments("fbbbb", a);
		/*
		 * vfork(2) would stop this thread, without CLONE_VM it would be fork(2), and the
		 * lowest byte is a signal for the parent. A stack at no address is death.
		 */
		a[0] &= ~((uint64_t)CLONE_VFORK | CSIGNAL);
		a[0] |= one_in(4) ? CLONE_VM : needed;
		if ((int64_t)(a[1] << 16) >> 16 != (int64_t)a[1])
			a[1] = 0;
		register uint64_t r10 __asm__("r10") = a[3];
		register uint64_t r8 __asm__("r8") = a[4];
		__asm__ volatile("syscall\n\t"
				 "test %%rax, %%rax\n\t"
				 "jnz 1f\n\t"
				 "mov $60, %%eax\n\t"
				 "xor %%edi, %%edi\n\t"
				 "syscall\n\t"
				 "hlt\n"
				 "1:"
				 : "=a"(result)
				 : "a"(SYS_clone), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8)
				 : "rcx", "r11", "memory", "cc");
	}
	if (result > 0)
		atomic_fetch_add(&threads_made, 1);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* rt_sigreturn(2) from a frame that is rubbish, but opens the signals of its faults. */
static void return_from_nothing(void)
{
	static __thread uint64_t frame[512];
	uint64_t a[6], top;

	for (unsigned int i = 0; i < 512; i++)
		frame[i] = one_in(3) ? odd_number() : 0;
	/* ucontext: RIP and the mask are where the ABI says */
	ucontext_t *context = (ucontext_t *)frame;

	make_arguments("b", a);
	top = a[0];
	context->uc_mcontext.gregs[REG_RIP] = (long)(one_in(2) ? top : odd_number() | 1ull << 47);
	context->uc_mcontext.fpregs = (void *)(one_in(2) ? (uint64_t)(frame + 256) : top);
	memset(&context->uc_sigmask, 0, sizeof(context->uc_sigmask));
	context->uc_stack = (stack_t){ .ss_flags = SS_DISABLE | 1 << 20 };
	atomic_fetch_add(&frames_bad, 1);
	if (sigsetjmp(back, 1) != 0)
		return;
	__asm__ volatile("mov %0, %%rsp\n\tmov $15, %%eax\n\tsyscall\n\tud2" : : "r"(frame) : "memory");
	__builtin_unreachable();
}

static void by_row(struct worker *self, unsigned int at)
{
	const struct row *row = &rows[at];
	uint64_t a[6];
	long result;

	make_arguments(row->arguments, a);
	if (row->number == SYS_mmap && a[1] > POPULATE_MOST)
		a[3] &= ~(uint64_t)BLIND_MAP_FLAGS;
	atomic_store(&self->row, at);
	result = raw(row->number, a);
	atomic_fetch_add(result < 0 && result > -4096 ? &bad[at] : &good[at], 1);
	if (result > 0 && row->number == SYS_mmap)
		memory_drop((uint64_t)result, a[1]);
	if (result > 0 && row->number == SYS_mremap)
		memory_drop((uint64_t)result, a[2]);
}

static void by_number(struct worker *self)
{
	uint64_t a[6];
	uint32_t number = one_in(4) ? (uint32_t)odd_number() : below(512);
	long result;

	if (is_known(number))
		return;
	make_arguments("bibnfb", a);
	atomic_store(&self->row, row_count);
	result = raw((long)number, a);
	atomic_fetch_add(result < 0 ? &bad[row_count] : &good[row_count], 1);
}

static void *work(void *argument)
{
	struct worker *self = argument;
	stack_t stack = { .ss_size = 256 * 1024 };

	chance = seed * 1000 + (uint64_t)(self - workers);
	stack.ss_sp = mmap(NULL, stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	sigaltstack(&stack, NULL);
	atomic_store(&self->tid, (int)syscall(SYS_gettid));
	for (;;) {
		if (sigsetjmp(back, 1) == 0) {
			if (one_in(16))
				memory_fill();
			if (one_in(64))
				memory_change();
			if (one_in(200))
				make_thread();
			else if (one_in(200))
				return_from_nothing();
			else if (unknown && one_in(20))
				by_number(self);
			else
				by_row(self, below(row_count));
		}
		/* Descriptors pile up, since the calls that make them are many */
		if (self == workers && one_in(1000))
			close_range(3, ~0u, 0);
		atomic_fetch_add(&self->done, 1);
	}
	return NULL;
}

/* Until so many calls are done; nudges those that wait. False: one hangs. */
static bool watch(void)
{
	const struct timespec nudge = { 0, NUDGE_MS * 1000000l };
	unsigned long seen[THREADS_MAX] = { 0 }, sum;
	unsigned int still[THREADS_MAX] = { 0 };

	do {
		nanosleep(&nudge, NULL);
		sum = 0;
		if (beats != NULL)
			atomic_fetch_add(beats, 1);
		for (unsigned int i = 0; i < threads; i++) {
			unsigned long done = atomic_load(&workers[i].done);
			unsigned int row = atomic_load(&workers[i].row);

			sum += done;
			if (done != seen[i]) {
				seen[i] = done;
				still[i] = 0;
				continue;
			}
			syscall(SYS_tgkill, getpid(), atomic_load(&workers[i].tid), SIGUSR1);
			if (++still[i] >= HANG_S * 1000 / NUDGE_MS) {
				printf("%s does not return\n", row < row_count ? rows[row].name : "?");
				return false;
			}
		}
	} while (sum < calls);
	return true;
}

static void parse(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "calls", required_argument, NULL, 'c' },
		{ "threads", required_argument, NULL, 't' },
		{ "unknown", no_argument, NULL, 'u' },
		{ "counts", no_argument, NULL, 'n' },
		{ "witness", no_argument, NULL, 'w' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's')
			seed = strtoul(optarg, NULL, 0);
		else if (option == 'c')
			calls = strtoul(optarg, NULL, 0);
		else if (option == 't')
			threads = (unsigned int)strtoul(optarg, NULL, 0);
		else if (option == 'u')
			unknown = true;
		else if (option == 'n')
			counts = true;
		else if (option == 'w')
			witness = true;
		else
			exit(2);
	}
	if (threads == 0 || threads > THREADS_MAX)
		exit(2);
}

int main(int argc, char *argv[])
{
	unsigned long done = 0;
	unsigned int leaks;
	bool returned;

	parse(argc, argv);
	if (witness) {
		const char *rank = getenv("PISCES_TASK_ID");
		bool is_witness = rank != NULL && atoi(rank) == 0;

		beats = witness_page(is_witness);
		if (beats == NULL) {
			perror("witness");
			return 2;
		}
		if (is_witness)
			return witness_watch(beats);
	}
	handle_signals();
	if (!memory_make()) {
		perror("mmap");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (unsigned int i = 0; i < threads; i++) {
		pthread_t thread;

		atomic_store(&workers[i].row, row_count);
		if (pthread_create(&thread, NULL, work, &workers[i]) != 0) {
			perror("pthread_create");
			return 2;
		}
	}
	returned = watch();
	if (beats != NULL)
		atomic_store(beats, WITNESS_OVER);
	leaks = memory_leaks();
	for (unsigned int i = 0; i < threads; i++)
		done += atomic_load(&workers[i].done);
	printf("seed %lu: %lu calls, %lu faults, %lu threads, %lu bad frames, %u words like addresses "
	       "of the kernel\n",
	       seed, done, atomic_load(&faults), atomic_load(&threads_made), atomic_load(&frames_bad),
	       leaks);
	for (unsigned int i = 0; counts && i <= row_count; i++)
		printf("%-24s %8lu done %8lu refused\n", i < row_count ? rows[i].name : "(unknown)",
		       atomic_load(&good[i]), atomic_load(&bad[i]));
	fflush(stdout);
	syscall(SYS_exit_group, returned && leaks == 0 ? 0 : 1);
	return 1;
}
