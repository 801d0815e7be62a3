/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pisces run: while the tasks run. Signals go in, labelled lines come out. */
#include "run.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

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
	/* From the terminal it has gone to the proxies as well, which are of this group. */
	if (info->ssi_code == SI_KERNEL)
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

/* Waits for a signal or for output, and deals with it. */
static void step(int signals, struct pollfd *polls, struct run_task *tasks, unsigned int count)
{
	struct signalfd_siginfo info;

	polls[0] = (struct pollfd){.fd = signals, .events = POLLIN};
	for (unsigned int i = 0; i < count; i++) {
		polls[1 + 2 * i] = (struct pollfd){.fd = tasks[i].out.fd, .events = POLLIN};
		polls[2 + 2 * i] = (struct pollfd){.fd = tasks[i].err.fd, .events = POLLIN};
	}
	if (poll(polls, 1 + 2 * (nfds_t)count, -1) < 0)
		return;
	for (unsigned int i = 0; i < count; i++) {
		if (polls[1 + 2 * i].revents)
			pump(&tasks[i].out, i);
		if (polls[2 + 2 * i].revents)
			pump(&tasks[i].err, i);
	}
	if (!polls[0].revents)
		return;
	while (read(signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGCHLD)
			forward(&info, tasks, count);
	}
	collect(tasks, count);
}

int run_wait(struct run_task *tasks, unsigned int count)
{
	struct pollfd *polls = calloc(1 + 2 * (size_t)count, sizeof(*polls));
	sigset_t set;
	int signals;

	run_signals(&set);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (!polls || signals < 0) {
		fprintf(stderr, "enclave: cannot wait for the program: %s\n", strerror(errno));
		run_kill(tasks, count);
		free(polls);
		return TOOL_FAILED;
	}
	while (any_alive(tasks, count))
		step(signals, polls, tasks, count);
	close(signals);
	free(polls);
	return exit_code(tasks, count);
}
