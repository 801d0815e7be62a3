// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The watchdog: notices a co-kernel that hangs, from what it writes to the status
 * area anyway. A CPU that runs a program is left alone, whatever it does and however
 * long: not an interrupt is spent on finding out how it is. So a co-kernel that is
 * gone while all of its CPUs say that they run programs is found only when somebody
 * wants something of it.
 *
 * Three things are a hang:
 *   - a CPU is in the co-kernel and its heartbeat rests. Work there that takes long
 *     moves it;
 *   - a message to the co-kernel is not read, or a ping to a CPU that says it is
 *     idle is not answered;
 *   - the status says that the co-kernel has panicked, and no message did.
 *
 * While it boots, its CPUs wait for each other, so only a rest of all heartbeats is one.
 *
 * Time counts only in turns that came when they should have: if this work itself was
 * late, the machine was busy, asleep or in a debugger, and then maybe the co-kernel's
 * CPUs were too.
 */

#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/moduleparam.h>

#include "control.h"
#include "enclave.h"
#include "snapshot.h"
#include "watch.h"

/* Often enough that a hang is told within hang_ms and two of these. */
#define LOOK_MS 1000u
#define LOOK_MS_MIN 50u

static unsigned int hang_ms = 5000;
module_param(hang_ms, uint, 0644);
MODULE_PARM_DESC(hang_ms,
		 "a co-kernel that gives no sign of life for so many ms is ended; 0: never");

/* How long CPUs that hang may take to save their registers: see snapshot.h. */
#define LAST_LOOK_MS 300

static unsigned int look_ms(void)
{
	unsigned int limit = READ_ONCE(hang_ms);

	return limit ? clamp(limit / 2, LOOK_MS_MIN, LOOK_MS) : LOOK_MS;
}

static void watch_again(struct enclave *e)
{
	queue_delayed_work(enclaves_queue, &e->watch.work, msecs_to_jiffies(look_ms()));
}

/* The turn's length in ns, or 0 if the turn came late and so does not count. */
static u64 watch_elapsed(struct watch *watch)
{
	u64 now = ktime_get_ns();
	u64 elapsed = now - watch->looked_ns;

	watch->looked_ns = now;
	return elapsed <= 2ull * look_ms() * NSEC_PER_MSEC ? elapsed : 0;
}

/* What a look at all CPUs has found. */
struct watch_finding {
	bool alive;	     /* a CPU is in the co-kernel, and its heart beats */
	unsigned int silent; /* CPUs in the co-kernel that have been silent for the limit */
	u32 linux_cpu;	     /* of these the one that has been so for longest, */
	u64 silent_ns;	     /* and for how long, be it above the limit or not */
};

static void watch_cpus(struct enclave *e, u64 elapsed, u64 limit, struct watch_finding *found)
{
	unsigned int i;

	for (i = 0; i < e->cpu_count; i++) {
		const struct pisces_cpu_status *status = &e->shared.status->cpu[i];
		struct enclave_cpu *cpu = &e->cpus[i];
		u64 heartbeat = READ_ONCE(status->heartbeat);

		if (cpu->left || READ_ONCE(status->state) != PISCES_CPU_KERNEL) {
			cpu->silent_ns = 0;
			cpu->watched = false;
			continue;
		}
		if (!cpu->watched || heartbeat != cpu->heartbeat) {
			found->alive = true;
			cpu->silent_ns = 0;
			cpu->watched = true;
			cpu->heartbeat = heartbeat;
			continue;
		}
		cpu->silent_ns += elapsed;
		found->silent += cpu->silent_ns >= limit;
		if (cpu->silent_ns > found->silent_ns) {
			found->silent_ns = cpu->silent_ns;
			found->linux_cpu = cpu->linux_cpu;
		}
	}
}

/*
 * Messages that wait although no CPU of the co-kernel is at work there. One that is at
 * work may have been rung just before it began; an idle one is told then.
 */
static void watch_ring(struct enclave *e, u64 elapsed, bool alive)
{
	struct watch *watch = &e->watch;
	struct pisces_ring_end *in = &e->shared.control_in;
	u32 tail = READ_ONCE(in->ring->tail);
	u32 cpu = READ_ONCE(in->ring->bell_cpu);
	bool idle = cpu < e->cpu_count && !e->cpus[cpu].left &&
		    READ_ONCE(e->shared.status->cpu[cpu].state) == PISCES_CPU_IDLE;

	if (tail == in->index || tail != watch->tail) {
		watch->tail = tail;
		watch->unread_ns = 0;
	} else if (!alive) {
		watch->unread_ns += elapsed;
		if (idle)
			bell_ring_locked(e, cpu);
	}
	if (watch->pinged && !alive)
		watch->ping_ns += elapsed;

	if (!watch->pinged && idle && READ_ONCE(hang_ms)) {
		struct pisces_message ping = { .type = PISCES_MSG_PING, .tag = watch->ping + 1 };

		/* It rings that CPU. If there is no room, the oldest message's age tells. */
		if (control_send_locked(e, &ping, 1, false))
			return;
		watch->ping++;
		watch->pinged = true;
		watch->ping_ns = 0;
	}
}

/* True, and *REASON, if the co-kernel hangs. */
static bool watch_look_locked(struct enclave *e, char *reason, size_t size)
{
	struct watch *watch = &e->watch;
	u64 limit = READ_ONCE(hang_ms) * NSEC_PER_MSEC;
	u64 elapsed = watch_elapsed(watch);
	struct watch_finding found = {};
	u64 ms, waiting;

	watch_cpus(e, elapsed, limit, &found);
	watch_ring(e, elapsed, found.alive);
	waiting = max(watch->unread_ns, watch->pinged ? watch->ping_ns : 0);
	watch->silent_ns = max(found.silent_ns, waiting);
	ms = div_u64(watch->silent_ns, NSEC_PER_MSEC);
	if (!limit || watch->silent_ns < limit)
		return false;
	if (found.silent > 1)
		snprintf(reason, size,
			 "CPU %u and %u more hang in the co-kernel: no sign of life for %llu.%llu s",
			 found.linux_cpu, found.silent - 1, ms / 1000, ms % 1000 / 100);
	else if (found.silent)
		snprintf(reason, size,
			 "CPU %u hangs in the co-kernel: no sign of life for %llu.%llu s",
			 found.linux_cpu, ms / 1000, ms % 1000 / 100);
	else
		snprintf(reason, size, "the co-kernel does not answer: silent for %llu.%llu s",
			 ms / 1000, ms % 1000 / 100);
	return true;
}

/* The same while it boots. Who has not arrived in the co-kernel has no heartbeat yet. */
static bool watch_boot_locked(struct enclave *e, char *reason, size_t size)
{
	struct watch *watch = &e->watch;
	u64 limit = READ_ONCE(hang_ms) * NSEC_PER_MSEC;
	u64 elapsed = watch_elapsed(watch);
	unsigned int i, arrived = 0;
	u64 beats = 0, ms;

	/* Maybe it waits for its turn. */
	if (!READ_ONCE(e->launched))
		return false;
	for (i = 0; i < e->cpu_count; i++) {
		const struct pisces_cpu_status *status = &e->shared.status->cpu[i];

		arrived += READ_ONCE(status->state) != PISCES_CPU_ABSENT;
		beats += READ_ONCE(status->heartbeat);
	}
	beats += arrived; /* to arrive is a sign of life */
	watch->silent_ns = beats == watch->boot_beats ? watch->silent_ns + elapsed : 0;
	watch->boot_beats = beats;
	ms = div_u64(watch->silent_ns, NSEC_PER_MSEC);
	if (!limit || watch->silent_ns < limit)
		return false;
	snprintf(reason, size,
		 "the co-kernel hangs while it boots: no sign of life for %llu.%llu s; %u of %u CPUs had arrived",
		 ms / 1000, ms % 1000 / 100, arrived, e->cpu_count);
	return true;
}

static void watch_work(struct work_struct *work)
{
	struct enclave *e = container_of(to_delayed_work(work), struct enclave, watch.work);
	char reason[PISCES_REASON_LEN];
	unsigned long flags;
	bool runs, boots, hangs = false, panicked = false;

	spin_lock_irqsave(&e->lock, flags);
	runs = e->state == PISCES_ENCLAVE_RUNNING;
	boots = e->state == PISCES_ENCLAVE_BOOTING;
	if (runs)
		usage_look_locked(e);
	if (runs || boots) {
		/* The message that says so comes last: it has a turn's time. */
		panicked = e->watch.panicked;
		e->watch.panicked = READ_ONCE(e->shared.status->state) == PISCES_COKERNEL_PANIC;
		hangs = runs ? watch_look_locked(e, reason, sizeof(reason)) :
			       watch_boot_locked(e, reason, sizeof(reason));
	}
	spin_unlock_irqrestore(&e->lock, flags);
	if (!runs && !boots)
		return;
	if (panicked) {
		control_panicked(e);
	} else if (hangs) {
		/* Before INIT: CPUs that still hear an NMI say where they are. */
		snapshot_take(e, LAST_LOOK_MS);
		enclave_die(e, true, reason);
	}
	watch_again(e);
}

void watch_init(struct enclave *e)
{
	INIT_DELAYED_WORK(&e->watch.work, watch_work);
}

void watch_start_locked(struct enclave *e)
{
	lockdep_assert_held(&e->lock);
	e->watch.looked_ns = ktime_get_ns();
	e->watch.silent_ns = 0;
	watch_again(e);
}

void watch_pong_locked(struct enclave *e, u64 tag)
{
	lockdep_assert_held(&e->lock);
	if (tag == e->watch.ping)
		e->watch.pinged = false;
}

void watch_stop(struct enclave *e)
{
	cancel_delayed_work_sync(&e->watch.work);
}
