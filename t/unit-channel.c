/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The co-kernel's end of a channel, with threads of Linux for its CPUs: many call at once,
 * looking for their replies or asleep, while a proxy answers in an order of its own, from
 * several threads, awake or asleep itself. Bells come late, to any CPU; signals come at any
 * time. Each call gets its own reply, and nobody waits in vain.
 */
#include <asm/prctl.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>

#include "tap.h"

#include "arch/cpu.h"
#include "arch/crash.h"
#include "boot/boot.h"
#include "channel/calls.h"
#include "channel/control.h"
#include "channel/internal.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "task/hotplug.h"
#include "task/process.h"
#include "task/sched.h"

#define CALLERS 6u
#define HELPERS 2u /* CPUs that have nothing to do */
#define CPUS (CALLERS + HELPERS)
#define SIZE 0x40000ull

/* A lost wake-up takes for ever; this is more than any other on a loaded machine. */
#define LIMIT_S 60

struct side { /* a CPU with its one thread */
	struct cpu cpu;
	struct thread thread;
	struct pisces_cpu_status status;
	sem_t wake;
	uint64_t random_state;
	bool bell; /* the interrupt is pending */
};

static struct side sides[CPUS];
static struct channel channel;
static struct pisces_boot_block block;
static struct pisces_status status;
const struct pisces_boot_block *boot_block = &block;
struct pisces_status *boot_status = &status;
enum crash_place crash_place = CRASH_IDLE;

/* How a round goes. */
static unsigned int crowd;  /* per cent of looks that find another thread on this CPU */
static bool with_signals;
static bool over;
static unsigned int busy; /* threads that have calls to make */
static uint64_t rings, bells, naps;

static uint64_t roll(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return *state >> 33;
}

static struct side *own(void)
{
	return CONTAINER_OF(this_cpu(), struct side, cpu);
}

_Noreturn static void give_up(const char *why)
{
	printf("not ok - %s\n# %u on their way, %u watched, announced %d, sleeping %u, ring %s\n",
	       why, channel.outstanding, channel.watched, channel.announced,
	       channel.answers.ring->sleeping,
	       pisces_ring_empty(&channel.answers) ? "empty" : "not empty");
	for (unsigned int i = 0; i < CPUS; i++)
		printf("# CPU %u: bell %d, waits %d\n", i, sides[i].bell,
		       sides[i].thread.waiting_on ? 1 + (sides[i].thread.waiting_on == &channel.space) : 0);
	printf("# bell_cpu %u %u\n", channel.bell_cpu, channel.answers.ring->bell_cpu);
	fflush(stdout);
	_exit(1);
}

static void sleep_on(sem_t *sem, const char *who)
{
	struct timespec limit;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += LIMIT_S;
	while (sem_timedwait(sem, &limit) < 0) {
		if (errno == ETIMEDOUT)
			give_up(who);
	}
}

/* ---- what the co-kernel's other rooms do ---- */

struct thread *thread_current(void)
{
	return this_cpu()->current;
}

void tlb_serve(void)
{
	if (roll(&own()->random_state) % 8 == 0)
		sched_yield();
}

bool sched_is_alone(void)
{
	return roll(&own()->random_state) % 100 >= crowd;
}

cpu_id_t sched_quiet_cpu(bool blocking, cpu_id_t other)
{
	if (blocking)
		return this_cpu()->index;
	return roll(&own()->random_state) % 2 ? other : CALLERS;
}

/* One that comes to a CPU in user mode, here: between two calls. */
static void serve_bell(struct side *side)
{
	if (__atomic_exchange_n(&side->bell, false, __ATOMIC_SEQ_CST))
		channel_poll_all();
}

void cpu_serve_interrupts(void)
{
	serve_bell(own());
}

/* The CPU is idle: what comes there is served, and whoever was woken runs. */
void sched_block(void)
{
	struct side *side = own();

	__atomic_fetch_add(&naps, 1, __ATOMIC_RELAXED);
	while (!wait_is_over(&side->thread)) {
		serve_bell(side);
		if (!wait_is_over(&side->thread))
			sleep_on(&side->wake, "a thread waits in vain");
	}
}

void sched_wake(struct thread *thread)
{
	sem_post(&CONTAINER_OF(thread, struct side, thread)->wake);
}

void sched_wake_waiter(struct thread *thread)
{
	__atomic_store_n(&thread->waiting_on, NULL, __ATOMIC_RELEASE);
	sched_wake(thread);
}

void timer_arm(struct timer *timer, nsec_t deadline)
{
	(void)timer;
	(void)deadline;
}

bool timer_cancel(struct timer *timer)
{
	(void)timer;
	return false;
}

bool control_stopping(void)
{
	return false;
}

bool hotplug_leaving(void)
{
	return false;
}

struct process *process_current(void)
{
	static struct process process;

	return &process;
}

void crash_test(const struct frame *frame)
{
	(void)frame;
}

void panic(const char *format, ...)
{
	give_up(format);
}

void channel_break(struct channel *which, const char *why)
{
	(void)which;
	give_up(why);
}

void channel_put(struct channel *which)
{
	__atomic_fetch_sub(&which->references, 1, __ATOMIC_ACQ_REL);
}

/* ---- the proxy ---- */

static struct pisces_ring_end proxy_calls, proxy_replies;
static pthread_mutex_t reply_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t work_lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t proxy_rung, work_there;

struct work {
	struct pisces_message message;
	bool cancelled;
};
static struct work queue[PISCES_CHANNEL_CALLS];
static unsigned int queued;

void linux_ring(void)
{
	__atomic_fetch_add(&rings, 1, __ATOMIC_RELAXED);
	sem_post(&proxy_rung);
}

/* The interrupt comes when it comes: the CPU sees it at its next chance. */
static void ring_enclave(void)
{
	uint32_t cpu = __atomic_load_n(&proxy_replies.ring->bell_cpu, __ATOMIC_RELAXED);

	if (cpu >= CPUS)
		give_up("no CPU to ring");
	__atomic_fetch_add(&bells, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&sides[cpu].bell, true, __ATOMIC_SEQ_CST);
	sem_post(&sides[cpu].wake);
}

static void reply(uint64_t tag, int64_t result)
{
	struct pisces_message message = {
		.type = PISCES_MSG_REPLY, .tag = tag, .arg = { (uint64_t)result },
	};
	bool wake;

	pthread_mutex_lock(&reply_lock);
	if (pisces_ring_put(&proxy_replies, &message) != PISCES_RING_OK)
		give_up("the ring of replies");
	/* A slow one: meanwhile the reply is found without its bell. */
	if (tag % 8 == 0)
		usleep(50);
	wake = pisces_ring_must_wake(&proxy_replies);
	pthread_mutex_unlock(&reply_lock);
	if (wake)
		ring_enclave();
}

static int64_t answer(const struct pisces_message *message)
{
	return (int64_t)(message->arg[0] * 3 + message->arg[5]);
}

/* Executes what may block: any of what is there, later. */
static void *work(void *argument)
{
	uint64_t state = (uintptr_t)argument;
	struct timespec moment = { 0 };

	for (;;) {
		struct work mine = { 0 };

		sem_wait(&work_there);
		if (__atomic_load_n(&over, __ATOMIC_RELAXED))
			return NULL;
		moment.tv_nsec = (long)(roll(&state) % 200000);
		if (roll(&state) % 4 == 0)
			nanosleep(&moment, NULL);
		pthread_mutex_lock(&work_lock);
		if (queued > 0) {
			unsigned int at = (unsigned int)roll(&state) % queued;

			mine = queue[at];
			queue[at] = queue[--queued];
		}
		pthread_mutex_unlock(&work_lock);
		if (mine.message.type)
			reply(mine.message.tag, mine.cancelled ? -EINTR : answer(&mine.message));
	}
}

static void put_off(const struct pisces_message *message)
{
	pthread_mutex_lock(&work_lock);
	queue[queued++] = (struct work){ .message = *message };
	pthread_mutex_unlock(&work_lock);
	sem_post(&work_there);
}

static void cancel(uint64_t tag)
{
	unsigned int i;

	pthread_mutex_lock(&work_lock);
	for (i = 0; i < queued; i++) {
		if (queue[i].message.tag == tag)
			queue[i].cancelled = true;
	}
	pthread_mutex_unlock(&work_lock);
}

static void *proxy(void *argument)
{
	struct pisces_message message;
	uint64_t state = 77;
	unsigned int looks;

	while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
		while (pisces_ring_get(&proxy_calls, &message) == PISCES_RING_OK) {
			if (message.type == PISCES_MSG_CANCEL)
				cancel(message.tag);
			else if (roll(&state) % 3 == 0)
				put_off(&message);
			else
				reply(message.tag, answer(&message));
		}
		/* As serve.c: it looks for a while, and takes an old announcement back. */
		looks = (unsigned int)roll(&state) % 4 * 200;
		if (looks)
			pisces_ring_stay_awake(&proxy_calls);
		while (looks-- > 0 && pisces_ring_empty(&proxy_calls))
			if (looks % 32 == 0)
				sched_yield();
		if (pisces_ring_may_sleep(&proxy_calls, 0))
			sleep_on(&proxy_rung, "the proxy waits in vain");
	}
	return argument;
}

/* ---- the enclave ---- */

static void be(struct side *side)
{
	/* this_cpu() is at %gs:0. */
	if (syscall(SYS_arch_prctl, ARCH_SET_GS, &side->cpu) < 0)
		give_up("arch_prctl");
}

/* A CPU with nothing to do: it takes all bells that come to it, and looks around. */
static void *idle(void *argument)
{
	struct side *side = argument;

	be(side);
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
		serve_bell(side);
		if (roll(&side->random_state) % 2)
			channel_poll_all();
		if (channel_may_sleep_all(side->cpu.index) &&
		    !__atomic_load_n(&side->bell, __ATOMIC_SEQ_CST))
			sem_wait(&side->wake);
	}
	return NULL;
}

struct calling {
	struct side *side;
	unsigned int count;
	uint64_t wrong, interrupted;
};

static void check(struct calling *calling, int64_t result, uint64_t a, uint64_t f)
{
	if (result == -ERESTARTSYS && with_signals)
		calling->interrupted++;
	else if (result != (int64_t)(a * 3 + f))
		calling->wrong++;
}

static void *call_often(void *argument)
{
	struct calling *calling = argument;
	struct side *side = calling->side;
	unsigned int i;

	be(side);
	for (i = 0; i < calling->count; i++) {
		const uint64_t args[6] = { i, 0, 0, 0, 0, side->cpu.index + 1 };
		const uint64_t inner[6] = { i + 5, 0, 0, 0, 0, 7 };
		struct channel_buffer buffer;
		struct channel_call *call = NULL;

		serve_bell(side);
		side->thread.signals.notify = false;
		if (roll(&side->random_state) % 4 == 0 && channel_buffer_take(&channel, 0x3000, &buffer) > 0)
			channel_buffer_give(&channel, &buffer);
		if (roll(&side->random_state) % 3 == 0)
			call = channel_call_begin(&channel, 1, args);
		if (!call) {
			check(calling, channel_call(&channel, 1, args), args[0], args[5]);
			continue;
		}
		/* With the first on its way, another one. */
		if (roll(&side->random_state) % 2)
			check(calling, channel_call(&channel, 1, inner), inner[0], inner[5]);
		check(calling, channel_call_end(&channel, call), args[0], args[5]);
	}
	/* Its CPU is still there for bells. */
	__atomic_fetch_sub(&busy, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&busy, __ATOMIC_SEQ_CST) > 0) {
		serve_bell(side);
		usleep(100);
	}
	return NULL;
}

static void *disturb(void *argument)
{
	uint64_t state = 5;
	struct timespec moment = { 0, 50000 };

	be(&sides[CPUS - 1]);
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
		struct thread *thread = &sides[roll(&state) % CALLERS].thread;

		__atomic_store_n(&thread->signals.notify, true, __ATOMIC_RELAXED);
		wait_interrupt(thread);
		nanosleep(&moment, NULL);
	}
	return argument;
}

static void prepare(uint64_t looks_us)
{
	static uint8_t *memory;
	unsigned int i;

	free(memory);
	memory = aligned_alloc(0x1000, SIZE);
	memset(memory, 0, SIZE);
	memset(&channel, 0, sizeof(channel));
	/* LINGER_US is 100. */
	block.tsc_khz = looks_us * 2000 / 100;
	over = false;
	queued = 0;
	rings = bells = naps = 0;
	for (i = 0; i < CPUS; i++) {
		sides[i] = (struct side){ .random_state = i + 1 };
		sides[i].cpu.self = &sides[i].cpu;
		sides[i].cpu.index = i;
		sides[i].cpu.current = &sides[i].thread;
		sides[i].cpu.status = &sides[i].status;
		list_init(&sides[i].thread.wait_link);
		sem_init(&sides[i].wake, 0, 0);
	}
	sem_init(&proxy_rung, 0, 0);
	sem_init(&work_there, 0, 0);
	channel.references = 1;
	channel.memory = memory;
	channel.size = SIZE;
	channel.layout = pisces_channel_layout(SIZE);
	channel.next_tag = 1;
	wait_queue_init(&channel.replies);
	channel_space_init(&channel);
	for (i = 0; i < 2; i++) {
		struct pisces_ring *ring =
			(void *)(memory + (i ? channel.layout.replies : channel.layout.calls));

		pisces_ring_init(ring, PISCES_CHANNEL_SLOTS);
		pisces_ring_attach(i ? &channel.answers : &channel.calls, ring, PISCES_CHANNEL_SLOTS);
		pisces_ring_attach(i ? &proxy_replies : &proxy_calls, ring, PISCES_CHANNEL_SLOTS);
	}
	channel_list_add(&channel);
}

static void play(const char *name, unsigned int callers, unsigned int count, uint64_t looks_us,
		 unsigned int crowded, bool signals)
{
	pthread_t caller[CALLERS], helper[HELPERS], worker[3], server, other;
	struct calling calling[CALLERS] = { 0 };
	uint64_t wrong = 0, interrupted = 0;
	unsigned int i;

	prepare(looks_us);
	crowd = crowded;
	with_signals = signals;
	pthread_create(&server, NULL, proxy, NULL);
	for (i = 0; i < 3; i++)
		pthread_create(&worker[i], NULL, work, (void *)(uintptr_t)(i + 11));
	for (i = 0; i < HELPERS - signals; i++)
		pthread_create(&helper[i], NULL, idle, &sides[CALLERS + i]);
	if (signals)
		pthread_create(&other, NULL, disturb, NULL);
	busy = callers;
	for (i = 0; i < callers; i++) {
		calling[i] = (struct calling){ .side = &sides[i], .count = count };
		pthread_create(&caller[i], NULL, call_often, &calling[i]);
	}
	for (i = 0; i < callers; i++) {
		pthread_join(caller[i], NULL);
		wrong += calling[i].wrong;
		interrupted += calling[i].interrupted;
	}
	__atomic_store_n(&over, true, __ATOMIC_SEQ_CST);
	sem_post(&proxy_rung);
	for (i = 0; i < 3; i++)
		sem_post(&work_there);
	pthread_join(server, NULL);
	for (i = 0; i < 3; i++)
		pthread_join(worker[i], NULL);
	for (i = 0; i < HELPERS - signals; i++) {
		sem_post(&sides[CALLERS + i].wake);
		pthread_join(helper[i], NULL);
	}
	if (signals)
		pthread_join(other, NULL);
	channel_list_remove(&channel);

	ok(wrong == 0, "%s: %u threads, %u calls each, all answered", name, callers, count);
	printf("# %llu sleeps, %llu bells, %llu rings of the proxy, %llu interrupted\n",
	       (unsigned long long)naps, (unsigned long long)bells, (unsigned long long)rings,
	       (unsigned long long)interrupted);
	ok(channel.outstanding == 0 && channel.watched == 0 &&
		   channel.free_calls == PISCES_CHANNEL_CALLS &&
		   channel.free_pages == channel.data_pages,
	   "and nothing is on its way, watched or taken");
	if (signals)
		ok(interrupted > 0, "some were interrupted");
}

static void *take_away(void *argument)
{
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED))
		__atomic_store_n(&channel.answers.ring->sleeping, 0, __ATOMIC_RELAXED);
	return argument;
}

/*
 * A slow proxy: another thread has found its reply, and a third one sleeps behind a new
 * announcement, when it takes that one and rings.
 */
static void test_vain_bell(void)
{
	const uint64_t args[6] = { 1 };
	struct channel_call *call;
	pthread_t other;
	unsigned int i;

	prepare(0);
	be(&sides[0]);
	call = channel_call_begin(&channel, 1, args);
	lock_take(&channel.replies.lock);
	channel_poll_locked(&channel, call);
	lock_drop(&channel.replies.lock);
	ok(call && channel.answers.ring->sleeping, "who waits asks to be rung");
	channel.answers.ring->sleeping = 0;
	channel_poll_all();
	ok(channel.answers.ring->sleeping, "a bell for nothing: it asks again");

	pthread_create(&other, NULL, take_away, NULL);
	for (i = 0; i < 1000; i++)
		channel_poll_all();
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	pthread_join(other, NULL);
	ok(true, "a proxy that takes each announcement away keeps nobody");
	channel_list_remove(&channel);
}

int main(void)
{
	test_vain_bell();
	play("asleep at once", 4, 3000, 0, 100, false);
	play("one, that looks long", 1, 5000, 1000, 0, false);
	play("all look, and then sleep", 4, 5000, 20, 0, false);
	play("some look and some sleep", CALLERS, 5000, 50, 30, false);
	play("the same under signals", CALLERS, 5000, 50, 30, true);
	return done();
}
