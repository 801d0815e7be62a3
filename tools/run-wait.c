/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pisces run: while the tasks run. Signals go in, labelled lines come out. */
#include "run.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* Proxies hear of the death when we do and end at once, but for one that was stopped. */
#define PROXIES_MS 2000

static const int forwarded[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

void run_signals(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++)
		sigaddset(set, forwarded[i]);
	sigaddset(set, SIGCHLD);
}

static void write_line(const struct run_stream *stream, unsigned int id, const char *text,
		       size_t length)
{
	fprintf(stream->to, "%u: ", id);
	fwrite(text, 1, length, stream->to);
	putc('\n', stream->to);
}

/* Reads what there is and writes the whole lines of it. Closes the stream at its end. */
static void pump(struct run_stream *stream, unsigned int id)
{
	ssize_t got =
		read(stream->fd, stream->line + stream->have, sizeof(stream->line) - stream->have);
	const char *at = stream->line, *end, *newline;

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got > 0)
		stream->have += (size_t)got;
	end = stream->line + stream->have;
	while ((newline = memchr(at, '\n', (size_t)(end - at)))) {
		write_line(stream, id, at, (size_t)(newline - at));
		at = newline + 1;
	}
	stream->have = (size_t)(end - at);
	memmove(stream->line, at, stream->have);
	/* A line longer than the buffer comes in pieces; a last one may lack its newline. */
	if (stream->have == sizeof(stream->line) || (got <= 0 && stream->have > 0)) {
		write_line(stream, id, stream->line, stream->have);
		stream->have = 0;
	}
	fflush(stream->to);
	if (got <= 0) {
		close(stream->fd);
		stream->fd = -1;
	}
}

static void forward(const struct signalfd_siginfo *info, struct run_task *tasks, unsigned int count)
{
	/*
	 * From the terminal it has gone to the proxies as well, which are of this group; but
	 * that the terminal hung up, only the leader of the session hears.
	 */
	if (info->ssi_code == SI_KERNEL && info->ssi_signo != SIGHUP)
		return;
	for (unsigned int i = 0; i < count; i++) {
		if (!tasks[i].ended)
			kill(tasks[i].pid, (int)info->ssi_signo);
	}
}

static void collect(struct run_task *tasks, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		if (!tasks[i].ended && waitpid(tasks[i].pid, &tasks[i].status, WNOHANG) > 0)
			tasks[i].ended = true;
	}
}

static int exit_code(const struct run_task *tasks, unsigned int count)
{
	int highest = 0;

	for (unsigned int i = 0; i < count; i++) {
		int code = WIFSIGNALED(tasks[i].status) ? 128 + WTERMSIG(tasks[i].status)
							: WEXITSTATUS(tasks[i].status);

		if (code > highest)
			highest = code;
	}
	return highest;
}

static bool any_alive(const struct run_task *tasks, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		if (!tasks[i].ended || tasks[i].out.fd >= 0 || tasks[i].err.fd >= 0)
			return true;
	}
	return false;
}

/*
 * Waits for a signal, for output, at most MS ms (-1: for ever), and deals with it. True
 * as soon as the co-kernel of ENCLAVE_FD (-1: not asked for) is dead.
 */
static bool step(int enclave_fd, int signals, struct pollfd *polls, struct run_task *tasks,
		 unsigned int count, int ms)
{
	struct signalfd_siginfo info;

	polls[0] = (struct pollfd){.fd = signals, .events = POLLIN};
	polls[1] = (struct pollfd){.fd = enclave_fd};
	for (unsigned int i = 0; i < count; i++) {
		polls[2 + 2 * i] = (struct pollfd){.fd = tasks[i].out.fd, .events = POLLIN};
		polls[3 + 2 * i] = (struct pollfd){.fd = tasks[i].err.fd, .events = POLLIN};
	}
	if (poll(polls, 2 + 2 * (nfds_t)count, ms) < 0)
		return false;
	for (unsigned int i = 0; i < count; i++) {
		if (polls[2 + 2 * i].revents)
			pump(&tasks[i].out, i);
		if (polls[3 + 2 * i].revents)
			pump(&tasks[i].err, i);
	}
	if (!polls[0].revents)
		return polls[1].revents & POLLHUP;
	while (read(signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGCHLD)
			forward(&info, tasks, count);
	}
	collect(tasks, count);
	return polls[1].revents & POLLHUP;
}

/* In the words of the proxies, which have no chance to say it any more. */
static void tell_death(int enclave_fd)
{
	struct pisces_own_info own;
	struct pisces_error error;
	struct pisces_info info;

	if (ioctl(enclave_fd, PISCES_IOC_WHO, &own) < 0 ||
	    pisces_info(own.enclave, &info, &error) < 0)
		return;
	fprintf(stderr, "enclave: the co-kernel of enclave %" PRIu32 " died: %s\n", own.enclave,
		info.reason[0] ? info.reason : "no reason known");
}

/* The co-kernel has died: the tasks' last output, and their end. */
static int wait_for_death(int enclave_fd, int signals, struct pollfd *polls,
			  struct run_task *tasks, unsigned int count)
{
	const uint64_t limit = pisces_now_ns() + PROXIES_MS * PISCES_MS;
	int64_t left;

	while (any_alive(tasks, count) && (left = (int64_t)(limit - pisces_now_ns())) > 0)
		step(-1, signals, polls, tasks, count, (int)(left / (int64_t)PISCES_MS) + 1);
	if (any_alive(tasks, count)) {
		run_kill(tasks, count);
		tell_death(enclave_fd);
	}
	return RUN_DEAD;
}

int run_wait(int enclave_fd, struct run_task *tasks, unsigned int count)
{
	struct pollfd *polls = calloc(2 + 2 * (size_t)count, sizeof(*polls));
	bool dead = false;
	sigset_t set;
	int signals, code;

	run_signals(&set);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (!polls || signals < 0) {
		fprintf(stderr, "enclave: cannot wait for the program: %s\n", strerror(errno));
		run_kill(tasks, count);
		free(polls);
		return TOOL_FAILED;
	}
	while (!dead && any_alive(tasks, count))
		dead = step(enclave_fd, signals, polls, tasks, count, -1);
	if (dead && any_alive(tasks, count))
		code = wait_for_death(enclave_fd, signals, polls, tasks, count);
	else
		code = exit_code(tasks, count);
	close(signals);
	free(polls);
	return code;
}
