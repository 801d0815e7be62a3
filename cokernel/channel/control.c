/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "channel/control.h"

#include <pisces/message.h>
#include <pisces/ring.h>

#include "arch/cpu.h"
#include "arch/crash.h"
#include "arch/start.h"
#include "arch/time.h"
#include "boot/boot.h"
#include "channel/change.h"
#include "channel/channel.h"
#include "lib/lock.h"
#include "lib/print.h"
#include "task/hotplug.h"
#include "task/process.h"
#include "task/sched.h"

/* How long Linux may leave the ring to it full. */
#define SEND_LIMIT (10 * NSEC_PER_SEC)

static struct pisces_ring_end in;  /* only by who serves: see control_poll() */
static struct pisces_ring_end out;
static struct lock out_lock = LOCK_INIT;
static unsigned int polls;	   /* asked for and not done; not 0: someone serves */
static cpu_id_t bell_cpu;	   /* who is rung; the first CPU when all are busy */
static bool stopping;
static unsigned int stopped_cpus;

void control_init(void)
{
	if (!pisces_ring_attach(&in, boot_area(boot_block->control_in),
				boot_block->control_slots) ||
	    !pisces_ring_attach(&out, boot_area(boot_block->control_out),
				boot_block->control_slots))
		panic("the control rings are not as the boot block says");
}

/* Puts MESSAGE into the ring to Linux. False: it is full. out_lock is held or dead. */
static bool put(const struct pisces_message *message)
{
	return pisces_ring_put(&out, message) != PISCES_RING_AGAIN;
}

static void send(const struct pisces_message *message)
{
	nsec_t limit = 0;
	bool sent;

	for (;;) {
		lock_take(&out_lock);
		sent = put(message);
		lock_drop(&out_lock);
		if (sent)
			break;
		/* Linux drains the ring in its interrupt handler. */
		if (limit == 0) {
			limit = time_now() + SEND_LIMIT;
			linux_ring();
		}
		if (time_now() > limit) {
			print("Linux does not empty the control ring: message 0x%x is lost",
			      message->type);
			return;
		}
		cpu_relax();
	}
	if (pisces_ring_must_wake(&out))
		linux_ring();
}

void control_send_ready(void)
{
	struct pisces_message message = { .type = PISCES_MSG_READY };

	send(&message);
}

void control_send_task_ended(uint32_t task, int wait_status)
{
	struct pisces_message message = {
		.type = PISCES_MSG_TASK_ENDED,
		.arg = { task, (uint64_t)wait_status },
	};

	send(&message);
}

void control_send_changed(uint64_t tag, int error, uint64_t bytes)
{
	struct pisces_message message = {
		.type = PISCES_MSG_CHANGED,
		.tag = tag,
		.arg = { (uint64_t)(int64_t)error, bytes },
	};

	send(&message);
}

void control_send_given(uint64_t tag, phys_addr_t base, uint64_t size)
{
	struct pisces_message message = {
		.type = PISCES_MSG_GIVEN,
		.tag = tag,
		.arg = { base, size },
	};

	send(&message);
}

void control_send_panic(void)
{
	struct pisces_message message = { .type = PISCES_MSG_PANIC };

	/* Whoever holds the lock is stopped or will be: its message may be lost. */
	if (out.ring)
		put(&message);
	linux_ring();
}

static void stop(void)
{
	cpu_id_t cpu;

	__atomic_store_n(&stopping, true, __ATOMIC_SEQ_CST);
	/* Not only those online: one that leaves is to stop too. */
	for (cpu = 0; cpu < cpu_count; cpu++) {
		if (cpu != this_cpu()->index)
			cpu_kick(cpu);
	}
}

bool control_stopping(void)
{
	return __atomic_load_n(&stopping, __ATOMIC_RELAXED);
}

void control_check_stop(void)
{
	if (likely(!control_stopping()))
		return;
	if (__atomic_add_fetch(&stopped_cpus, 1, __ATOMIC_SEQ_CST) == start_count())
		boot_status->state = PISCES_COKERNEL_STOPPED;
	cpu_park();
}

void control_park_alone(void)
{
	/* All others may have stopped meanwhile, and waited for this one. */
	if (start_undone() == __atomic_load_n(&stopped_cpus, __ATOMIC_SEQ_CST))
		boot_status->state = PISCES_COKERNEL_STOPPED;
	cpu_park();
}

static void signal_task(const uint64_t *arg)
{
	struct signal_info info = {
		.signo = (int32_t)arg[1],
		.code = (int32_t)(arg[1] >> 32),
	};

	info.from.pid = (int32_t)arg[2];
	info.from.uid = (uint32_t)(arg[2] >> 32);
	info.from.value = arg[3];
	process_task_signal((uint32_t)arg[0], &info);
}

static void serve(const struct pisces_message *message)
{
	const uint64_t *arg = message->arg;
	struct pisces_message pong = { .type = PISCES_MSG_PONG, .tag = message->tag };

	switch (message->type) {
	case PISCES_MSG_PING:
		send(&pong);
		break;
	case PISCES_MSG_STOP:
		crash_at(CRASH_TEARDOWN);
		stop();
		break;
	case PISCES_MSG_TASK_NEW:
		process_task_new((uint32_t)arg[0], arg[1], arg[2], (uint32_t)arg[3],
				 (uint32_t)(arg[3] >> 32), (tid_t)arg[4]);
		break;
	case PISCES_MSG_TASK_CPUS:
		process_task_cpus((uint32_t)arg[0], (uint32_t)arg[1], arg[2]);
		break;
	case PISCES_MSG_TASK_START:
		process_task_start((uint32_t)arg[0]);
		break;
	case PISCES_MSG_TASK_SIGNAL:
		signal_task(arg);
		break;
	case PISCES_MSG_TASK_KILL:
		process_task_kill((uint32_t)arg[0]);
		break;
	case PISCES_MSG_CPU_ADD:
		hotplug_add(message->tag, arg[0]);
		break;
	case PISCES_MSG_CPU_REMOVE:
		hotplug_remove(message->tag, arg[0]);
		break;
	case PISCES_MSG_MEMORY_ADD:
		change_memory_add(message->tag, arg[0], arg[1], arg[2]);
		break;
	case PISCES_MSG_MEMORY_REMOVE:
		change_memory_remove(message->tag, arg[0], arg[1]);
		break;
	default:
		print("unknown control message 0x%x from Linux", message->type);
		break;
	}
}

/* Serves until nothing has come and the ring asks to be rung. */
static void drain(void)
{
	struct pisces_message message;
	enum pisces_ring_result got;

	do {
		while ((got = pisces_ring_get(&in, &message)) == PISCES_RING_OK)
			serve(&message);
		if (got == PISCES_RING_BROKEN)
			panic("Linux broke the control ring");
	} while (!pisces_ring_may_sleep(&in, __atomic_load_n(&bell_cpu, __ATOMIC_RELAXED)));
}

void control_poll(void)
{
	unsigned int seen = 1;

	/*
	 * One CPU serves at a time, since the order of messages matters; the others
	 * leave it to that one and do not wait. Each request is followed by a whole
	 * look at the ring.
	 */
	if (__atomic_fetch_add(&polls, 1, __ATOMIC_SEQ_CST) != 0)
		return;
	do {
		drain();
	} while (!__atomic_compare_exchange_n(&polls, &seen, 0, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
}

bool control_may_sleep(cpu_id_t cpu)
{
	/*
	 * The announcement stands from the last poll on; only who is rung changes. If
	 * the module has read the old name already, that CPU is rung in vain and
	 * serves the ring as well.
	 */
	__atomic_store_n(&bell_cpu, cpu, __ATOMIC_RELAXED);
	__atomic_store_n(&in.ring->bell_cpu, cpu, __ATOMIC_SEQ_CST);
	return pisces_ring_empty(&in);
}

void control_bell_away(cpu_id_t cpu)
{
	cpu_id_t other;

	if (__atomic_load_n(&bell_cpu, __ATOMIC_RELAXED) != cpu)
		return;
	other = sched_find_idle();
	if (other == CPU_NONE)
		other = cpu_next_online(0);
	__atomic_store_n(&bell_cpu, other, __ATOMIC_RELAXED);
	__atomic_store_n(&in.ring->bell_cpu, other, __ATOMIC_RELAXED);
}

void control_take_bell(void)
{
	/*
	 * Whoever has it by bell_cpu: of two that went idle at once, the one may have that
	 * name and the other that of the ring. Who sleeps next takes it.
	 */
	__atomic_store_n(&bell_cpu, this_cpu()->index, __ATOMIC_RELAXED);
	__atomic_store_n(&in.ring->bell_cpu, this_cpu()->index, __ATOMIC_SEQ_CST);
	/*
	 * Against the barrier of who puts a message: either it reads the new name, or we
	 * find its message here.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	control_poll();
}
