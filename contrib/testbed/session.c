// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * session [--terminal] USER COMMAND ARGS...
 *
 * Runs on the node, started by sshd: COMMAND as USER (made if there is none of
 * that name) with the standard streams as they are, ending as COMMAND ends.
 *
 * Without a terminal nothing tells a command that its user has gone (Ctrl-C,
 * kill, a closed window): ssh forwards no signal. But sshd then closes its end
 * of the pipes that are the command's stdout and stderr, and that is seen here.
 * The process group of the command then gets SIGTERM, and SIGKILL a while
 * later. A process that has left this group is not reached.
 *
 * C, because an interpreter needs half a second to start on an emulated CPU.
 */
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	/* milliseconds. A reader may have gone that is only a part of the local
	 * side (as in "run ... | head"): most commands end by themselves then. */
	BEFORE_SIGTERM = 1000,
	BEFORE_SIGKILL = 10000,
};

static void fail(const char *what)
{
	fprintf(stderr, "quickstart: on the node: %s: %s\n", what, strerror(errno));
	exit(126);
}

/* The caller has checked that name is a plain word. */
static const struct passwd *find_or_make_user(const char *name)
{
	const struct passwd *user = getpwnam(name);
	char command[100];

	if (user)
		return user;
	snprintf(command, sizeof(command), "useradd -m -s /bin/bash %s >/dev/null 2>&1", name);
	if (system(command) < 0)
		fail("useradd");
	/* Two sessions may have tried at once: what counts is that one could. */
	user = getpwnam(name);
	if (!user) {
		fprintf(stderr, "quickstart: on the node: no user %s can be made\n", name);
		exit(126);
	}
	return user;
}

static void become_user(const struct passwd *user)
{
	if (initgroups(user->pw_name, user->pw_gid) || setgid(user->pw_gid) ||
	    setuid(user->pw_uid))
		fail("become the user");
	if (chdir(user->pw_dir) && chdir("/"))
		fail(user->pw_dir);

	const char *terminal = getenv("TERM");

	clearenv();
	if (terminal)
		setenv("TERM", terminal, 1);
	setenv("USER", user->pw_name, 1);
	setenv("LOGNAME", user->pw_name, 1);
	setenv("HOME", user->pw_dir, 1);
	setenv("SHELL", "/bin/bash", 1);
	setenv("LANG", "C.UTF-8", 1);
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
}

static void run_command(char **command)
{
	execvp(command[0], command);
	fprintf(stderr, "quickstart: on the node: cannot run %s: %s\n", command[0],
		strerror(errno));
	exit(errno == ENOENT ? 127 : 126);
}

/*
 * Wait until the command ends, but at most for timeout milliseconds (-1: for
 * ever), and, with watch_streams, at most until a reader has gone.
 * Return whether the command has ended.
 */
static bool wait_for_end(int pidfd, bool watch_streams, int timeout)
{
	struct pollfd fds[] = {
		{ .fd = pidfd, .events = POLLIN },
		{ .fd = STDOUT_FILENO }, /* POLLERR is always reported */
		{ .fd = STDERR_FILENO },
	};

	while (poll(fds, watch_streams ? 3 : 1, timeout) < 0) {
		if (errno != EINTR)
			fail("poll");
	}
	return fds[0].revents;
}

int main(int argc, char **argv)
{
	bool terminal = argc > 1 && !strcmp(argv[1], "--terminal");
	char **arguments = argv + 1 + terminal;
	int status;

	if (argc - terminal < 3)
		return 126;

	const struct passwd *user = find_or_make_user(arguments[0]);

	if (terminal) {
		become_user(user);
		run_command(arguments + 1);
	}

	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		setpgid(0, 0);
		become_user(user);
		run_command(arguments + 1);
	}
	/* Here too, lest a signal is sent before the child got to it */
	setpgid(pid, pid);

	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0)
		fail("pidfd_open");
	if (!wait_for_end(pidfd, true, -1) && !wait_for_end(pidfd, false, BEFORE_SIGTERM)) {
		kill(-pid, SIGTERM);
		if (!wait_for_end(pidfd, false, BEFORE_SIGKILL))
			kill(-pid, SIGKILL);
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			fail("waitpid");
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
