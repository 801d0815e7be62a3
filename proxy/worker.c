/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cancelling a call, without a window. A place is FREE, then QUEUED, then
 * RUNNING, then FREE again, and changes only under the lock. To cancel a call,
 * the main thread sets its `cancelled`; if it is RUNNING, a signal is sent to
 * the worker, under the lock, so that the worker cannot begin another call in
 * between. The signal finds the worker
 *   - before the system call: its handler goes round it (interruptible.c);
 *   - sleeping in it: the kernel ends it with EINTR, or, since the handler has
 *     SA_RESTART, sets it up again, and the handler goes round it;
 *   - after it: the result is kept.
 * A worker that finds its call cancelled when it is done waits until the handler
 * has run, so that no late signal cuts a later call short. A call that must have begun
 * (connect) is not gone round before: the signal is sent again until the call has ended.
 */
#include "worker.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <sys/syscall.h>

#include "interruptible.h"
#include "message.h"

/* No call needs more; places of PISCES_CHANNEL_CALLS threads add up. */
#define STACK_SIZE 0x20000

#define CLOSE_LIMIT_S 2

enum place_state {
	PLACE_FREE = 0,
	PLACE_TAKEN, /* the main thread fills it */
	PLACE_QUEUED,
	PLACE_RUNNING,
};

struct place {
	struct call call; /* first: a call is its place */
	enum place_state state;
	struct place *next;    /* in the queue */
	pid_t thread;	       /* RUNNING: who executes it */
	int signalled;	       /* how many signals were sent for it */
	volatile sig_atomic_t arrived; /* and how often the handler has run */
};

static struct place places[PISCES_CHANNEL_CALLS];
#define ALL_PLACES ((1ull << PISCES_CHANNEL_CALLS) - 1)
_Static_assert(PISCES_CHANNEL_CALLS < 64, "a bit for each place");

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static pthread_cond_t finished = PTHREAD_COND_INITIALIZER;
static uint64_t taken; /* a bit for each that is not FREE */
static struct place *queue, **queue_end = &queue;
static unsigned int threads, idle, queued, running;
static struct channel *to_channel;
static bool cancelling; /* the main thread's: maybe a call is cancelled and has not ended */

static __thread struct place *own_place;

int worker_signal(void)
{
	return SIGRTMAX;
}

static void on_signal(int number, siginfo_t *info, void *context)
{
	greg_t *gregs = ((ucontext_t *)context)->uc_mcontext.gregs, *ip = &gregs[REG_RIP];
	struct place *place = own_place;

	(void)number;
	if (!place || !__atomic_load_n(&place->call.cancelled, __ATOMIC_ACQUIRE))
		return;
	/* One that came too early is sent again. */
	if (place->call.cancel == CANCEL_ANY_TIME ||
	    interruptible_has_begun((uintptr_t)*ip, (uintptr_t)gregs[REG_RCX]))
		*ip = (greg_t)interruptible_resume((uintptr_t)*ip);
	if (info->si_code == SI_TKILL && info->si_pid == getpid())
		place->arrived++;
}

void worker_open(struct channel *channel)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART };

	to_channel = channel;
	sigfillset(&action.sa_mask);
	sigaction(worker_signal(), &action, NULL);
}

/* Under the lock. */
static void free_place(struct place *place)
{
	place->state = PLACE_FREE;
	taken &= ~(1ull << (place - places));
}

static void execute(struct place *place)
{
	int64_t result;
	uint64_t tag;

	result = call_execute(&place->call);
	tag = place->call.tag;

	pthread_mutex_lock(&lock);
	while (place->arrived < place->signalled) {
		pthread_mutex_unlock(&lock);
		sched_yield();
		pthread_mutex_lock(&lock);
	}
	own_place = NULL;
	/* Free before the reply: the co-kernel may answer that with the next call. */
	free_place(place);
	pthread_mutex_unlock(&lock);

	channel_reply(to_channel, tag, result);
}

static void *worker(void *unused)
{
	sigset_t own;

	sigemptyset(&own);
	sigaddset(&own, worker_signal());
	pthread_sigmask(SIG_UNBLOCK, &own, NULL);

	pthread_mutex_lock(&lock);
	for (;;) {
		struct place *place = queue;

		if (!place) {
			idle++;
			pthread_cond_wait(&work, &lock);
			idle--;
			continue;
		}
		queue = place->next;
		if (!queue)
			queue_end = &queue;
		queued--;
		place->state = PLACE_RUNNING;
		place->thread = gettid();
		/* Before the lock is given back: from then on the signal may come. */
		own_place = place;
		running++;
		pthread_mutex_unlock(&lock);

		execute(place);

		pthread_mutex_lock(&lock);
		running--;
		pthread_cond_signal(&finished);
	}
	return unused;
}

struct call *worker_take_call(uint64_t tag)
{
	struct place *found;
	uint64_t rest;

	pthread_mutex_lock(&lock);
	for (rest = taken; rest != 0; rest &= rest - 1)
		if (places[__builtin_ctzll(rest)].call.tag == tag)
			channel_broken("two calls have the same tag");
	if (taken == ALL_PLACES)
		channel_broken("it has too many calls on their way");
	found = &places[__builtin_ctzll(~taken)];
	taken |= 1ull << (found - places);
	found->state = PLACE_TAKEN;
	found->signalled = 0;
	found->arrived = 0;
	pthread_mutex_unlock(&lock);
	return &found->call;
}

bool worker_is_alone(const struct call *call)
{
	bool alone;

	pthread_mutex_lock(&lock);
	alone = taken == 1ull << ((const struct place *)call - places);
	pthread_mutex_unlock(&lock);
	return alone;
}

void worker_give_call(struct call *call)
{
	pthread_mutex_lock(&lock);
	free_place((struct place *)call);
	pthread_mutex_unlock(&lock);
}

/* Returns 0 or an errno. */
static int start_thread(void)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int error;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	error = pthread_create(&thread, &attributes, worker, NULL);
	pthread_attr_destroy(&attributes);
	return error;
}

void worker_submit(struct call *call)
{
	struct place *place = (struct place *)call;
	bool short_of_threads;

	pthread_mutex_lock(&lock);
	/* Those that are on their way to work count as idle until they are there. */
	short_of_threads = idle <= queued && threads < PISCES_CHANNEL_CALLS;
	if (short_of_threads) {
		if (start_thread() == 0) {
			threads++;
		} else {
			/* Behind a call that waits for ever it would be lost. */
			uint64_t tag = call->tag;

			call_drop(call);
			free_place(place);
			pthread_mutex_unlock(&lock);
			channel_reply(to_channel, tag, -ENOMEM);
			return;
		}
	}
	place->state = PLACE_QUEUED;
	place->next = NULL;
	*queue_end = place;
	queue_end = &place->next;
	queued++;
	pthread_cond_signal(&work);
	pthread_mutex_unlock(&lock);
}

/* Under the lock. */
static void cancel(struct place *place)
{
	if (place->call.cancel == CANCEL_NEVER)
		return;
	__atomic_store_n(&place->call.cancelled, 1, __ATOMIC_RELEASE);
	/* Where the user has too many signals waiting this fails, and is tried again. */
	if (place->state == PLACE_RUNNING && place->arrived == place->signalled &&
	    syscall(SYS_tgkill, getpid(), place->thread, worker_signal()) == 0)
		place->signalled++;
}

bool worker_cancel_again(void)
{
	bool any = false;
	unsigned int i;

	if (!cancelling)
		return false;
	pthread_mutex_lock(&lock);
	for (i = 0; i < PISCES_CHANNEL_CALLS; i++) {
		if (places[i].state < PLACE_QUEUED || !places[i].call.cancelled)
			continue;
		cancel(&places[i]);
		any = true;
	}
	pthread_mutex_unlock(&lock);
	cancelling = any;
	return any;
}

void worker_cancel(uint64_t tag)
{
	unsigned int i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < PISCES_CHANNEL_CALLS; i++)
		if (places[i].state >= PLACE_QUEUED && places[i].call.tag == tag)
			cancel(&places[i]);
	pthread_mutex_unlock(&lock);
	cancelling = true;
}

void worker_close(void)
{
	struct timespec limit;
	unsigned int i;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += CLOSE_LIMIT_S;

	pthread_mutex_lock(&lock);
	for (i = 0; i < PISCES_CHANNEL_CALLS; i++)
		if (places[i].state >= PLACE_QUEUED)
			cancel(&places[i]);
	while (running > 0 || queued > 0)
		if (pthread_cond_timedwait(&finished, &lock, &limit) == ETIMEDOUT)
			break;
	pthread_mutex_unlock(&lock);
}
