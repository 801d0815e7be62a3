/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The proxy and a co-kernel that lies, breaks its rules, floods, or dies. Nothing
 * of it may reach what is the proxy's own, or keep it from ending.
 */
#include "unit-proxy-fake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <asm/ioctls.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tap.h"

static void test_arguments(void)
{
	struct fake fake;
	uint64_t size, i;
	int guarded = 0, reached = 0;

	fake_start_true(&fake);
	size = fake.data_size;
	is_number(DO(&fake, SYS_write, 1, size, 1), -EFAULT, "a buffer behind the data area");
	is_number(DO(&fake, SYS_write, 1, size - 1, 2), -EFAULT, "one that ends behind it");
	is_number(DO(&fake, SYS_write, 1, 1, UINT64_MAX), -EFAULT, "one whose end wraps around");
	is_number(DO(&fake, SYS_write, 1, UINT64_MAX, 1), -EFAULT, "one at NULL");
	is_number(DO(&fake, SYS_read, 0, (uint64_t)1 << 63, 1), -EFAULT, "one far away");
	is_number(DO(&fake, SYS_write, 1, size, 0), 0, "nothing at the very end is in it");
	is_number(DO(&fake, SYS_fstat, 0, size - 143), -EFAULT, "a structure that sticks out");
	is_number(DO(&fake, SYS_fstat, 0, size - 144), 0, "the last that fits");
	is_number(DO(&fake, SYS_poll, 0, size / 8 + 1, 0), -EFAULT, "more elements than fit");
	is_number(DO(&fake, SYS_poll, 0, 0x2000000000000001, 0), -EINVAL,
		  "so many that the product wraps around");
	is_number(DO(&fake, SYS_ioctl, 0, TCGETS, size - 1), -EFAULT, "an ioctl's structure");
	is_number(DO(&fake, SYS_ioctl, 0, 0xc0184600, 0), -ENOTTY, "an ioctl that is not known");
	is_number(DO(&fake, SYS_fcntl, 0, F_SETLK, size), -EFAULT, "a lock outside");
	is_number(DO(&fake, SYS_fcntl, 0, F_SETOWN, 1), -EINVAL, "an fcntl that is not known");

	memset(fake.data, 'x', size);
	is_number(DO(&fake, SYS_openat, AT_FDCWD, 0, 0, 0), -ENAMETOOLONG, "a path without an end");
	is_number(DO(&fake, SYS_openat, AT_FDCWD, size - 10, 0, 0), -EFAULT,
		  "one without an end before the end of the area");
	is_number(DO(&fake, SYS_openat, AT_FDCWD, size, 0, 0), -EFAULT, "one outside");
	is_number(DO(&fake, SYS_openat, AT_FDCWD, NONE, 0, 0), -EFAULT, "one at NULL");
	is_number(DO(&fake, SYS_chdir, NONE), -EFAULT, "chdir to NULL");

	is_number(DO(&fake, SYS_mmap, 0, 4096, 3, 34, -1, 0), -ENOSYS, "mmap is not for Linux");
	is_number(DO(&fake, SYS_execve, 0, 0, 0), -ENOSYS, "nor execve");
	is_number(DO(&fake, SYS_kill, 1, 9), -ENOSYS, "nor kill");
	is_number(DO(&fake, 511), -ENOSYS, "a number behind the table");
	is_number(DO(&fake, 0xffff), -ENOSYS, "and one far behind");
	is_number(DO(&fake, 0x10002), -ENOSYS, "a call of ours that is not there");
	is_number(DO(&fake, UINT32_MAX), -ENOSYS, "the last number of all");

	/* The proxy's own descriptors: which are open but EBADF for a call? */
	for (i = 3; i < 1100; i++) {
		char path[64];
		struct stat status;

		snprintf(path, sizeof(path), "/proc/%d/fd/%llu", fake.pid, (unsigned long long)i);
		if (lstat(path, &status) < 0)
			continue;
		if (DO(&fake, SYS_fcntl, i, F_GETFD, 0) == -EBADF &&
		    DO(&fake, SYS_read, i, 0, 8) == -EBADF &&
		    DO(&fake, SYS_dup2, 0, i) == -EBADF && DO(&fake, SYS_close, i) == -EBADF)
			guarded++;
		else
			reached++;
	}
	ok(guarded >= 4, "the proxy's own descriptors are EBADF (%d)", guarded);
	is_number(reached, 1, "but the one the program is loaded from");
	is_number(DO(&fake, PISCES_CALL_CLOSE_ON_EXEC, 0, 4096), 1, "which alone execve(2) closes");
	is_number(DO(&fake, PISCES_CALL_CLOSE_ON_EXEC, fake.data_size - 8, 9), -EFAULT,
		  "the list of those does not fit into the data area");
	is_number(DO(&fake, PISCES_CALL_CLOSE_ON_EXEC, fake.data_size - 3, 3), 0,
		  "or has room for none");
	is_number(DO(&fake, SYS_close_range, 3, UINT32_MAX, 0), 0, "all descriptors are closed");
	ok(DO(&fake, SYS_getcwd, 0, 4096) > 0, "after all that it still serves");
	fake_close(&fake);
}

static void test_report(void)
{
	static const char hostile[] = "panic\033[2J\nroot: \x80 ok";
	struct fake fake;
	char text[8192];

	fake_start_true(&fake);
	memcpy(fake.data, hostile, sizeof(hostile) - 1);
	ok(DO(&fake, PISCES_CALL_REPORT, 0, sizeof(hostile) - 1) > 0, "a report");
	memset(fake.data, 'y', 100000);
	is_number(DO(&fake, PISCES_CALL_REPORT, 0, 100000), 4096, "one without an end");
	is_number(DO(&fake, PISCES_CALL_REPORT, fake.data_size - 1, 2), -EFAULT, "one outside");
	fake_exit(&fake, 0);
	is_number(fake_wait(&fake), 0, "exit code 0");
	fake_read_all(fake.err, text, sizeof(text));
	*strchr(text, '\n') = '\0';
	is_text(text, "enclave: panic [2J root:   ok",
		"is one line with our prefix, and commands no terminal");
	fake_close(&fake);
}

/* The proxy shall end with 125 and say WORDS. */
static void breaks(struct fake *fake, const char *words, const char *name)
{
	char text[8192];

	is_number(fake_wait(fake), 125 << 8, name);
	fake_read_all(fake->err, text, sizeof(text));
	ok(strncmp(text, "enclave: ", 9) == 0 && strstr(text, words), "  says: %.*s",
	   (int)strcspn(text, "\n"), text);
	fake_close(fake);
}

/* A message through a socket, at OFFSET, with these sizes. */
static int64_t message(struct fake *fake, int fd, uint64_t offset, uint32_t name, uint32_t control,
		       uint64_t bytes)
{
	struct pisces_socket_message *block = (void *)(fake->data + offset);

	block->name_size = name;
	block->control_size = control;
	return DO(fake, SYS_sendmsg, fd, offset, sizeof(*block) + bytes, MSG_NOSIGNAL);
}

static void test_sockets(void)
{
	struct pisces_socket_message *block;
	struct cmsghdr *part;
	struct fake fake;
	int pair[2], own, i;

	fake_start_true(&fake);
	block = (void *)fake.data;
	part = (void *)block->control;
	is_number(DO(&fake, SYS_socketpair, AF_UNIX, SOCK_SEQPACKET, 0, 0), 0, "socketpair");
	memcpy(pair, fake.data, sizeof(pair));
	is_number(message(&fake, pair[0], 0, 0, 0, 10), 10, "a message");
	is_number(message(&fake, pair[0], 0, 129, 0, 10), -EINVAL, "a name that is too long");
	is_number(message(&fake, pair[0], 0, 0, 0xf01, 10), -EINVAL, "control that is too long");
	is_number(message(&fake, pair[0], 0, 0, 0, fake.data_size), -EFAULT, "data that sticks out");
	is_number(DO(&fake, SYS_sendmsg, pair[0], 0, 100, 0), -EFAULT, "no room for the sizes");
	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SCM_RIGHTS;
	part->cmsg_len = SIZE_MAX;
	is_number(message(&fake, pair[0], 0, 0, CMSG_SPACE(4), 1), -EINVAL, "endless descriptors");
	part->cmsg_len = CMSG_LEN(4);
	for (i = 3, own = 0; i < 1024; i++) {
		if (i == pair[0] || i == pair[1] || DO(&fake, SYS_fcntl, i, F_GETFD, 0) != -EBADF)
			continue;
		memcpy(CMSG_DATA(part), &i, sizeof(i));
		own += message(&fake, pair[0], 0, 0, CMSG_SPACE(4), 1) != -EBADF;
	}
	is_number(own, 0, "none of the proxy's own descriptors is given away");
	memset(fake.data, 0xff, 64);
	is_number(DO(&fake, SYS_getsockname, pair[0], 64, 0), -EFAULT, "a room beyond all bounds");
	is_number(DO(&fake, SYS_setsockopt, pair[0], SOL_SOCKET, 26 /* SO_ATTACH_FILTER */, 64, 16),
		  -ENOPROTOOPT, "an option with an address in it");
	fake_exit(&fake, 0);
	is_number(fake_wait(&fake), 0, "it ends as it should");
	fake_close(&fake);
}

static void ring_with(struct fake *fake, const struct pisces_message *message)
{
	fake_start_true(fake);
	fake_send(fake, message);
}

static void wait_until_taken(struct fake *fake)
{
	int ms;

	for (ms = 0; ms < 30000; ms++) {
		if (__atomic_load_n(&fake->calls.ring->tail, __ATOMIC_ACQUIRE) == fake->calls.index)
			return;
		usleep(1000);
	}
}

static void test_rules(void)
{
	struct pisces_message message = { .type = 0x7777 };
	struct fake fake;
	uint64_t one = 1;
	int i;

	ring_with(&fake, &message);
	breaks(&fake, "no known type", "a message of no known type");

	message.type = PISCES_MSG_TASK_EXIT;
	message.arg[0] = 0x7f;
	ring_with(&fake, &message);
	breaks(&fake, "wait status", "a wait status that is none");
	message.arg[0] = 0x100000000;
	ring_with(&fake, &message);
	breaks(&fake, "wait status", "and one that is too large");

	fake_start_true(&fake);
	__atomic_store_n(&fake.calls.ring->head, 0x80000000u, __ATOMIC_SEQ_CST);
	ok(write(fake.bell, &one, 8) == 8, "a bell");
	breaks(&fake, "index of calls", "an impossible index of calls");

	fake_start_true(&fake);
	__atomic_store_n(&fake.replies.ring->tail, 77777u, __ATOMIC_SEQ_CST);
	CALL(&fake, SYS_lseek, 0, 0, 0);
	breaks(&fake, "index of replies", "an impossible index of replies");

	fake_start_true(&fake);
	CALL(&fake, SYS_read, 0, 0, 1);
	fake.tag = 0;
	CALL(&fake, SYS_read, 0, 0, 1);
	breaks(&fake, "same tag", "two calls with one tag");

	fake_start_true(&fake);
	for (i = 0; i < 49; i++)
		CALL(&fake, SYS_read, 0, 0, 1);
	breaks(&fake, "too many calls", "49 calls that wait");

	fake_start_true(&fake);
	for (i = 0; i < 65; i++) {
		CALL(&fake, SYS_lseek, 0, 0, 0);
		wait_until_taken(&fake);
	}
	breaks(&fake, "does not take its replies", "replies that nobody takes");
}

static void test_death(void)
{
	struct fake fake;
	char text[4096];
	int status;

	fake_start_true(&fake);
	fake_die(&fake);
	breaks(&fake, "co-kernel of enclave 7 died", "the co-kernel dies");

	fake_start_true(&fake);
	CALL(&fake, SYS_read, 0, 0, 1);
	CALL(&fake, SYS_write, 1, 0, 500000);
	fake_die(&fake);
	breaks(&fake, "co-kernel of enclave 7 died", "while calls wait");

	/* The last words count, even when the end is faster. */
	fake_start_true(&fake);
	kill(fake.pid, SIGSTOP);
	waitpid(fake.pid, &status, WUNTRACED);
	fake_put(&fake, 0, "last words");
	CALL(&fake, SYS_write, 1, 0, 10);
	fake_exit(&fake, 5 << 8);
	fake_die(&fake);
	kill(fake.pid, SIGCONT);
	is_number(fake_wait(&fake), 5 << 8, "a program that has ended has ended");
	fake_close(&fake);

	fake_start_true(&fake);
	CALL(&fake, SYS_read, 0, 0, 1);
	CALL(&fake, SYS_write, 1, 0, 500000);
	kill(fake.pid, SIGKILL);
	status = fake_wait(&fake);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "SIGKILL kills while calls wait");
	fake_close(&fake);

	fake_start_error = EBUSY;
	{
		static char *argv[] = { "/bin/true", NULL };

		fake_start(&fake, argv, NULL);
	}
	fake_start_error = 0;
	is_number(fake_wait(&fake), 125 << 8, "a module that does not start the program");
	ok(strstr(fake_read_all(fake.err, text, sizeof(text)), "cannot start /bin/true"),
	   "  says: %.*s", (int)strcspn(text, "\n"), text);
	fake_close(&fake);
}

static uint64_t seed = 88172645463325252ull;

static uint64_t random_number(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static uint64_t random_argument(uint64_t size)
{
	switch (random_number() % 6) {
	case 0:
		return random_number();
	case 1:
		return size - random_number() % 300;
	case 2:
		return random_number() % 70;
	case 3:
		return UINT64_MAX;
	default:
		return random_number() % size;
	}
}

/* It may wait for ever, or keep the disk busy: that is not the question. */
static bool may_last(uint32_t number)
{
	switch (number) {
	case SYS_poll:
	case SYS_fallocate:
	case SYS_fsync:
	case SYS_fdatasync:
	case SYS_sync:
	case SYS_syncfs:
	case SYS_sync_file_range:
		return true;
	default:
		return false;
	}
}

/*
 * Any call with any arguments, in a directory that may be harmed: what the
 * sanitizers find, or a signal, is not exit code 125 and not an answer.
 */
static void test_any_calls(void)
{
	const struct rlimit file = { 1 << 20, 1 << 20 };
	char dir[] = "/tmp/unit-proxy.XXXXXX";
	char command[128];
	struct fake fake;
	int calls = 0, proxies = 0, status = 0;

	setrlimit(RLIMIT_FSIZE, &file);
	signal(SIGXFSZ, SIG_IGN);
	if (!mkdtemp(dir) || chdir(dir) < 0)
		return;
	/* Nothing but that directory, whatever path comes out of it. */
	if (getuid() == 0 && (chown(dir, 65534, 65534) < 0 || setgid(65534) < 0 ||
			      setuid(65534) < 0))
		return;
	while (calls < 100000) {
		uint64_t tag, i;
		int64_t result;

		fake_start_true(&fake);
		proxies++;
		for (i = 0; i < 5000; i++) {
			fake.data[random_number() % fake.data_size] = 'a' + random_number() % 3;
			fake.data[random_number() % 64] = (uint8_t)(random_number() % '/');
		}
		for (i = 0; i < 1000; i++, calls++) {
			uint32_t number = (uint32_t)random_number() % 460;

			if (may_last(number))
				continue;
			tag = CALL(&fake, number, random_argument(fake.data_size),
				   random_argument(fake.data_size), random_argument(fake.data_size),
				   random_argument(fake.data_size), random_argument(fake.data_size),
				   random_argument(fake.data_size));
			if (fake_reply(&fake, &tag, &result, 0))
				continue;
			fake_cancel(&fake, tag);
			if (!fake_reply(&fake, &tag, &result, 20000))
				break;
		}
		if (waitpid(fake.pid, &status, WNOHANG) != 0 || i < 1000) {
			char text[16384];

			fake_die(&fake);
			printf("# %s\n", fake_read_all(fake.err, text, sizeof(text)));
			break;
		}
		fake_close(&fake);
	}
	ok(calls >= 100000, "%d calls with any arguments, all answered", calls);
	if (chdir("/") == 0) {
		snprintf(command, sizeof(command), "chmod -R u+rwx %s; rm -rf %s", dir, dir);
		if (system(command) != 0)
			printf("# %s is left\n", dir);
	}
}

int main(void)
{
	/* The proxy shall have no descriptors but those it was given by these tests. */
	close_range(3, ~0u, 0);
	signal(SIGPIPE, SIG_IGN);
	test_arguments();
	test_sockets();
	test_report();
	test_rules();
	test_death();
	test_any_calls();
	return done();
}
