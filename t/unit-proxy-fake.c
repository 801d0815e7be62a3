/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit-proxy-fake.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "proxy/descriptor.h"
#include "proxy/message.h"
#include "proxy/run.h"

#define LIMIT_MS 30000

int fake_start_error;
int fake_signal_refusals;

/* In the child: what stands for the module. */
static struct {
	uint8_t *memory;
	int rung;
	int signals;
} module;

_Noreturn static void give_up(const char *why)
{
	printf("Bail out! %s\n", why);
	fflush(stdout);
	_exit(1);
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t now_ms(void)
{
	return now_us() / 1000;
}

static uint8_t *fake_map(struct task *task, uint64_t *size)
{
	*size = task->channel_size;
	return module.memory;
}

static int fake_start_program(struct task *task)
{
	(void)task;
	const struct pisces_signal none = { 0 };

	if (fake_start_error == 0 &&
	    write(module.signals, &none, sizeof(none)) != (ssize_t)sizeof(none))
		return -EIO;
	return -fake_start_error;
}

/* As the module does it: a signal first, then calls; but the test has more threads than CPUs. */
static int fake_linger(struct task *task, uint32_t seen)
{
	struct pisces_channel_layout at = pisces_channel_layout(task->channel_size);
	struct pisces_ring *calls = (struct pisces_ring *)(module.memory + at.calls);
	int64_t end = now_us() + PISCES_LINGER_US;
	sigset_t pending;

	do {
		if (sigpending(&pending) == 0 && !sigisemptyset(&pending))
			return -EINTR;
		if (__atomic_load_n(&calls->head, __ATOMIC_ACQUIRE) != seen)
			return 0;
		sched_yield();
	} while (now_us() < end);
	return -ETIME;
}

static void fake_bell(struct task *task)
{
	uint64_t one = 1;

	(void)task;
	if (write(module.rung, &one, sizeof(one)) < 0)
		return;
}

static int fake_forward(struct task *task, const struct pisces_signal *signal)
{
	(void)task;
	if (fake_signal_refusals > 0) {
		fake_signal_refusals--;
		return -EAGAIN;
	}
	return write(module.signals, signal, sizeof(*signal)) == (ssize_t)sizeof(*signal) ? 0 : -EIO;
}

static void fake_obituary(struct task *task, char *text, size_t size)
{
	snprintf(text, size, "the co-kernel of enclave %u died: a test wanted it", task->enclave);
}

static const struct task_ops fake_ops = {
	.map = fake_map,
	.start = fake_start_program,
	.linger = fake_linger,
	.bell = fake_bell,
	.signal = fake_forward,
	.obituary = fake_obituary,
};

static int argument_count(char *const argv[])
{
	int count = 0;

	while (argv[count])
		count++;
	return count;
}

static void make_pipe(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC) < 0)
		give_up("pipe");
}

void fake_start(struct fake *fake, char *const argv[], char *const environment[])
{
	static char *nothing[] = { NULL };
	int bell[2], signals[2], in[2], out[2], err[2];
	struct pisces_channel_layout at = pisces_channel_layout(FAKE_CHANNEL);

	memset(fake, 0, sizeof(*fake));
	fake->memory = mmap(NULL, FAKE_CHANNEL, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			    -1, 0);
	if (fake->memory == MAP_FAILED)
		give_up("mmap");
	pisces_ring_init((struct pisces_ring *)(fake->memory + at.calls), PISCES_CHANNEL_SLOTS);
	pisces_ring_init((struct pisces_ring *)(fake->memory + at.replies), PISCES_CHANNEL_SLOTS);
	pisces_ring_attach(&fake->calls, (struct pisces_ring *)(fake->memory + at.calls),
			   PISCES_CHANNEL_SLOTS);
	pisces_ring_attach(&fake->replies, (struct pisces_ring *)(fake->memory + at.replies),
			   PISCES_CHANNEL_SLOTS);
	fake->data = fake->memory + at.data;
	fake->data_size = at.data_size;
	make_pipe(bell);
	make_pipe(signals);
	make_pipe(in);
	make_pipe(out);
	make_pipe(err);
	fake->rung = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	fflush(stdout);
	fake->pid = fork();
	if (fake->pid < 0)
		give_up("fork");
	if (fake->pid == 0) {
		struct task task = {
			.ops = &fake_ops,
			.enclave = FAKE_ENCLAVE,
			.channel_size = FAKE_CHANNEL,
		};

		/* Its parent is in another group, and so SIGTSTP stops it wherever we run. */
		setpgid(0, 0);
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(err[1], 2);
		close(in[0]);
		close(in[1]);
		close(out[0]);
		close(out[1]);
		close(err[0]);
		close(err[1]);
		close(bell[1]);
		close(signals[0]);
		module.memory = fake->memory;
		module.rung = descriptor_hide(fake->rung);
		module.signals = descriptor_hide(signals[1]);
		message_open();
		task.fd = descriptor_hide(bell[0]);
		run(&task, argument_count(argv), argv, environment ? environment : nothing);
	}
	close(bell[0]);
	close(signals[1]);
	close(in[0]);
	close(out[1]);
	close(err[1]);
	fake->bell = bell[1];
	fake->signals = signals[0];
	fake->in = in[1];
	fake->out = out[0];
	fake->err = err[0];
}

void fake_start_true(struct fake *fake)
{
	static char *argv[] = { "/bin/true", NULL };
	struct pollfd wait;
	struct pisces_signal started;

	fake_start(fake, argv, NULL);
	wait = (struct pollfd){ .fd = fake->signals, .events = POLLIN };
	if (poll(&wait, 1, LIMIT_MS) != 1 || read(fake->signals, &started, sizeof(started)) <= 0)
		give_up("the proxy did not start the program");
	memset(fake->data, 0, fake->data_size);
}

void fake_send(struct fake *fake, const struct pisces_message *message)
{
	uint64_t one = 1;

	if (pisces_ring_put(&fake->calls, message) != PISCES_RING_OK)
		give_up("the proxy does not take its calls");
	if (pisces_ring_must_wake(&fake->calls) && write(fake->bell, &one, sizeof(one)) < 0 &&
	    errno != EPIPE)
		give_up("cannot ring");
}

uint64_t fake_call(struct fake *fake, uint32_t number, uint64_t a, uint64_t b, uint64_t c,
		   uint64_t d, uint64_t e, uint64_t f)
{
	struct pisces_message message = {
		.type = PISCES_MSG_CALL,
		.number = number,
		.tag = ++fake->tag,
		.arg = { a, b, c, d, e, f },
	};

	fake_send(fake, &message);
	return message.tag;
}

void fake_cancel(struct fake *fake, uint64_t tag)
{
	struct pisces_message message = { .type = PISCES_MSG_CANCEL, .tag = tag };

	fake_send(fake, &message);
}

void fake_exit(struct fake *fake, uint64_t wait_status)
{
	struct pisces_message message = { .type = PISCES_MSG_TASK_EXIT, .arg = { wait_status } };

	fake_send(fake, &message);
}

bool fake_reply(struct fake *fake, uint64_t *tag, int64_t *result, int ms)
{
	int64_t end = now_ms() + ms;
	struct pisces_message message;

	for (;;) {
		struct pollfd wait = { .fd = fake->rung, .events = POLLIN };
		int64_t left;
		uint64_t rings;

		switch (pisces_ring_get(&fake->replies, &message)) {
		case PISCES_RING_OK:
			if (message.type != PISCES_MSG_REPLY)
				give_up("the proxy sent something that is no REPLY");
			*tag = message.tag;
			*result = (int64_t)message.arg[0];
			return true;
		case PISCES_RING_BROKEN:
			give_up("the proxy's ring is broken");
		case PISCES_RING_AGAIN:
			break;
		}
		if (!pisces_ring_may_sleep(&fake->replies, 0))
			continue;
		left = end - now_ms();
		if (left <= 0)
			return false;
		if (poll(&wait, 1, (int)left) == 1 && read(fake->rung, &rings, 8) < 0)
			give_up("eventfd");
	}
}

int64_t fake_result(struct fake *fake, uint64_t tag)
{
	int64_t result;
	uint64_t got;

	if (!fake_reply(fake, &got, &result, LIMIT_MS))
		give_up("no reply");
	if (got != tag) {
		printf("# a reply to call %llu, not to %llu\n", (unsigned long long)got,
		       (unsigned long long)tag);
		give_up("another call was answered");
	}
	return result;
}

uint64_t fake_put(struct fake *fake, uint64_t offset, const char *text)
{
	memcpy(fake->data + offset, text, strlen(text) + 1);
	return offset;
}

struct pisces_signal fake_signal_info(struct fake *fake, int ms)
{
	struct pollfd wait = { .fd = fake->signals, .events = POLLIN };
	struct pisces_signal signal;

	if (poll(&wait, 1, ms) != 1 ||
	    read(fake->signals, &signal, sizeof(signal)) != (ssize_t)sizeof(signal))
		memset(&signal, 0, sizeof(signal));
	return signal;
}

int fake_signal(struct fake *fake, int ms)
{
	return (int)fake_signal_info(fake, ms).signal;
}

void fake_die(struct fake *fake)
{
	close(fake->bell);
	fake->bell = -1;
}

int fake_wait(struct fake *fake)
{
	int64_t end = now_ms() + LIMIT_MS;
	struct timespec moment = { 0, 1000000 };
	int status;

	while (waitpid(fake->pid, &status, WNOHANG) == 0) {
		if (now_ms() > end) {
			kill(fake->pid, SIGKILL);
			give_up("the proxy does not end");
		}
		nanosleep(&moment, NULL);
	}
	fake->pid = 0;
	return status;
}

char *fake_read_all(int fd, char *text, size_t size)
{
	size_t used = 0;
	ssize_t got;

	while (used < size - 1 && (got = read(fd, text + used, size - 1 - used)) > 0)
		used += (size_t)got;
	text[used] = '\0';
	return text;
}

void fake_close(struct fake *fake)
{
	if (fake->pid > 0) {
		kill(fake->pid, SIGKILL);
		fake_wait(fake);
	}
	if (fake->bell >= 0)
		close(fake->bell);
	close(fake->signals);
	if (fake->in >= 0)
		close(fake->in);
	close(fake->out);
	close(fake->err);
	close(fake->rung);
	munmap(fake->memory, FAKE_CHANNEL);
}
