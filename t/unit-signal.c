/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signals of the co-kernel that are queued, read and waited for, with Linux itself behind
 * the calls that a proxy would execute: so what is seen of a signal file by poll(2) and
 * epoll(7) is what a program in an enclave sees.
 */
#include "unit-signal-rest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include "tap.h"

#include "arch/time.h"
#include "lib/errno.h"
#include "syscall/handlers.h"
#include "syscall/own_file.h"
#include "syscall/signal_wait.h"
#include "task/signal.h"
#include "task/signal_file.h"

#define SIGNAL_A 10
#define SIGNAL_B 12
#define REALTIME 40

static void clear(void)
{
	signal_files_free(&process);
	process.signal_files = NULL;
	signal_queue_clear(&process.pending);
	signal_queue_clear(&threads[0].signals.pending);
	signal_queue_clear(&threads[1].signals.pending);
}

static void reset(signal_set_t blocked)
{
	unsigned int i;

	if (process.thread_count != 0)
		clear();
	signal_queue_init(&process.pending);
	list_init(&process.threads);
	memset(process.actions, 0, sizeof(process.actions));
	for (i = 0; i < 2; i++) {
		memset(&threads[i], 0, sizeof(threads[i]));
		threads[i].process = &process;
		threads[i].tid = process.pid + i;
		threads[i].signals.blocked = blocked;
		signal_queue_init(&threads[i].signals.pending);
		list_append(&process.threads, &threads[i].process_link);
	}
	process.thread_count = 2;
	running = &threads[0];
}

static int queue_to(struct thread *thread, int signal, int code, uint64_t value)
{
	struct signal_info info = { .signo = signal, .code = code };

	info.from.pid = 55;
	info.from.uid = 66;
	info.from.value = value;
	return thread ? signal_send_thread(thread, &info) : signal_send_process(&process, &info);
}

static int queue(int signal, uint64_t value)
{
	return queue_to(NULL, signal, -1, value);
}

static int64_t open_file(signal_set_t set, uint32_t flags)
{
	const struct syscall_args args = { { (uint64_t)-1, (uint64_t)&set, 8, flags } };

	return syscall_signalfd4(&args);
}

static struct signalfd_siginfo got[8];

static int64_t read_file(int64_t fd, uint64_t size)
{
	struct signal_file *file = signal_file_get((int)fd);
	int64_t result = -EBADF;

	if (!file)
		return result;
	result = signal_file_read((int)fd, file, (user_addr_t)got, size);
	signal_file_put(file);
	return result;
}

/* poll(2) or epoll_wait(2) of a program: what a signal ends is a wait of the proxy. */
static int64_t wait_for(int64_t fd, bool epoll, nsec_t span)
{
	struct pollfd entry = { .fd = (int)fd, .events = POLLIN | POLLOUT };
	struct epoll_event event;
	struct signal_wait wait;
	int64_t result;
	int limit;

	signal_wait_begin(&wait, span);
	do {
		limit = (int)signal_wait_left(&wait);
		result = epoll ? epoll_wait((int)fd, &event, 1, 0) : poll(&entry, 1, 0);
		if (result == 0 && limit != 0) {
			begin_to_wait();
			if (signal_pending())
				result = -ERESTARTSYS;
			else
				result = epoll ? epoll_wait((int)fd, &event, 1, limit) :
						 poll(&entry, 1, limit);
		}
	} while (signal_wait_again(&wait, result));
	if (!epoll && result == 1 && entry.revents != POLLIN)
		return -EIO;
	return result;
}

#define POLL(fd, span) wait_for(fd, false, span)
#define EPOLL(fd, span) wait_for(fd, true, span)

static void test_queue(void)
{
	struct signal_info info;
	int i, sent = 0;

	reset(~0ull);
	is_number(queue(SIGNAL_A, 1), 1, "a signal is queued");
	is_number(queue(SIGNAL_A, 2), 0, "another one of the kind is merged");
	is_number(queue(REALTIME, 3), 1, "a real-time signal is queued");
	is_number(queue(REALTIME, 4), 1, "and another one");
	is_number(queue(REALTIME - 1, 5), 1, "and one with a lower number");
	queue(SIGNAL_SEGV, 6);
	queue_to(running, REALTIME, -6, 7);
	is_number(signal_take(~0ull, &info), REALTIME, "what is the thread's comes first");
	is_number(info.code, -6, "with its code");
	is_number(signal_take(~0ull, &info), SIGNAL_SEGV, "then faults");
	is_number(signal_take(~0ull, &info), SIGNAL_A, "then low numbers");
	is_number((long long)info.from.value, 1, "the first of those that were merged");
	is_number(info.from.pid, 55, "from whom it was");
	is_number(signal_take(~0ull, &info), REALTIME - 1, "then higher ones");
	signal_take(~0ull, &info);
	is_number((long long)info.from.value, 3, "of one number the first");
	signal_take(~0ull, &info);
	is_number((long long)info.from.value, 4, "before the second");
	is_number(signal_take(~0ull, &info), 0, "and that is all");

	for (i = 0; i < 2000; i++)
		sent += queue(REALTIME, (uint64_t)i) == 1;
	is_number(sent, 1024, "so many can wait");
	is_number(queue(REALTIME, 0), -EAGAIN, "the next one is refused");
	is_number(queue_to(NULL, REALTIME + 1, SIGNAL_CODE_USER, 0), 1, "but not one by kill(2)");
	is_number(signal_take(SIGNAL_BIT(REALTIME + 1), &info), REALTIME + 1, "which comes");
	is_number(info.from.pid, 0, "from nobody");
	for (i = 0; signal_take(~0ull, &info); i++)
		;
	is_number(i, 1024, "and so do all others");
}

static void test_inherit(void)
{
	struct signal_action action = { .handler = 0x1000 }, old;

	reset(0);
	signal_inherit(SIGNAL_BIT(SIGNAL_HUP) | SIGNAL_BIT(SIGNAL_KILL), SIGNAL_BIT(SIGNAL_A));
	signal_set_action(SIGNAL_HUP, NULL, &old);
	is_number((long long)old.handler, SIGNAL_IGNORE, "what was ignored is ignored");
	signal_set_action(SIGNAL_KILL, NULL, &old);
	is_number((long long)old.handler, SIGNAL_DEFAULT, "but for SIGKILL");
	is_number((long long)threads[0].signals.blocked, SIGNAL_BIT(SIGNAL_A), "blocked is blocked");
	is_number(queue(SIGNAL_HUP, 0), 0, "what is ignored is not queued");
	signal_set_action(SIGNAL_HUP, &action, &old);
	is_number(queue(SIGNAL_HUP, 0), 1, "with a handler it is");
	ok(signal_pending(), "and is delivered");

	reset(0);
	queue(SIGNAL_HUP, 0);
	signal_inherit(SIGNAL_BIT(SIGNAL_HUP), 0);
	ok(!signal_pending(), "one that came before the program began is ignored too");
	queue(SIGNAL_A, 0);
	signal_inherit(SIGNAL_BIT(SIGNAL_A), SIGNAL_BIT(SIGNAL_A));
	ok(!signal_pending() && process.pending.set == SIGNAL_BIT(SIGNAL_A),
	   "unless it is blocked as well");
}

static void test_read(void)
{
	signal_set_t set = SIGNAL_BIT(SIGNAL_A) | SIGNAL_BIT(REALTIME);
	int64_t fd;
	int before;

	reset(~0ull);
	fd = open_file(set, SFD_NONBLOCK);
	ok(fd >= 0, "a signal file");
	is_number(read_file(fd, 128), -EAGAIN, "there is nothing to read");
	is_number(read_file(fd, 127), -EINVAL, "nor room for it");
	queue(REALTIME, 1);
	queue(SIGNAL_B, 2);
	queue(REALTIME, 0x500000003);
	queue_to(NULL, SIGNAL_A, SIGNAL_CODE_USER, 0);
	is_number(read_file(fd, 2 * 128 + 127), 256, "as many as fit");
	is_number(got[0].ssi_signo, SIGNAL_A, "in their order");
	is_number(got[0].ssi_pid, 55, "from whom");
	is_number((long long)got[0].ssi_ptr, 0, "without a value");
	is_number(got[1].ssi_signo, REALTIME, "and the next");
	is_number(got[1].ssi_int, 1, "with its value");
	is_number(read_file(fd, sizeof(got)), 128, "then the rest");
	is_number((long long)got[0].ssi_ptr, 0x500000003, "with all of its value");
	is_number(got[0].ssi_int, 3, "or half of it");
	is_number((long long)process.pending.set, SIGNAL_BIT(SIGNAL_B), "others stay");
	before = calls;
	queue(REALTIME, 1);
	is_number(read_file(fd, 128), 128, "what is there is read");
	is_number(calls, before, "without the proxy");
	close((int)fd);
}

static void send_read(void)
{
	queue(REALTIME, 9);
}

static void send_other(void)
{
	queue(SIGNAL_B, 9);
}

static void send_both(void)
{
	send_read();
	send_other();
}

static int64_t file;

static void change_set(void)
{
	signal_file_set((int)file, SIGNAL_BIT(SIGNAL_A));
}

static void test_waits(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT };
	signal_set_t set = SIGNAL_BIT(REALTIME);
	int64_t fd, other;
	int epoll = epoll_create1(0), before;
	nsec_t start;

	reset(set | SIGNAL_BIT(SIGNAL_A));
	fd = file = open_file(set, 0);
	while_waiting = send_read;
	is_number(read_file(fd, sizeof(got)), 128, "a read that waits is ended by what it reads");
	ok(!signal_pending() && !running->signals.watching, "and is over then");
	process.actions[SIGNAL_B - 1].handler = 0x1000;
	while_waiting = send_other;
	is_number(read_file(fd, 128), -ERESTARTSYS, "or by another signal, to deliver it");
	ok(signal_pending(), "which is there");
	signal_queue_clear(&process.pending);
	while_waiting = send_both;
	is_number(read_file(fd, 128), 128, "of both, what it reads is read");
	signal_queue_clear(&process.pending);
	signal_really_pending();
	queue(SIGNAL_A, 4);
	while_waiting = change_set;
	is_number(read_file(fd, 128), 128, "or by another set");
	is_number(got[0].ssi_signo, SIGNAL_A, "with what it reads now");
	signal_file_set((int)fd, set);

	is_number(POLL(fd, 0), 0, "poll: nothing to read");
	queue(REALTIME, 1);
	is_number(POLL(fd, 0), 1, "poll: something");
	before = calls;
	is_number(POLL(fd, NSEC_FOREVER), 1, "still");
	is_number(calls, before, "and the proxy knows it already");
	read_file(fd, 128);
	is_number(POLL(fd, 0), 0, "not when it has been read");
	while_waiting = send_read;
	is_number(POLL(fd, NSEC_FOREVER), 1, "poll ends when it comes");
	read_file(fd, 128);
	while_waiting = send_other;
	is_number(POLL(fd, NSEC_FOREVER), -ERESTARTSYS, "and by another signal");
	while_waiting = NULL;
	signal_queue_clear(&process.pending);
	signal_really_pending();
	start = time_now();
	is_number(POLL(fd, 30000000), 0, "and when its time is over");
	ok(time_now() - start >= 30000000, "but not before");
	ok(!running->signals.watching, "and does not look any more");

	ok(epoll_ctl(epoll, EPOLL_CTL_ADD, (int)fd, &event) == 0, "in an epoll");
	is_number(EPOLL(epoll, 0), 0, "epoll: nothing");
	while_waiting = send_read;
	is_number(EPOLL(epoll, NSEC_FOREVER), 1, "epoll: when it comes");
	read_file(fd, 128);
	is_number(EPOLL(epoll, 0), 0, "epoll: not when it has been read");
	event.events = EPOLLIN | EPOLLET;
	epoll_ctl(epoll, EPOLL_CTL_MOD, (int)fd, &event);
	queue(REALTIME, 1);
	is_number(EPOLL(epoll, 0), 1, "edges: one");
	is_number(EPOLL(epoll, 0), 0, "is told once");
	queue(REALTIME, 1);
	is_number(EPOLL(epoll, 0), 1, "the next one again");
	is_number(EPOLL(epoll, 0), 0, "once");
	read_file(fd, sizeof(got));

	/* For one thread alone. */
	queue_to(&threads[1], REALTIME, -6, 1);
	is_number(POLL(fd, 0), 0, "what is another thread's is not seen");
	running = &threads[1];
	is_number(POLL(fd, 0), 1, "but by that thread");
	is_number(read_file(fd, 128), 128, "which reads it");
	running = &threads[0];
	is_number(POLL(fd, 0), 0, "and then nobody sees it");

	other = dup((int)fd);
	is_number(signal_file_copy((int)fd, (int)other), 0, "a copy");
	signal_file_forget((uint32_t)fd, (uint32_t)fd);
	close((int)fd);
	ok(!signal_file_is((int)fd) && signal_file_is((int)other), "outlives the first");
	queue(REALTIME, 1);
	is_number(POLL(other, 0), 1, "and is as good");
	is_number(signal_file_copy(0, (int)other), 0, "something else in its place");
	ok(!signal_file_is((int)other) && !signal_files_exist(), "and it is gone");
	close((int)other);
	close(epoll);
}

static int64_t made;

static void make_one(void)
{
	struct thread *before = running;

	running = &threads[1];
	made = open_file(SIGNAL_BIT(REALTIME), 0);
	running = before;
	epoll_ctl((int)file, EPOLL_CTL_ADD, (int)made, &(struct epoll_event){ .events = EPOLLIN });
	queue(REALTIME, 1);
}

static void test_many(void)
{
	int64_t fd[65];
	int i;

	reset(~0ull);
	file = epoll_create1(0);
	while_waiting = make_one;
	is_number(EPOLL(file, NSEC_FOREVER), 1, "one that another thread makes while this one waits");
	close((int)file);
	close((int)made);

	reset(~0ull);
	for (i = 0; i < 65; i++)
		fd[i] = open_file(SIGNAL_BIT(REALTIME), 0);
	ok(fd[63] >= 0, "64 signal files");
	is_number(fd[64], -ENOMEM, "and no more");
	is_number(open("/dev/null", O_RDONLY), fd[63] + 1, "nor a descriptor that is left over");
	queue(REALTIME, 1);
	is_number(POLL(fd[63], 0), 1, "all can be read");
	is_number(POLL(fd[0], 0), 1, "as long as nobody has");
	read_file(fd[5], 128);
	is_number(POLL(fd[63], 0), 0, "then none");
	signal_file_forget(0, UINT32_MAX);
	ok(!signal_files_exist(), "all are closed");
	clear();
}

int main(void)
{
	test_queue();
	test_inherit();
	test_read();
	test_waits();
	test_many();
	return done();
}
