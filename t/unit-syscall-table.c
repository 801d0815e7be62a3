/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The co-kernel's table of system calls, with handlers of this test's own: are the
 * numbers Linux's, does each call reach its handler, and is what there is not told
 * apart and counted?
 */
#include <asm/unistd_64.h>

#include "tap.h"

#include "fs/staged.h"

#include "syscall/table.c"

/* Each handler leaves its number and what it got. */
static int64_t called;
static struct syscall_args got;
static int64_t answer;

#define CALL(number, name, kind)                                          \
	int64_t syscall_##name(const struct syscall_args *args)            \
	{                                                                  \
		called = number;                                           \
		got = *args;                                               \
		return answer;                                             \
	}
#include "syscall/list.h"
#undef CALL

#define CALL(number, name, kind)                                          \
	int64_t staged_##name(const struct syscall_args *args)             \
	{                                                                  \
		(void)args;                                                \
		called = -(int64_t)number - 1;                             \
		return answer;                                             \
	}
#include "syscall/list.h"
#undef CALL

/* ---- what the table needs of the rest ---- */

static struct pisces_status status;
struct pisces_status *boot_status = &status;

static struct process process;
static struct thread thread = { .process = &process };

struct thread *thread_current(void)
{
	return &thread;
}

const char *process_name(const struct process *of)
{
	return of->path;
}

static unsigned int reports;

void process_report(struct process *of, const char *format, ...)
{
	(void)format;
	reports += of == &process;
}

struct frame *context_frame(const struct context *context)
{
	(void)context;
	return NULL;
}

/* ---- */

static const struct {
	uint32_t listed;
	uint32_t linux_number;
	const char *name;
} numbers[] = {
#define CALL(number, name, kind) { number, __NR_##name, #name },
#include "syscall/list.h"
#undef CALL
};

static int64_t dispatch(uint64_t number)
{
	struct frame frame = {
		.vector = FRAME_SYSCALL,
		.error = number,
		.rax = number,
		.rdi = 11,
		.rsi = 22,
		.rdx = 33,
		.r10 = 44,
		.r8 = 55,
		.r9 = 66,
	};

	called = -1;
	syscall_dispatch(&frame);
	return (int64_t)frame.rax;
}

static void test_numbers(void)
{
	unsigned int i, wrong = 0;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (numbers[i].listed != numbers[i].linux_number) {
			printf("# %s is %u on Linux, not %u\n", numbers[i].name,
			       numbers[i].linux_number, numbers[i].listed);
			wrong++;
		}
	}
	is_number(wrong, 0, "all numbers are Linux's");
}

static void test_entries(void)
{
	unsigned int i, entries = 0, incomplete = 0, astray = 0;

	answer = 1234;
	for (i = 0; i < SYSCALL_TABLE_SIZE; i++) {
		const struct syscall_entry *entry = &syscall_table[i];

		if (!entry->name && !entry->handler && entry->kind == SYSCALL_ABSENT)
			continue;
		entries++;
		if (!entry->name || !entry->handler || entry->kind == SYSCALL_ABSENT) {
			printf("# entry %u is incomplete\n", i);
			incomplete++;
			continue;
		}
		if (dispatch(i) != 1234 || called != i) {
			printf("# call %u (%s) went to %lld\n", i, entry->name, (long long)called);
			astray++;
		}
	}
	is_number(incomplete, 0, "every entry has a name, a handler and a kind");
	is_number(entries, ARRAY_SIZE(numbers), "and each is there once");
	is_number(astray, 0, "every call reaches its own handler");
}

static void test_arguments(void)
{
	static const uint64_t expected[6] = { 11, 22, 33, 44, 55, 66 };

	answer = -EFAULT;
	is_number(dispatch(__NR_read), -EFAULT, "the handler's result is the call's");
	ok(memcmp(got.a, expected, sizeof(expected)) == 0,
	   "arguments come from rdi, rsi, rdx, r10, r8, r9");
	answer = 0;
	dispatch(0xabcdef0000000000ull | __NR_getpid);
	is_number(called, __NR_getpid, "a call's number has 32 bits, as on Linux");
}

static void test_absent(void)
{
	const uint32_t last = PISCES_STATUS_CALLS - 1;

	memset(&status, 0, sizeof(status));
	is_number(dispatch(__NR_fork), -ENOSYS, "what is not there is ENOSYS");
	is_number(status.missing[__NR_fork], 1, "and counted by its number");
	dispatch(__NR_fork);
	is_number(status.missing[__NR_fork], 2, "each time");
	is_number(reports, 1, "the user is told of fork once");
	is_number(dispatch(last), -ENOSYS, "a number at the end of the counters");
	is_number(dispatch(SYSCALL_TABLE_SIZE), -ENOSYS, "a number behind the table");
	is_number(dispatch(UINT32_MAX), -ENOSYS, "the largest number");
	is_number(status.missing[last], 3, "count in the last counter");
	answer = -ENOSYS;
	dispatch(__NR_mremap);
	is_number(status.missing[__NR_mremap], 1, "so does a call that cannot do what was asked");
	answer = 0;
	dispatch(__NR_mremap);
	is_number(status.missing[__NR_mremap], 1, "but not one that did it");
	is_number(reports, 1, "and nobody is told of other calls");
	process.told_no_fork = false;
	answer = -ENOSYS;
	dispatch(__NR_clone);
	is_number(reports, 2, "a clone that is none of a thread is a fork");
	answer = 0;
}

/* A process with staged I/O: what others forward goes to handlers of its own. */
static void test_staged(void)
{
	static struct staged staged;
	unsigned int astray = 0;

	answer = 0;
	process.staged = &staged;
#define IS_OWN_INSIDE 0
#define IS_OWN_FORWARDED 1
#define IS_OWN_EITHER 1
#define CALL(number, name, kind)                                                   \
	dispatch(number);                                                           \
	astray += called != (IS_OWN_##kind ? -(int64_t)number - 1 : (int64_t)number);
#include "syscall/list.h"
#undef CALL
	is_number(astray, 0, "with staged I/O each call that would be forwarded has its own handler");
	process.staged = NULL;
}

static void test_own(void)
{
	int64_t before = dispatch(SYSCALL_COUNT_OWN);

	dispatch(__NR_getpid);
	is_number(dispatch(SYSCALL_COUNT_OWN), before + 2, "a thread can ask how often it called");
}

int main(void)
{
	test_numbers();
	test_entries();
	test_arguments();
	test_absent();
	test_staged();
	test_own();
	return done();
}
