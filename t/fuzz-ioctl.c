// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A hostile user of /dev/pisces: random calls from several threads on the same file
 * descriptors, with bad sizes, addresses and fields, mixed with whole sequences that
 * make sense, so that it gets as deep as a running task.
 *
 *   fuzz-ioctl [--seed=N] [--calls=N] [--threads=N] [--uid=N] IMAGE FAKE-IMAGE
 *
 * Work is done in rounds, each a process of its own, some of which are killed. With
 * --uid the rounds are a plain user's, to whom root's descriptors have leaked. Exit
 * code 1: a call did not return, a plain user got what he may not have, or a round
 * died of itself. The seed decides what each thread does, not how they interleave.
 *
 * What costs real time (CPUs, boots) comes from a budget, so that the number of calls
 * says how long it takes.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <pisces/boot.h>
#include <pisces/build_id.h>
#include <pisces/channel.h>
#include <pisces/ioctl.h>
#include <pisces/status.h>

#include "chance.h"

#define THREADS_MAX 16u
#define SLOTS 48u
#define ROUND_CALLS 8000u /* at least; and so many that there are not more than ROUNDS_MAX rounds */
#define ROUNDS_MAX 40u
#define MAPPINGS 4u

/* A call that takes longer than this hangs. A boot may take 40 s by contract. */
#define HANG_S 100

/* CPUs of the node, by number; the last is one that it does not have. */
#define CPUS 4u

/* ---- what all rounds share with the parent ---- */

struct count {
	atomic_ulong good, bad;
};

static struct shared {
	atomic_ulong calls;
	atomic_ulong forbidden;
	struct count ioctl[64]; /* by the row of the table */
	struct count other[16]; /* by enum other */
	struct {
		atomic_ulong done; /* calls of this thread, for who watches it */
		atomic_uint command;
		atomic_int tid;
	} thread[THREADS_MAX];
} *shared;

static unsigned long seed = 1, calls = 30000;
static unsigned int threads = 4;
static int uid = -1; /* of the plain user, or -1 */

struct image {
	void *bytes; /* mapped read-only: nobody can change it while the module reads it */
	size_t size;
	struct pisces_image_header header;
};
static struct image image, fake_image;

static void fill_random(void *to, size_t bytes)
{
	for (uint8_t *at = to; bytes--; at++)
		*at = (uint8_t)(one_in(2) ? 0 : roll());
}

/* ---- descriptors: slots that all threads of a round share ---- */

enum kind { CONTROL, ENCLAVE, HANDLE, TASK, CONSOLE, OTHER, KINDS };

static struct slot {
	atomic_int fd; /* -1: empty */
	enum kind kind;
} slots[SLOTS];

/* Some slots for each kind: enclaves hold memory and CPUs, so they are few. */
static unsigned int slot_of(enum kind kind)
{
	static const struct {
		unsigned int first, count;
	} part[KINDS] = {{0, 4}, {4, 6}, {10, 6}, {16, 16}, {32, 8}, {40, 8}};

	return part[kind].first + below(part[kind].count);
}

static int slot_fd(enum kind kind)
{
	return atomic_load(&slots[slot_of(kind)].fd);
}

static void slot_put(enum kind kind, int fd)
{
	struct slot *slot = &slots[slot_of(kind)];
	int old;

	/* So that a read does not wait for ever; some are left to be interrupted. */
	if (!one_in(16))
		fcntl(fd, F_SETFL, O_NONBLOCK);
	old = atomic_exchange(&slot->fd, fd);
	if (old >= 0)
		close(old);
}

static int any_fd(void)
{
	if (one_in(40))
		return (int)below(1100) - 2;
	return atomic_load(&slots[below(SLOTS)].fd);
}

/* ---- addresses ---- */

/* Each thread's own: a page that is writable, one that is not, and a hole. */
static __thread uint8_t *arena;
#define ARENA_PAGES 16u
#define PAGE 4096u

static void arena_create(void)
{
	arena = mmap(NULL, (ARENA_PAGES + 4) * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (arena == MAP_FAILED)
		abort();
	mprotect(arena + ARENA_PAGES * PAGE, PAGE, PROT_READ);
	mprotect(arena + (ARENA_PAGES + 1) * PAGE, PAGE, PROT_NONE);
	munmap(arena + (ARENA_PAGES + 2) * PAGE, 2 * PAGE);
}

/* Where SIZE bytes are good. */
static void *good_address(size_t size)
{
	size_t room = ARENA_PAGES * PAGE - size;

	return arena + (one_in(2) ? room : below((uint32_t)room) & ~7u);
}

/* Where they are probably not. */
static uint64_t bad_address(size_t size)
{
	uint64_t base = (uint64_t)(uintptr_t)arena;

	switch (below(10)) {
	case 0:
		return 0;
	case 1:
		return below(PAGE);
	case 2: /* across the end of what is writable */
		return base + ARENA_PAGES * PAGE - below((uint32_t)size + 1);
	case 3:
		return base + ARENA_PAGES * PAGE + below(PAGE - 8);
	case 4: /* across the end of what is readable */
		return base + (ARENA_PAGES + 1) * PAGE - below((uint32_t)size + 1);
	case 5:
		return base + (ARENA_PAGES + 2) * PAGE + below(PAGE);
	case 6:
		return 0xffff888000000000ull + (roll() & 0xffffffff);
	case 7:
		return 0xffffffff81000000ull + (roll() & 0xffffff);
	case 8:
		return 0x7ffffffff000ull - below(64);
	default:
		return roll();
	}
}

static uint64_t some_address(size_t size)
{
	return one_in(3) ? bad_address(size) : (uint64_t)(uintptr_t)good_address(size);
}

/* ---- budgets of a round ---- */

static atomic_int cpus_left, boots_left, snapshots_left;

static bool spend(atomic_int *budget)
{
	return atomic_load(budget) > 0 && atomic_fetch_sub(budget, 1) > 0;
}

/* ---- the fields of each call: mostly good ones, so that the call gets somewhere ---- */

static uint32_t some_enclave(void)
{
	struct pisces_own_info own;

	if (!one_in(4) && ioctl(slot_fd(one_in(2) ? ENCLAVE : HANDLE), PISCES_IOC_WHO, &own) == 0)
		return own.enclave;
	return one_in(2) ? below(2000) : (uint32_t)odd_number();
}

static void make_create(void *argument)
{
	struct pisces_create *c = argument;

	c->abi = PISCES_ABI_VERSION;
	memcpy(c->build_id, PISCES_BUILD_ID, sizeof(PISCES_BUILD_ID));
	if (one_in(2))
		snprintf(c->name, sizeof(c->name), "fuzz-%u", below(100));
	if (one_in(16))
		fill_random(c->name, sizeof(c->name));
	c->job = below(3);
	c->uid = uid >= 0 ? (uint32_t)uid : (uint32_t)odd_number();
}

static void make_list(void *argument)
{
	struct pisces_list *l = argument;

	l->capacity = one_in(4) ? (uint32_t)odd_number() : below(64);
	l->enclaves = some_address(64 * 4);
	l->flags = below(2);
}

/* INFO, STATUS, CONSOLE, OPEN begin with it. */
static void make_number(void *argument)
{
	*(uint32_t *)argument = some_enclave();
}

static void make_status(void *argument)
{
	struct pisces_get_status *s = argument;

	s->enclave = some_enclave();
	s->size = one_in(3) ? (uint32_t)odd_number() : 4096;
	s->status = some_address(4096);
}

static void make_blocks(void *argument)
{
	struct pisces_blocks *b = argument;

	b->capacity = one_in(3) ? (uint32_t)odd_number() : below(32);
	b->blocks = some_address(32 * sizeof(struct pisces_block));
}

static void make_note(void *argument)
{
	struct pisces_cpuset_note *n = argument;

	n->id = one_in(2) ? 0 : (uint32_t)odd_number();
	snprintf(n->path, sizeof(n->path), "/fuzz/%u", below(20));
	if (one_in(8))
		fill_random(n->path, sizeof(n->path));
	n->cpus[0] = roll() & 0xf;
}

static void make_cpu(void *argument)
{
	struct pisces_add_cpu *c = argument;

	c->linux_cpu = spend(&cpus_left) ? 1 + below(CPUS) : one_in(2) ? 0 : 4 + below(2000);
}

static void make_remove_cpu(void *argument)
{
	struct pisces_remove_cpu *c = argument;

	c->linux_cpu = spend(&cpus_left) ? 1 + below(CPUS) : 4 + below(2000);
}

static void make_memory(void *argument)
{
	struct pisces_add_memory *m = argument;

	/* Nothing between a little and more than there is: Linux must live with it. */
	m->size = one_in(3) ? odd_number() | 1ull << 45 : (uint64_t)below(9) << 21;
	m->node = below(one_in(4) ? 80 : 2);
	m->way = one_in(4) ? below(5) : 0;
	if (m->way)
		m->base = one_in(2) ? odd_number() : (uint64_t)below(64) << 27;
}

static void make_reserve(void *argument)
{
	struct pisces_reserve_block *r = argument;

	r->base = one_in(2) ? odd_number() : (uint64_t)below(64) << 27;
	r->size = one_in(2) ? odd_number() : 1ull << 27;
}

static void make_remove_memory(void *argument)
{
	struct pisces_remove_memory *m = argument;

	m->size = one_in(3) ? odd_number() : (uint64_t)below(9) << 21;
	m->node = below(one_in(4) ? 80 : 2);
}

static void make_snapshot(void *argument)
{
	struct pisces_snapshot *s = argument;

	/* A co-kernel that does not answer costs a second each time. */
	s->unused = !spend(&snapshots_left);
	s->count = one_in(3) ? (uint32_t)odd_number() : below(8);
	s->registers = some_address(8 * sizeof(struct pisces_registers));
}

static void make_layout(void *argument)
{
	struct pisces_layout *l = argument;

	l->capacity = one_in(3) ? (uint32_t)odd_number() : below(32);
	l->ranges = some_address(32 * sizeof(struct pisces_range_info));
}

static void make_cmdline(char *to)
{
	static const char *const fakes[] = {
		"ready-twice", "unknown-type", "ended-unknown", "head-wild", "console-flood",
		"indices-dance", "status-nonsense", "rings-nonsense", "bells-storm",
		"ignores-stop", "parked-runs", "never-ready", "ended-twice", "gives-foreign",
	};

	const char *name = fakes[below(sizeof(fakes) / sizeof(fakes[0]))];

	/* That one takes 30 s, which only a long run can afford. */
	if (calls < 200000 && strcmp(name, "never-ready") == 0)
		name = "ready-twice";
	snprintf(to, PISCES_CMDLINE_LEN, "fake=%s", name);
}

/*
 * Never an image that could be run and is not one of the two: it would have the whole
 * machine. So the header is wrong in a way that must be seen.
 */
static const void *wrong_image(void)
{
	struct pisces_image_header *header = good_address(2 * sizeof(*header));

	*header = image.header;
	switch (below(9)) {
	case 0:
		header->magic ^= 1ull << below(64);
		break;
	case 1:
		header->abi += 1 + below(5);
		break;
	case 2:
		header->header_size ^= 1u << below(32);
		break;
	case 3:
		header->build_id[below(8)] ^= 1;
		break;
	case 4:
		header->file_size = (uint64_t)-1 - below(4096);
		break;
	case 5:
		header->memory_size = header->file_size - 1 - below(4096);
		break;
	case 6:
		header->memory_size = 0x4000001 + (roll() >> 1);
		break;
	case 7:
		header->virtual_base ^= one_in(2) ? 1ull << below(21) : 1ull << 63;
		break;
	default:
		header->entry = header->virtual_base +
				(one_in(2) ? below(88) : header->file_size + below(64));
		break;
	}
	return header;
}

static void make_boot(void *argument)
{
	struct pisces_boot *b = argument;

	if (spend(&boots_left)) {
		const struct image *which = one_in(2) ? &image : &fake_image;

		b->image = (uint64_t)(uintptr_t)which->bytes;
		b->image_size = which->size;
		if (which == &fake_image)
			make_cmdline(b->cmdline);
		return;
	}
	if (one_in(2)) {
		b->image = bad_address(sizeof(struct pisces_image_header));
		b->image_size = one_in(2) ? image.size : odd_number();
	} else {
		b->image = (uint64_t)(uintptr_t)wrong_image();
		b->image_size = image.size;
	}
}

static void make_task(void *argument)
{
	struct pisces_task *t = argument;

	t->channel_size = one_in(4) ? (uint32_t)odd_number() : one_in(2) ? 0 : 0x10000;
	t->uid = t->gid = uid >= 0 ? (uint32_t)uid : below(2000);
	t->cpus[0] = one_in(8) ? odd_number() : 1;
	if (one_in(16))
		t->cpus[below(PISCES_CPU_WORDS)] |= roll();
}

static void make_signal(void *argument)
{
	struct pisces_signal *s = argument;

	s->signal = one_in(8) ? (uint32_t)odd_number() : 1 + below(64);
	s->code = one_in(2) ? -1 : (int32_t)odd_number();
	s->value = roll();
}

static void make_nothing(void *argument)
{
	(void)argument;
}

/* ---- the table: one line for each command ---- */

#define NEVER_USER 1u /* of a plain user this must fail */
#define CHEAP 0u

static const struct command {
	const char *name;
	enum kind on, gives; /* OTHER: no descriptor */
	unsigned int command;
	void (*make)(void *argument);
	unsigned int flags;
	unsigned int weight;
} commands[] = {
	{"VERSION", CONTROL, OTHER, PISCES_IOC_VERSION, make_nothing, CHEAP, 4},
	{"CREATE", CONTROL, ENCLAVE, PISCES_IOC_CREATE, make_create, NEVER_USER, 2},
	{"LIST", CONTROL, OTHER, PISCES_IOC_LIST, make_list, CHEAP, 6},
	{"INFO", CONTROL, OTHER, PISCES_IOC_INFO, make_number, CHEAP, 8},
	{"STATUS", CONTROL, OTHER, PISCES_IOC_STATUS, make_status, CHEAP, 8},
	{"CONSOLE", CONTROL, CONSOLE, PISCES_IOC_CONSOLE, make_number, CHEAP, 6},
	{"OPEN", CONTROL, HANDLE, PISCES_IOC_OPEN, make_number, NEVER_USER, 6},
	{"BLOCKS", CONTROL, OTHER, PISCES_IOC_BLOCKS, make_blocks, NEVER_USER, 4},
	{"RECLAIM", CONTROL, OTHER, PISCES_IOC_RECLAIM, make_nothing, NEVER_USER, 2},
	{"CPUSET_NEXT", CONTROL, OTHER, PISCES_IOC_CPUSET_NEXT, make_note, CHEAP, 4},
	{"CPUSET_DONE", CONTROL, OTHER, PISCES_IOC_CPUSET_DONE, make_note, NEVER_USER, 4},
	{"ADD_CPU", ENCLAVE, OTHER, PISCES_IOC_ADD_CPU, make_cpu, NEVER_USER, 4},
	{"ADD_MEMORY", ENCLAVE, OTHER, PISCES_IOC_ADD_MEMORY, make_memory, NEVER_USER, 2},
	{"RESERVE_BLOCK", ENCLAVE, OTHER, PISCES_IOC_RESERVE_BLOCK, make_reserve, NEVER_USER, 4},
	{"REMOVE_CPU", HANDLE, OTHER, PISCES_IOC_REMOVE_CPU, make_remove_cpu, NEVER_USER, 4},
	{"REMOVE_MEMORY", HANDLE, OTHER, PISCES_IOC_REMOVE_MEMORY, make_remove_memory, NEVER_USER,
	 4},
	{"SNAPSHOT", HANDLE, OTHER, PISCES_IOC_SNAPSHOT, make_snapshot, NEVER_USER, 3},
	{"CPUSET_NOTE", ENCLAVE, OTHER, PISCES_IOC_CPUSET_NOTE, make_note, NEVER_USER, 3},
	{"LAYOUT", HANDLE, OTHER, PISCES_IOC_LAYOUT, make_layout, NEVER_USER, 4},
	{"BOOT", ENCLAVE, OTHER, PISCES_IOC_BOOT, make_boot, NEVER_USER, 4},
	{"TASK", ENCLAVE, TASK, PISCES_IOC_TASK, make_task, NEVER_USER, 4},
	{"END", ENCLAVE, OTHER, PISCES_IOC_END, make_nothing, NEVER_USER, 1},
	{"WHO", ENCLAVE, OTHER, PISCES_IOC_WHO, make_nothing, CHEAP, 4},
	{"START", TASK, OTHER, PISCES_IOC_START, make_nothing, CHEAP, 6},
	{"BELL", TASK, OTHER, PISCES_IOC_BELL, make_nothing, CHEAP, 6},
	{"LINGER", TASK, OTHER, PISCES_IOC_LINGER, make_nothing, CHEAP, 6},
	{"SIGNAL", TASK, OTHER, PISCES_IOC_SIGNAL, make_signal, CHEAP, 24},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

enum other {
	READ, PREAD, WRITE, POLL, SEEK, DUP, CLOSE, OPEN_DEVICE, MAP, SCRIBBLE, UNMAP, FORK, WRONG
};
static const char *const other_names[] = {
	"read", "pread", "write", "poll", "lseek", "dup", "close",
	"open", "mmap", "scribble", "munmap", "fork", "wrong commands",
};

static void count(struct count *of, long result)
{
	atomic_fetch_add(result >= 0 ? &of->good : &of->bad, 1);
}

/* ---- single calls ---- */

static __thread unsigned int self;

static void begin(unsigned int command)
{
	atomic_store(&shared->thread[self].command, command);
	atomic_fetch_add(&shared->thread[self].done, 1);
	atomic_fetch_add(&shared->calls, 1);
}

static int call(const struct command *c, int fd, void *argument)
{
	int result;

	begin(c->command);
	result = ioctl(fd, c->command, argument);
	count(&shared->ioctl[c - commands], result);
	if (result >= 0 && uid >= 0 && c->flags & NEVER_USER) {
		fprintf(stderr, "fuzz: a plain user got %s\n", c->name);
		atomic_fetch_add(&shared->forbidden, 1);
	}
	if (result >= 0 && c->gives != OTHER)
		slot_put(c->gives, result);
	return result;
}

static const struct command *find(unsigned int number)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (commands[i].command == number)
			return &commands[i];
	abort();
}

static const struct command *some_command(void)
{
	static unsigned int sum;
	unsigned int at;

	if (!sum)
		for (size_t i = 0; i < COMMANDS; i++)
			sum += commands[i].weight;
	at = below(sum);
	for (size_t i = 0;; i++) {
		if (at < commands[i].weight)
			return &commands[i];
		at -= commands[i].weight;
	}
}

/* A call as it should be, but for what its generator makes of it. */
static void decent_ioctl(void)
{
	const struct command *c = some_command();
	void *argument = good_address(_IOC_SIZE(c->command) + 8);
	enum kind on = c->on;

	memset(argument, 0, _IOC_SIZE(c->command));
	c->make(argument);
	if ((on == ENCLAVE || on == HANDLE) && one_in(2))
		on = on == ENCLAVE ? HANDLE : ENCLAVE;
	call(c, slot_fd(on), argument);
}

/* On the wrong descriptor, at the wrong address, or with nonsense in its fields. */
static void indecent_ioctl(void)
{
	const struct command *c = some_command();
	size_t size = _IOC_SIZE(c->command);
	void *argument;

	/* Nonsense that happens to be a CPU or an image would cost more than its share. */
	if (c->make == make_boot || c->make == make_cpu || c->make == make_remove_cpu ||
	    c->make == make_memory || c->make == make_snapshot || one_in(2)) {
		argument = (void *)(uintptr_t)bad_address(size);
	} else {
		argument = good_address(size + 8);
		fill_random(argument, size);
	}
	call(c, one_in(2) ? any_fd() : slot_fd(c->on), argument);
}

/* Commands that there are not. */
static void wrong_ioctl(void)
{
	unsigned int command = commands[below(COMMANDS)].command;
	size_t size = _IOC_SIZE(command);

	switch (below(4)) {
	case 0: /* another size */
		command = _IOC(_IOC_DIR(command), PISCES_IOC_MAGIC, _IOC_NR(command),
			       (size + 1 + below(4000)) & 0x3fff);
		break;
	case 1: /* another direction */
		command ^= (1 + below(3)) << 30;
		break;
	default: /* another number */
		command = _IOC(below(4), PISCES_IOC_MAGIC, 0x80 + below(0x80), below(0x4000));
		break;
	}
	begin(command);
	count(&shared->other[WRONG],
	      ioctl(any_fd(), command, (void *)(uintptr_t)some_address(size + 1)));
}

/* ---- what else can be done to a descriptor ---- */

static __thread struct {
	uint8_t *at;
	size_t bytes;
} mappings[MAPPINGS];

static void unmap(unsigned int i)
{
	if (mappings[i].at)
		munmap(mappings[i].at, mappings[i].bytes);
	mappings[i].at = NULL;
}

/* Of a task, mostly; OF: of this one, or -1. */
static long map(int of)
{
	unsigned int i = below(MAPPINGS);
	size_t bytes = one_in(4) ? PAGE * (1 + below(300)) : one_in(2) ? 0x100000 : 0x10000;
	int protection = one_in(4) ? (int)below(8) : PROT_READ | PROT_WRITE;
	off_t offset = one_in(4) ? (off_t)(odd_number() & ~0xfffull) : 0;
	int fd = of >= 0 ? of : one_in(8) ? any_fd() : slot_fd(TASK);
	void *at = mmap(NULL, bytes, protection, one_in(8) ? MAP_PRIVATE : MAP_SHARED, fd, offset);

	if (at == MAP_FAILED)
		return -1;
	/* What cannot be read and written is of no use to scribble(). */
	if ((protection & 3) != 3) {
		munmap(at, bytes);
		return 0;
	}
	unmap(i);
	mappings[i].at = at;
	mappings[i].bytes = bytes;
	return 0;
}

/* What a proxy might write into its channel: a program, answers, and anything. */
static long scribble(void)
{
	unsigned int i = below(MAPPINGS);
	struct pisces_channel_layout at;
	struct pisces_ring *replies;
	struct pisces_exec *exec;

	if (!mappings[i].at || mappings[i].bytes < PISCES_CHANNEL_MIN_SIZE)
		return -1;
	at = pisces_channel_layout(mappings[i].bytes);
	switch (below(4)) {
	case 0:
		exec = (struct pisces_exec *)(void *)(mappings[i].at + at.data);
		*exec = (struct pisces_exec){.size = sizeof(*exec) + 16, .argc = 1,
					     .stack_limit = 8 << 20};
		memcpy(mappings[i].at + at.data + sizeof(*exec), "fuzz\0/bin/fuzz", 15);
		if (one_in(3))
			exec->size = exec->argc = (uint32_t)odd_number();
		break;
	case 1:
		replies = (struct pisces_ring *)(void *)(mappings[i].at + at.replies);
		for (unsigned int slot = 0; slot < 4; slot++)
			replies->slot[slot] = (struct pisces_message){.type = PISCES_MSG_REPLY,
				.tag = one_in(2) ? slot : roll(), .arg = {odd_number()}};
		__atomic_store_n(&replies->head, one_in(2) ? below(8) : (uint32_t)odd_number(),
				 __ATOMIC_RELEASE);
		break;
	case 2: /* indices */
		fill_random(mappings[i].at + (one_in(2) ? at.calls : at.replies),
			    sizeof(struct pisces_ring));
		break;
	default:
		fill_random(mappings[i].at + below((uint32_t)mappings[i].bytes - 64), 64);
		break;
	}
	return 0;
}

static long fork_and_go(void)
{
	pid_t child = fork();

	if (child == 0) {
		/* All descriptors have one owner more, for a moment. */
		ioctl(slot_fd(ENCLAVE), PISCES_IOC_WHO, arena);
		ioctl(slot_fd(TASK), PISCES_IOC_BELL);
		_exit(0);
	}
	if (child > 0)
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
	return child;
}

static long other_call(enum other what)
{
	static const enum kind readable[] = {TASK, CONSOLE, ENCLAVE, HANDLE};
	int fd = one_in(4) ? any_fd() : slot_fd(readable[below(4)]);
	size_t bytes = one_in(2) ? 8 : below(5000);
	struct pollfd poll_one = {.fd = fd, .events = (short)roll()};
	unsigned int i = below(SLOTS);
	long result;

	switch (what) {
	case READ:
		return fd > 2 ? read(fd, (void *)(uintptr_t)some_address(bytes + 1), bytes) : -1;
	case PREAD:
		return fd > 2 ? pread(fd, (void *)(uintptr_t)some_address(bytes + 1), bytes,
				      (off_t)(one_in(2) ? odd_number() : roll() & 0x17fffffff))
			      : -1;
	case WRITE:
		return fd > 2 ? write(fd, good_address(bytes + 1), bytes) : -1;
	case POLL:
		return poll(&poll_one, 1, (int)below(2));
	case SEEK:
		return lseek(fd, (off_t)odd_number(), (int)below(5));
	case DUP:
		result = fcntl(atomic_load(&slots[i].fd), F_DUPFD_CLOEXEC, 3);
		if (result >= 0)
			slot_put(slots[i].kind, (int)result);
		return result;
	case CLOSE:
		/* Not the devices: each thread would be without any at once. */
		i = 4 + below(SLOTS - 4);
		fd = atomic_exchange(&slots[i].fd, -1);
		return fd >= 0 ? close(fd) : -1;
	case OPEN_DEVICE:
		result = open(PISCES_DEVICE, (one_in(2) ? O_RDONLY : O_RDWR) | O_CLOEXEC);
		if (result >= 0)
			slot_put(CONTROL, (int)result);
		return result;
	case MAP:
		return map(-1);
	case SCRIBBLE:
		return scribble();
	case UNMAP:
		unmap(below(MAPPINGS));
		return 0;
	case FORK:
		return one_in(20) ? fork_and_go() : -1;
	default:
		return -1;
	}
}

/* ---- sequences that make sense, step by step, on what the others tear at ---- */

static int step(unsigned int command, int fd, void *argument)
{
	const struct command *c = find(command);

	begin(command);
	int result = ioctl(fd, command, argument);

	count(&shared->ioctl[c - commands], result);
	return result;
}

/*
 * The enclave of this thread's last sequence: the others are so quick to close what is
 * in the slots that it would hardly ever live until it has booted.
 */
static __thread int held = -1;

static void let_go(void)
{
	if (held >= 0)
		close(held);
	held = -1;
}

/* The one that runs for a plain user, who could not have made it. */
static int leaked_enclave = -1;

/* What can be seen of the enclave FD that runs. */
static void look_at(int fd)
{
	struct pisces_own_info own = {0};
	struct pisces_get_status status = {.size = PAGE};
	struct pisces_layout layout = {0};
	int control = open(PISCES_DEVICE, O_RDONLY | O_CLOEXEC);

	status.status = (uint64_t)(uintptr_t)good_address(PAGE);
	if (step(PISCES_IOC_WHO, fd, &own) == 0) {
		status.enclave = own.enclave;
		step(PISCES_IOC_STATUS, control, &status);
		step(PISCES_IOC_LAYOUT, fd, &layout);
	}
	close(control);
}

/* An enclave from its birth to a task that has been started. */
static void sequence(void)
{
	struct pisces_create create = {0};
	struct pisces_add_cpu cpu = {0};
	struct pisces_add_memory memory = {.size = (16 + 16 * below(2)) << 20};
	struct pisces_boot boot = {0};
	const struct image *which = one_in(3) ? &fake_image : &image;
	unsigned int wanted = 1 + below(2), first = 1 + below(3), tries;
	int fd;

	make_create(&create);
	memset(create.name, 0, sizeof(create.name));
	fd = step(PISCES_IOC_CREATE, slot_fd(CONTROL), &create);
	if (fd < 0)
		return;
	let_go();
	held = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	slot_put(ENCLAVE, fd);
	fd = held;
	for (tries = 0; tries < 3 && wanted; tries++) {
		cpu.linux_cpu = 1 + (first + tries) % 3;
		if (step(PISCES_IOC_ADD_CPU, fd, &cpu) == 0)
			wanted--;
	}
	memory.node = below(2);
	step(PISCES_IOC_ADD_MEMORY, fd, &memory);
	boot.image = (uint64_t)(uintptr_t)which->bytes;
	boot.image_size = which->size;
	if (which == &fake_image)
		make_cmdline(boot.cmdline);
	if (step(PISCES_IOC_BOOT, fd, &boot) < 0)
		return;
	look_at(fd);
	for (unsigned int i = 0; i < 1 + below(4); i++) {
		struct pisces_task task = {.cpus = {1}, .channel_size = 0x10000};
		struct pisces_signal signal = {.signal = 1 + below(64)};
		int task_fd = step(PISCES_IOC_TASK, fd, &task);

		if (task_fd < 0)
			return;
		slot_put(TASK, task_fd);
		for (tries = 0; tries < 4; tries++) {
			count(&shared->other[MAP], map(task_fd));
			count(&shared->other[SCRIBBLE], scribble());
		}
		step(PISCES_IOC_START, task_fd, NULL);
		step(PISCES_IOC_BELL, task_fd, NULL);
		step(PISCES_IOC_SIGNAL, task_fd, &signal);
	}
}

/* ---- a thread, a round ---- */

static unsigned long round_number, round_calls;
static atomic_int sequences_left;

static void *run_thread(void *number)
{
	unsigned long i;

	self = (unsigned int)(uintptr_t)number;
	atomic_store(&shared->thread[self].tid, (int)syscall(SYS_gettid));
	chance = seed * 1000003 + round_number * 64 + self;
	arena_create();
	for (i = 0; i < round_calls / threads; i++) {
		uint32_t what = below(100);

		if (what < 30) {
			decent_ioctl();
		} else if (what < 58) {
			indecent_ioctl();
		} else if (what < 72) {
			wrong_ioctl();
		} else {
			enum other other = below(WRONG);

			begin(0);
			count(&shared->other[other], other_call(other));
		}
		/* One that nobody can miss, and some more. */
		if (uid < 0 && ((self == 0 && i == 10) || one_in(256)) && spend(&sequences_left))
			sequence();
		if (uid >= 0 && self == 0 && i == 10)
			look_at(leaked_enclave);
		if (one_in(1000))
			let_go();
	}
	let_go();
	atomic_store(&shared->thread[self].tid, 0);
	return NULL;
}

static void interrupted(int signal)
{
	(void)signal;
}

/* The descriptors that a plain user holds though he could not have made them. */
static void leak(void)
{
	struct pisces_task task = {.cpus = {1}, .uid = (uint32_t)uid, .gid = (uint32_t)uid};

	for (unsigned int i = 0; i < 3; i++) {
		int fd = ioctl(leaked_enclave, PISCES_IOC_TASK, &task);

		if (fd >= 0)
			slot_put(TASK, fd);
	}
	slot_put(ENCLAVE, dup(leaked_enclave));
	slot_put(HANDLE, dup(leaked_enclave));
}

static _Noreturn void run_round(unsigned long number)
{
	struct sigaction action = {.sa_handler = interrupted};
	pthread_t ids[THREADS_MAX];

	round_number = number;
	round_calls = calls / ROUNDS_MAX;
	if (round_calls < ROUND_CALLS)
		round_calls = calls < ROUND_CALLS ? calls : ROUND_CALLS;
	chance = seed * 31 + number;
	/* Without SA_RESTART: ends a read that waits. */
	sigaction(SIGUSR1, &action, NULL);
	for (unsigned int i = 0; i < SLOTS; i++) {
		atomic_store(&slots[i].fd, -1);
		slots[i].kind = i < 4 ? CONTROL : i < 10 ? ENCLAVE : i < 16 ? HANDLE :
				i < 32 ? TASK : i < 40 ? CONSOLE : OTHER;
	}
	atomic_store(&cpus_left, 4);
	atomic_store(&boots_left, 2);
	atomic_store(&snapshots_left, 4);
	atomic_store(&sequences_left, 3);
	if (uid >= 0) {
		leak();
		if (setresgid((gid_t)uid, (gid_t)uid, (gid_t)uid) < 0 ||
		    setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) < 0)
			_exit(3);
	}
	for (unsigned int i = 0; i < 4; i++)
		atomic_store(&slots[i].fd, open(PISCES_DEVICE, O_RDONLY | O_CLOEXEC));
	for (unsigned int i = 1; i < threads; i++)
		if (pthread_create(&ids[i], NULL, run_thread, (void *)(uintptr_t)i) != 0)
			_exit(3);
	run_thread(NULL);
	for (unsigned int i = 1; i < threads; i++)
		pthread_join(ids[i], NULL);
	_exit(0);
}

/* ---- the parent ---- */

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Watches a round: wakes those that wait, and finds those that never return. */
static bool watch_round(pid_t round, unsigned long number, double kill_at)
{
	struct {
		unsigned long done;
		double since;
	} seen[THREADS_MAX] = {{0}};
	double killed = 0;
	int status;

	for (;;) {
		double now = seconds();
		pid_t ended;

		usleep(20000);
		ended = waitpid(round, &status, WNOHANG);
		if (ended == round)
			break;
		if (kill_at > 0 && now > kill_at && !killed) {
			kill(round, SIGKILL);
			killed = now;
		}
		if (killed && now > killed + HANG_S) {
			printf("# round %lu: was killed and does not end\n", number);
			return false;
		}
		for (unsigned int i = 0; i < threads; i++) {
			unsigned long done = atomic_load(&shared->thread[i].done);
			int tid = atomic_load(&shared->thread[i].tid);

			if (done != seen[i].done || !seen[i].since || !tid) {
				seen[i].done = done;
				seen[i].since = now;
				continue;
			}
			if (now > seen[i].since + 0.1)
				syscall(SYS_tgkill, round, tid, SIGUSR1);
			if (now > seen[i].since + HANG_S) {
				printf("# round %lu: thread %u hangs in command 0x%08x\n", number, i,
				       atomic_load(&shared->thread[i].command));
				kill(round, SIGKILL);
				return false;
			}
		}
	}
	if (killed)
		return true;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	printf("# round %lu: ended with wait status 0x%x\n", number, (unsigned int)status);
	return false;
}

static void load_image(struct image *to, const char *path)
{
	struct stat file;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &file) < 0) {
		perror(path);
		exit(2);
	}
	to->size = (size_t)file.st_size;
	to->bytes = mmap(NULL, to->size, PROT_READ, MAP_SHARED, fd, 0);
	if (to->bytes == MAP_FAILED) {
		perror(path);
		exit(2);
	}
	memcpy(&to->header, to->bytes, sizeof(to->header));
	close(fd);
}

/* An enclave that runs, for the plain user's descriptors; root keeps it alive. */
static void make_leaked_enclave(void)
{
	struct pisces_create create = {.abi = PISCES_ABI_VERSION, .uid = (uint32_t)uid};
	struct pisces_add_cpu cpu = {.linux_cpu = 2};
	struct pisces_add_memory memory = {.size = 64 << 20};
	struct pisces_boot boot = {.image = (uint64_t)(uintptr_t)image.bytes,
				   .image_size = image.size};
	int device = open(PISCES_DEVICE, O_RDONLY | O_CLOEXEC);

	memcpy(create.build_id, PISCES_BUILD_ID, sizeof(PISCES_BUILD_ID));
	leaked_enclave = ioctl(device, PISCES_IOC_CREATE, &create);
	if (leaked_enclave < 0 || ioctl(leaked_enclave, PISCES_IOC_ADD_CPU, &cpu) < 0 ||
	    ioctl(leaked_enclave, PISCES_IOC_ADD_MEMORY, &memory) < 0 ||
	    ioctl(leaked_enclave, PISCES_IOC_BOOT, &boot) < 0) {
		perror("fuzz-ioctl: the enclave whose descriptors leak");
		exit(2);
	}
	close(device);
}

/* However a user treats its channel: the co-kernel survives that. */
static bool leaked_enclave_lives(void)
{
	struct pollfd look = {.fd = leaked_enclave};

	return poll(&look, 1, 0) == 0;
}

static void report(double took)
{
	printf("# %lu calls in %.0f s\n", atomic_load(&shared->calls), took);
	for (size_t i = 0; i < COMMANDS; i++)
		printf("# %-14s %7lu done %7lu refused\n", commands[i].name,
		       atomic_load(&shared->ioctl[i].good), atomic_load(&shared->ioctl[i].bad));
	for (size_t i = 0; i <= WRONG; i++)
		printf("# %-14s %7lu done %7lu refused\n", other_names[i],
		       atomic_load(&shared->other[i].good), atomic_load(&shared->other[i].bad));
}

int main(int argc, char *argv[])
{
	static const struct option table[] = {
		{"seed", required_argument, NULL, 's'},
		{"calls", required_argument, NULL, 'n'},
		{"threads", required_argument, NULL, 't'},
		{"uid", required_argument, NULL, 'u'},
		{0},
	};
	double start = seconds();
	bool good = true;
	int option;

	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		unsigned long value = optarg ? strtoul(optarg, NULL, 0) : 0;

		switch (option) {
		case 's':
			seed = value;
			break;
		case 'n':
			calls = value;
			break;
		case 't':
			threads = value < 1 || value > THREADS_MAX ? 1 : (unsigned int)value;
			break;
		case 'u':
			uid = (int)value;
			break;
		default:
			return 2;
		}
	}
	if (argc - optind != 2)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	load_image(&image, argv[optind]);
	load_image(&fake_image, argv[optind + 1]);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		return 2;
	if (uid >= 0)
		make_leaked_enclave();

	for (unsigned long number = 0; good && atomic_load(&shared->calls) < calls; number++) {
		double kill_at = 0;
		pid_t round;

		memset(shared->thread, 0, sizeof(shared->thread));
		chance = seed ^ number << 20;
		/* One in four does not come to its end by itself. */
		if (one_in(4))
			kill_at = seconds() + 0.1 + below(3000) / 1e3;
		fflush(stdout);
		round = fork();
		if (round == 0)
			run_round(number);
		if (round < 0) {
			perror("fork");
			return 2;
		}
		good = watch_round(round, number, kill_at);
		if (uid >= 0 && !leaked_enclave_lives()) {
			printf("# round %lu: a plain user has killed the co-kernel\n", number);
			good = false;
		}
	}
	report(seconds() - start);
	return good && !atomic_load(&shared->forbidden) ? 0 : 1;
}
