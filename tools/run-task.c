/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pisces run: a task, that is a proxy with its streams, user and environment. */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Says what went wrong in the child, which shares stderr with its parent. */
static _Noreturn void child_fails(const char *what)
{
	fprintf(stderr, "enclave: %s: %s\n", what, strerror(errno));
	_exit(TOOL_FAILED);
}

static void become(const struct run_options *options)
{
	const struct passwd *user;

	if (!options->user)
		return;
	user = getpwnam(options->user);
	if (!user)
		child_fails(options->user);
	if (initgroups(options->user, options->gid) < 0 ||
	    setresgid(options->gid, options->gid, options->gid) < 0 ||
	    setresuid(options->uid, options->uid, options->uid) < 0)
		child_fails("becoming another user");
	setenv("USER", options->user, 1);
	setenv("LOGNAME", options->user, 1);
	setenv("HOME", user->pw_dir, 1);
}

static void set_number(const char *name, unsigned int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", number);
	if (setenv(name, text, 1) < 0)
		child_fails(name);
}

static void set_environment(const struct run_options *options, const struct pisces_plan *plan,
			    unsigned int id, int task_fd)
{
	char list[4096];

	set_number(PISCES_ENV_FD, (unsigned int)task_fd);
	set_number("PISCES_TASK_ID", id);
	set_number("PISCES_TASKS", options->tasks);
	if (setenv(PISCES_ENV_PROGRAM, options->program[0], 1) < 0 ||
	    setenv(PISCES_ENV_CPUS, pisces_cpuset_format(&plan->linux_cpus, list, sizeof(list)),
		   1) < 0)
		child_fails("the environment of the proxy");
	unsetenv(PISCES_ENV_IO);
	unsetenv(PISCES_ENV_STAGE);
	if (options->request.io == PISCES_IO_STAGED &&
	    (setenv(PISCES_ENV_IO, "staged", 1) < 0 ||
	     setenv(PISCES_ENV_STAGE, options->request.stage, 1) < 0))
		child_fails("the environment of the proxy");
}

/* OUT and ERR: write ends of the pipes that label the output; -1 without. */
static _Noreturn void child(const struct run_options *options, const struct pisces_plan *plan,
			    unsigned int id, int task_fd, int out, int err, pid_t parent,
			    const sigset_t *mask)
{
	const char *proxy = pisces_proxy_path();
	char **arguments = options->program;
	int null;

	if ((out >= 0 && dup2(out, STDOUT_FILENO) < 0) ||
	    (err >= 0 && dup2(err, STDERR_FILENO) < 0))
		child_fails("the pipes for labels");
	/* One reader only: two would each get a part of the input. */
	if (id > 0) {
		null = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (null < 0 || dup2(null, STDIN_FILENO) < 0)
			child_fails("/dev/null");
	}
	if (fcntl(task_fd, F_SETFD, 0) < 0)
		child_fails("the descriptor of the task");
	set_environment(options, plan, id, task_fd);
	pisces_oom_balance(getpid(), plan);
	become(options);
	/* After becoming somebody else, which takes it back; then look whether it came too late. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		child_fails("PR_SET_PDEATHSIG");
	if (getppid() != parent)
		_exit(TOOL_FAILED);
	sigprocmask(SIG_SETMASK, mask, NULL);
	arguments[0] = (char *)proxy;
	execv(proxy, arguments);
	child_fails(proxy);
}

/* Makes a pipe for a stream of a task. Returns its write end or -1. */
static int make_pipe(struct run_stream *stream, FILE *to)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	stream->fd = ends[0];
	stream->to = to;
	stream->have = 0;
	return ends[1];
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

int run_start(const struct run_options *options, const struct pisces_plan *plan,
	      struct run_task *task, int task_fd, const sigset_t *mask, struct pisces_error *error)
{
	pid_t parent = getpid();
	int out = -1, err = -1, result = -1;

	if (options->label) {
		out = make_pipe(&task->out, stdout);
		err = make_pipe(&task->err, stderr);
		if (out < 0 || err < 0) {
			snprintf(error->text, sizeof(error->text),
				 "no pipes to label the output of task %u: %s (ulimit -n)",
				 task->id, strerror(errno));
			goto out;
		}
	}
	fflush(NULL);
	task->pid = fork();
	if (task->pid == 0)
		child(options, plan, task->id, task_fd, out, err, parent, mask);
	if (task->pid < 0) {
		task->pid = 0;
		snprintf(error->text, sizeof(error->text), "no process for task %u: %s", task->id,
			 strerror(errno));
		goto out;
	}
	result = 0;
out:
	close_if_open(out);
	close_if_open(err);
	return result;
}

void run_kill(struct run_task *tasks, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		if (tasks[i].pid > 0 && !tasks[i].ended)
			kill(tasks[i].pid, SIGKILL);
	}
	for (unsigned int i = 0; i < count; i++) {
		if (tasks[i].pid <= 0 || tasks[i].ended)
			continue;
		while (waitpid(tasks[i].pid, &tasks[i].status, 0) < 0 && errno == EINTR)
			;
		tasks[i].ended = true;
	}
}
