/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ways in which a co-kernel can break the contract, one function each. */
#include "fake.h"

static bool send(uint16_t type, uint64_t tag, uint64_t arg0, uint64_t arg1)
{
	struct pisces_message message = { .type = type, .tag = tag, .arg = { arg0, arg1 } };
	bool sent = pisces_ring_put(&fake.out_end, &message) == PISCES_RING_OK;

	if (pisces_ring_must_wake(&fake.out_end))
		machine_ring();
	return sent;
}

static void ready(void)
{
	send(PISCES_MSG_READY, 0, 0, 0);
}

/* All CPUs say that they run a program, which nobody watches: not taken for a hang. */
static void look_busy(void)
{
	for (unsigned int i = 0; i < fake.cpu_count; i++)
		fake.status->cpu[i].state = PISCES_CPU_USER;
}

static _Noreturn void ring_for_ever(void)
{
	for (;;) {
		machine_ring();
		machine_wait(1);
	}
}

/* ---- words that make no sense ---- */

static void never_ready(void)
{
}

static void ready_twice(void)
{
	ready();
	ready();
}

static void unknown_type(void)
{
	ready();
	send(0xbeef, 1, 2, 3);
}

static void answers_nobody(void)
{
	ready();
	send(PISCES_MSG_PONG, UINT64_MAX, 0, 0);
	send(PISCES_MSG_CHANGED, 4711, 0, UINT64_MAX);
}

static void gives_not_its_own(void)
{
	ready();
	send(PISCES_MSG_GIVEN, 4711, 0, 0x40000000);
}

static void ended_unknown(void)
{
	ready();
	send(PISCES_MSG_TASK_ENDED, 0, 5, 0);
}

static void ended_beyond(void)
{
	ready();
	send(PISCES_MSG_TASK_ENDED, 0, 0x8000000000000001ull, 0);
}

/* Waits for a task, and ends it twice. */
static void ended_twice(void)
{
	struct pisces_message message;

	look_busy();
	ready();
	for (;;) {
		if (pisces_ring_get(&fake.in_end, &message) != PISCES_RING_OK) {
			__builtin_ia32_pause();
			continue;
		}
		if (message.type != PISCES_MSG_TASK_START)
			continue;
		send(PISCES_MSG_TASK_ENDED, 0, message.arg[0], 0);
		send(PISCES_MSG_TASK_ENDED, 0, message.arg[0], 0);
		return;
	}
}

static void panic_nonsense(void)
{
	for (unsigned int i = 0; i < PISCES_REASON_LEN; i++)
		fake.status->reason[i] = (char)(0x80 + i);
	fake.status->state = PISCES_COKERNEL_PANIC;
	ready();
	send(PISCES_MSG_PANIC, 0, 0, 0);
}

/* ---- indices ---- */

static void head_wild(void)
{
	ready();
	machine_wait(50);
	__atomic_store_n(&fake.out->head, fake.control_slots + 77, __ATOMIC_SEQ_CST);
	machine_ring();
}

static void head_back(void)
{
	ready();
	machine_wait(50);
	__atomic_store_n(&fake.out->head, UINT32_MAX, __ATOMIC_SEQ_CST);
	machine_ring();
}

static void tail_wild(void)
{
	look_busy();
	ready();
	__atomic_store_n(&fake.in->tail, 0x80000000u, __ATOMIC_SEQ_CST);
	machine_ring();
}

static void console_head_wild(void)
{
	ready();
	machine_wait(50);
	__atomic_store_n(&fake.console->head, 0x7fffffffu, __ATOMIC_SEQ_CST);
	machine_ring();
}

/* Between possible values and impossible ones, while Linux reads them. */
static void indices_dance(void)
{
	look_busy();
	ready();
	machine_wait(50);
	for (;;) {
		uint64_t word = machine_random();
		struct pisces_ring *ring = word & 1 ? fake.out : fake.console;

		__atomic_store_n(&ring->head, (uint32_t)(word >> 8) & (word & 0x80 ? 0x1fff : 7),
				 __ATOMIC_RELEASE);
		__atomic_store_n(&fake.in->tail, (uint32_t)(word >> 40), __ATOMIC_RELEASE);
		__atomic_store_n(&fake.in->bell_cpu, (uint32_t)(word >> 16), __ATOMIC_RELEASE);
		machine_ring();
	}
}

/* ---- the console ---- */

static void console_say(uint16_t type, uint16_t length)
{
	struct pisces_message message = { .type = type, .length = length };

	for (unsigned int i = 0; i < PISCES_CONSOLE_TEXT_MAX; i++)
		((char *)message.arg)[i] = (char)(i % 47 ? 1 + i * 5 : '\n');
	pisces_ring_put(&fake.console_end, &message);
}

static void console_length(void)
{
	ready();
	console_say(PISCES_MSG_CONSOLE_TEXT, UINT16_MAX);
	machine_ring();
}

static void console_type(void)
{
	ready();
	console_say(PISCES_MSG_READY, 8);
	machine_ring();
}

/* Within the contract, but without end. */
static void console_flood(void)
{
	look_busy();
	ready();
	for (;;) {
		console_say(PISCES_MSG_CONSOLE_TEXT, PISCES_CONSOLE_TEXT_MAX);
		if (pisces_ring_must_wake(&fake.console_end))
			machine_ring();
	}
}

static void control_flood(void)
{
	look_busy();
	ready();
	for (uint64_t tag = 0;; tag++)
		send(PISCES_MSG_PONG, tag, 0, 0);
}

/* ---- everything at once ---- */

static void fill(void *area, size_t bytes)
{
	uint64_t *word = area;

	for (size_t i = 0; i < bytes / sizeof(*word); i++)
		__atomic_store_n(&word[i], machine_random(), __ATOMIC_RELAXED);
}

static void status_nonsense(void)
{
	size_t bytes = fake.boot->status.size;

	ready();
	for (;;) {
		fill(fake.status, bytes);
		machine_ring();
	}
}

/* Every task has had all CPUs for centuries, and has more memory than there is. */
static void usage_absurd(void)
{
	look_busy();
	ready();
	for (;;) {
		for (unsigned int i = 0; i < fake.cpu_count; i++)
			__atomic_store_n(&fake.status->cpu[i].running, i + 1u, __ATOMIC_RELAXED);
		for (unsigned int i = 0; i < PISCES_MAX_TASKS; i++) {
			__atomic_store_n(&fake.usage[i].cpu_ns, UINT64_MAX / 4, __ATOMIC_RELAXED);
			__atomic_store_n(&fake.usage[i].resident, UINT64_MAX, __ATOMIC_RELAXED);
			__atomic_store_n(&fake.usage[i].peak, UINT64_MAX, __ATOMIC_RELAXED);
		}
	}
}

static void rings_nonsense(void)
{
	ready();
	for (;;) {
		fill(fake.out, sizeof(*fake.out) + fake.control_slots * 64u);
		fill(fake.console, sizeof(*fake.console) + fake.console_slots * 64u);
		fill(fake.in, sizeof(*fake.in) + fake.control_slots * 64u);
		machine_ring();
	}
}

/* The whole shared area, the boot block too; but for where to ring, which stays. */
static void all_nonsense(void)
{
	char *from = (char *)(&fake.boot->linux_bell + 1);
	char *end = (char *)fake.boot + fake.boot->shared_size;

	ready();
	for (;;) {
		fill(from, (size_t)(end - from));
		machine_ring();
	}
}

/* ---- what comes again and again, or never ---- */

static void ring_storm(void)
{
	look_busy();
	ready();
	for (;;)
		machine_ring();
}

static void bells_storm(void)
{
	look_busy();
	ready();
	for (;;) {
		for (unsigned int i = 0; i < PISCES_TASK_WORDS; i++)
			__atomic_store_n(&fake.status->task_bells[i], UINT64_MAX, __ATOMIC_RELAXED);
		machine_ring();
	}
}

/* Neither reads its control ring nor stops. */
static void ignores_stop(void)
{
	look_busy();
	ready();
	for (;;)
		__builtin_ia32_pause();
}

/* Says at once that it is parked, and goes on writing and ringing. */
static void parked_runs(void)
{
	const struct pisces_boot_range *range = &fake.boot->ranges[0];
	uint64_t *memory = (uint64_t *)(range->base + range->size - 0x10000);

	ready();
	for (unsigned int i = 0; i < fake.cpu_count; i++)
		fake.status->cpu[i].state = PISCES_CPU_PARKED;
	fake.status->state = PISCES_COKERNEL_STOPPED;
	for (;;) {
		fill(memory, 0x10000);
		fill(fake.console->slot, 4096);
		machine_ring();
	}
}

/* ---- changes ---- */

/* The next message of this type from Linux. */
static struct pisces_message wait_for(uint16_t type)
{
	struct pisces_message message;

	while (pisces_ring_get(&fake.in_end, &message) != PISCES_RING_OK || message.type != type)
		__builtin_ia32_pause();
	return message;
}

/* Is asked for memory, and gives some that is not its own. */
static void gives_foreign(void)
{
	struct pisces_message asked;

	look_busy();
	ready();
	asked = wait_for(PISCES_MSG_MEMORY_REMOVE);
	send(PISCES_MSG_GIVEN, asked.tag, 0x1000000, asked.arg[0]);
	send(PISCES_MSG_CHANGED, asked.tag, 0, 0);
}

/* Gives the same piece twice. */
static void gives_twice(void)
{
	struct pisces_message asked;
	uint64_t base;

	look_busy();
	ready();
	asked = wait_for(PISCES_MSG_MEMORY_REMOVE);
	base = fake.boot->ranges[0].base + fake.boot->ranges[0].size - PISCES_MEMORY_ALIGN;
	send(PISCES_MSG_GIVEN, asked.tag, base, PISCES_MEMORY_ALIGN);
	send(PISCES_MSG_GIVEN, asked.tag, base, PISCES_MEMORY_ALIGN);
	send(PISCES_MSG_CHANGED, asked.tag, 0, 0);
}

/* Gives the memory that it itself runs in. */
static void gives_image(void)
{
	struct pisces_message asked;

	look_busy();
	ready();
	asked = wait_for(PISCES_MSG_MEMORY_REMOVE);
	send(PISCES_MSG_GIVEN, asked.tag, fake.boot->image_base, asked.arg[0]);
	send(PISCES_MSG_CHANGED, asked.tag, 0, 0);
}

/* Says that it has let a CPU go, which runs on. */
static void removes_not(void)
{
	struct pisces_message asked;

	look_busy();
	ready();
	asked = wait_for(PISCES_MSG_CPU_REMOVE);
	send(PISCES_MSG_CHANGED, asked.tag, 0, 0);
}

/* ---- the table ---- */

static const struct {
	const char *name;
	void (*behave)(void);
} behaviours[] = {
	{ "never-ready", never_ready },
	{ "ready-twice", ready_twice },
	{ "unknown-type", unknown_type },
	{ "answers-nobody", answers_nobody },
	{ "gives-not-its-own", gives_not_its_own },
	{ "ended-unknown", ended_unknown },
	{ "ended-beyond", ended_beyond },
	{ "ended-twice", ended_twice },
	{ "panic-nonsense", panic_nonsense },
	{ "head-wild", head_wild },
	{ "head-back", head_back },
	{ "tail-wild", tail_wild },
	{ "console-head-wild", console_head_wild },
	{ "indices-dance", indices_dance },
	{ "console-length", console_length },
	{ "console-type", console_type },
	{ "console-flood", console_flood },
	{ "control-flood", control_flood },
	{ "status-nonsense", status_nonsense },
	{ "usage-absurd", usage_absurd },
	{ "rings-nonsense", rings_nonsense },
	{ "all-nonsense", all_nonsense },
	{ "ring-storm", ring_storm },
	{ "bells-storm", bells_storm },
	{ "ignores-stop", ignores_stop },
	{ "parked-runs", parked_runs },
	{ "gives-foreign", gives_foreign },
	{ "gives-twice", gives_twice },
	{ "gives-image", gives_image },
	{ "removes-not", removes_not },
};

void behave_first(void)
{
	for (unsigned int i = 0; i < sizeof(behaviours) / sizeof(behaviours[0]); i++)
		if (behaves_as(behaviours[i].name))
			behaviours[i].behave();
}

void behave_other(void)
{
	if (behaves_as("ring-storm"))
		for (;;)
			machine_ring();
	if (behaves_as("removes-not"))
		for (;;)
			__builtin_ia32_pause();
	if (behaves_as("rings-nonsense") || behaves_as("all-nonsense"))
		ring_for_ever();
}
