/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The proxy serves a well-behaved co-kernel: streams, files, waiting calls that
 * delay nobody, cancelled calls, signals, and the end.
 */
#include "unit-proxy-fake.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <asm/termbits.h>
#include <asm/ioctls.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "proxy/patience.h"
#include "tap.h"

/* Within this a call that nothing delays is answered, also on a busy machine. */
#define SOON_MS 20000

static void test_streams(void)
{
	struct fake fake;
	char text[64] = "";

	fake_start_true(&fake);
	fake_put(&fake, 100, "to stdout");
	is_number(DO(&fake, SYS_write, 1, 100, 9), 9, "write to stdout");
	is_number(read(fake.out, text, sizeof(text)), 9, "arrives");
	is_text(text, "to stdout", "as it was written");
	fake_put(&fake, 100, "to stderr");
	is_number(DO(&fake, SYS_write, 2, 100, 9), 9, "write to stderr");
	is_number(read(fake.err, text, sizeof(text)), 9, "arrives there");

	ok(write(fake.in, "typed\n", 6) == 6, "something for stdin");
	is_number(DO(&fake, SYS_read, 0, 4096, 1024), 6, "is read");
	ok(memcmp(fake.data + 4096, "typed\n", 6) == 0, "as it was typed");
	close(fake.in);
	fake.in = -1;
	is_number(DO(&fake, SYS_read, 0, 4096, 1024), 0, "the end of stdin is an end");

	close(fake.out);
	fake.out = open("/dev/null", O_RDONLY | O_CLOEXEC);
	is_number(DO(&fake, SYS_write, 1, 100, 9), -EPIPE, "a closed stdout is EPIPE");
	is_number(DO(&fake, SYS_ioctl, 0, TCGETS, 0), -ENOTTY, "a pipe is no terminal");
	fake_exit(&fake, 3 << 8);
	is_number(fake_wait(&fake), 3 << 8, "exit code 3");
	fake_close(&fake);
}

static int threads_of(pid_t pid)
{
	struct dirent *entry;
	char path[32];
	int count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)) != NULL)
		count += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return count;
}

static void test_files(void)
{
	struct fake fake;
	struct stat *status;
	char dir[] = "/tmp/unit-proxy.XXXXXX";
	int64_t fd;

	ok(mkdtemp(dir) != NULL, "a directory to work in");
	fake_start_true(&fake);
	fake_put(&fake, 0, dir);
	is_number(DO(&fake, SYS_chdir, 0), 0, "chdir");
	fake_put(&fake, 0, "file");
	fd = DO(&fake, SYS_openat, AT_FDCWD, 0, O_CREAT | O_RDWR, 0600);
	is_number(fd, 3, "a file gets the lowest free number");
	fake_put(&fake, 512, "0123456789");
	is_number(DO(&fake, SYS_write, fd, 512, 10), 10, "write");
	is_number(DO(&fake, SYS_lseek, fd, 4, SEEK_SET), 4, "lseek");
	is_number(DO(&fake, SYS_read, fd, 600, 100), 6, "read");
	ok(memcmp(fake.data + 600, "456789", 6) == 0, "from there");
	is_number(DO(&fake, SYS_pwrite64, fd, 512, 2, 8), 2, "pwrite64");
	is_number(DO(&fake, SYS_pread64, fd, 600, 100, 7), 3, "pread64");
	ok(memcmp(fake.data + 600, "701", 3) == 0, "at its offset");
	is_number(DO(&fake, SYS_fstat, fd, 1024), 0, "fstat");
	status = (struct stat *)(fake.data + 1024);
	is_number(status->st_size, 10, "knows the size");
	is_number(DO(&fake, SYS_newfstatat, AT_FDCWD, 0, 1024, 0), 0, "newfstatat");
	is_number(DO(&fake, SYS_utimensat, AT_FDCWD, 0, NONE, 0), 0, "utimensat with NULL times");
	is_number(DO(&fake, SYS_utimensat, fd, NONE, NONE, 0), 0, "futimens");
	is_number(DO(&fake, SYS_ftruncate, fd, 5), 0, "ftruncate");
	is_number(DO(&fake, SYS_fcntl, fd, F_GETFL, 0) & O_ACCMODE, O_RDWR, "fcntl F_GETFL");
	is_number(DO(&fake, SYS_dup, fd), 4, "dup");
	is_number(DO(&fake, SYS_close, 4), 0, "close");
	is_number(DO(&fake, SYS_close, 4), -EBADF, "twice is once too often");
	fake_put(&fake, 64, "other");
	is_number(DO(&fake, SYS_renameat2, AT_FDCWD, 0, AT_FDCWD, 64, 0), 0, "two paths in a call");
	fake_put(&fake, 0, ".");
	is_number(DO(&fake, SYS_openat, AT_FDCWD, 0, O_RDONLY | O_DIRECTORY, 0), 4, "a directory");
	ok(DO(&fake, SYS_getdents64, 4, 8192, 4096) > 0, "getdents64");
	fake_put(&fake, 0, "nowhere");
	is_number(DO(&fake, SYS_openat, AT_FDCWD, 0, O_RDONLY, 0), -ENOENT, "no such file");
	is_number(DO(&fake, SYS_unlinkat, AT_FDCWD, 64, 0), 0, "unlinkat");
	ok(DO(&fake, SYS_getcwd, 0, 4096) > 0, "getcwd");
	is_text((char *)fake.data, dir, "where we are");
	fake_exit(&fake, 0);
	is_number(fake_wait(&fake), 0, "exit code 0");
	fake_close(&fake);
	rmdir(dir);
}

/* What was a local file under this number is known, but not for longer than it is true. */
static void test_numbers(void)
{
	struct fake fake;
	uint64_t reader;
	int64_t fd, kind;
	int32_t *ends;

	fake_start_true(&fake);
	ends = (int32_t *)(fake.data + 256);
	fake_put(&fake, 0, "a file in memory");
	for (kind = 0; kind < 4; kind++) {
		fd = DO(&fake, SYS_memfd_create, 0, 0);
		DO(&fake, SYS_write, fd, 0, 10);
		if (DO(&fake, SYS_pread64, fd, 512, 10, 0) != 10 ||
		    DO(&fake, SYS_pread64, fd, 512, 10, 5) != 5)
			break;
		if (kind >= 2)
			DO(&fake, kind == 2 ? SYS_close : SYS_close_range, fd, fd, 0);
		if (DO(&fake, SYS_pipe2, 256, 0) != 0)
			break;
		if (kind == 0 && DO(&fake, SYS_dup2, ends[0], fd) != fd)
			break;
		if (kind == 1 && DO(&fake, SYS_dup3, ends[0], fd, 0) != fd)
			break;
		if (kind >= 2 && ends[0] != fd)
			break;
		reader = CALL(&fake, SYS_read, fd, 1024, 100);
		if (DO(&fake, SYS_fstat, 0, 2048) != 0 ||
		    DO(&fake, SYS_lseek, ends[1], 0, SEEK_CUR) != -ESPIPE)
			break;
		fake_cancel(&fake, reader);
		if (fake_result(&fake, reader) != -EINTR ||
		    DO(&fake, SYS_close_range, fd, 100, 0) != 0)
			break;
	}
	is_number(kind, 4, "a file whose number is a pipe's after dup2, dup3, close, close_range: "
			   "a read from it waits and delays nobody");
	fake_exit(&fake, 0);
	is_number(fake_wait(&fake), 0, "exit code 0");
	fake_close(&fake);
}

/* Which descriptors execve(2) closes. */
static void test_close_on_exec(void)
{
	struct fake fake;
	int32_t *fds, one, two, three;

	fake_start_true(&fake);
	DO(&fake, SYS_close_range, 3, UINT32_MAX, 0);
	fake_put(&fake, 512, "/");
	one = (int32_t)DO(&fake, SYS_openat, AT_FDCWD, 512, O_RDONLY | O_CLOEXEC, 0);
	two = (int32_t)DO(&fake, SYS_openat, AT_FDCWD, 512, O_RDONLY, 0);
	three = (int32_t)DO(&fake, SYS_dup3, one, 30, O_CLOEXEC);
	fds = (int32_t *)fake.data;
	is_number(DO(&fake, PISCES_CALL_CLOSE_ON_EXEC, 0, 400), 2, "two descriptors are for exec to close");
	ok((fds[0] == one && fds[1] == three) || (fds[0] == three && fds[1] == one), "these two");
	is_number(DO(&fake, PISCES_CALL_CLOSE_ON_EXEC, 0, 4), 1, "as many as there is room for");
	DO(&fake, SYS_fcntl, one, F_SETFD, 0);
	DO(&fake, SYS_fcntl, two, F_SETFD, FD_CLOEXEC);
	DO(&fake, SYS_close, three);
	is_number(DO(&fake, PISCES_CALL_CLOSE_ON_EXEC, 0, 400), 1, "then it is another one");
	is_number(fds[0], two, "that one");
	fake_exit(&fake, 0);
	is_number(fake_wait(&fake), 0, "exit code 0");
	fake_close(&fake);
}

static unsigned int count_waits(struct patience *patience, unsigned int sleeps, int result)
{
	unsigned int waits = 0;

	while (sleeps-- > 0) {
		if (!patience_lasts(patience))
			continue;
		waits++;
		patience_learn(patience, result);
	}
	return waits;
}

static void test_patience(void)
{
	struct patience patience = { 0 };
	unsigned int waits;

	is_number(count_waits(&patience, 1000, 0), 1000, "as long as calls come soon it is awake");
	is_number(count_waits(&patience, 1000, -EBUSY), 1000, "and asks whether it may be");
	waits = count_waits(&patience, 1000, -ETIME);
	ok(waits > 4 && waits < 80, "when none do, it waits %u times in 1000", waits);
	waits = count_waits(&patience, 64, 0);
	ok(waits > 32, "and learns soon that they do again");
	is_number(count_waits(&patience, 100, -EINTR), 100, "signals teach nothing");
}

static void test_waiting_calls(void)
{
	struct fake fake;
	uint64_t waiting[40], writer, tag;
	int64_t result;
	char *big = malloc(1 << 20);
	int i, answered = 0;

	fake_start_true(&fake);
	for (i = 0; i < 40; i++)
		waiting[i] = CALL(&fake, SYS_read, 0, 4096 + 16 * i, 16);
	is_number(DO(&fake, SYS_write, 1, 0, 5), 5, "40 reads wait; a write is not delayed");
	is_number(DO(&fake, SYS_fstat, 0, 0), 0, "nor is an fstat");

	writer = CALL(&fake, SYS_write, 1, 0, 500000);
	is_number(DO(&fake, SYS_write, 2, 0, 5), 5, "nor one to stderr by a stdout that is full");
	while (answered < 500005) {
		ssize_t got = read(fake.out, big, 1 << 20);

		if (got <= 0)
			break;
		answered += (int)got;
	}
	is_number(answered, 500005, "the full stdout is read");
	is_number(fake_result(&fake, writer), 500000, "and its write done");

	for (i = 0; i < 40; i++)
		if (write(fake.in, "x", 1) != 1)
			break;
	for (i = 0, answered = 0; i < 40; i++) {
		if (!fake_reply(&fake, &tag, &result, SOON_MS))
			break;
		/* A read takes what there is: others then go on waiting. */
		answered += (int)result;
		if (answered == 40)
			break;
	}
	is_number(answered, 40, "40 bytes come to the reads that waited");
	(void)waiting;

	fake_exit(&fake, 0);
	is_number(fake_wait(&fake), 0, "the program ends although reads still wait");
	fake_close(&fake);
	free(big);
}

/* What no signal interrupts on Linux is done, whenever the signal comes. */
static void test_cancel_firmly(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char folder[64], *name = address.sun_path + 1; /* no file's */
	uint64_t length = offsetof(struct sockaddr_un, sun_path) + 1;
	struct fake fake;
	uint64_t call, path;
	int64_t listener, other, result = 0;
	int i;

	fake_start_true(&fake);
	snprintf(folder, sizeof(folder), "/tmp/unit-proxy-serve.%d", getpid());
	path = fake_put(&fake, 0x1000, folder);
	for (i = 0; i < 1000 && result == 0; i++) {
		call = CALL(&fake, SYS_mkdirat, AT_FDCWD, path, 0700);
		fake_cancel(&fake, call);
		result = fake_result(&fake, call);
		if (result == 0)
			result = DO(&fake, SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
	}
	is_number(result, 0, "1000 folders made, each while a signal came");
	for (i = 0; i < 1000 && result == 0; i++) {
		other = DO(&fake, SYS_dup, 0);
		call = CALL(&fake, SYS_close, other);
		fake_cancel(&fake, call);
		result = fake_result(&fake, call);
		if (result == 0 && DO(&fake, SYS_lseek, other, 0, SEEK_CUR) != -EBADF)
			result = -EBUSY;
	}
	is_number(result, 0, "1000 descriptors closed so");

	/* A connection for which there is no room waits. */
	length += (uint64_t)sprintf(name, "unit-proxy-serve.%d", getpid());
	memcpy(fake.data + 0x2000, &address, sizeof(address));
	listener = DO(&fake, SYS_socket, AF_UNIX, SOCK_STREAM, 0);
	is_number(DO(&fake, SYS_bind, listener, 0x2000, length), 0, "a socket with a name");
	DO(&fake, SYS_listen, listener, 0);
	other = DO(&fake, SYS_socket, AF_UNIX, SOCK_STREAM, 0);
	is_number(DO(&fake, SYS_connect, other, 0x2000, length), 0, "has room for one");
	other = DO(&fake, SYS_socket, AF_UNIX, SOCK_STREAM, 0);
	for (i = 0, result = -EINTR; i < 200 && result == -EINTR; i++) {
		call = CALL(&fake, SYS_connect, other, 0x2000, length);
		if (i % 3 == 0)
			usleep(500);
		fake_cancel(&fake, call);
		result = fake_result(&fake, call);
	}
	is_number(i, 200, "200 connects that wait end by a signal, also one that came early");
	fake_exit(&fake, 0);
	is_number(fake_wait(&fake), 0, "exit code 0");
	fake_close(&fake);
}

static void test_cancel(void)
{
	struct fake fake;
	uint64_t reader, tag;
	int64_t result;
	int i, wrong = 0, data = 0;

	fake_start_true(&fake);
	reader = CALL(&fake, SYS_read, 0, 0, 16);
	ok(!fake_reply(&fake, &tag, &result, 200), "a read waits");
	fake_cancel(&fake, reader);
	is_number(fake_result(&fake, reader), -EINTR, "and is cancelled");
	fake_cancel(&fake, reader);
	fake_cancel(&fake, 12345);
	is_number(DO(&fake, SYS_lseek, 0, 0, SEEK_CUR), -ESPIPE,
		  "cancelling what is not there does nothing");

	for (i = 0; i < 3000; i++) {
		reader = CALL(&fake, SYS_read, 0, 0, 16);
		if (i % 3 == 1 && write(fake.in, "x", 1) != 1)
			break;
		if (i % 7 == 2)
			sched_yield();
		fake_cancel(&fake, reader);
		if (!fake_reply(&fake, &tag, &result, SOON_MS) || tag != reader)
			break;
		if (result > 0)
			data += (int)result;
		else if (result != -EINTR)
			wrong++;
	}
	is_number(i, 3000, "3000 reads cancelled at once, all answered");
	is_number(wrong, 0, "with data or with EINTR");
	while (data < 1000 && DO(&fake, SYS_read, 0, 0, 1) == 1)
		data++;
	is_number(data, 1000, "and no byte was lost");

	reader = CALL(&fake, SYS_poll, 0, 0, 100000);
	fake_cancel(&fake, reader);
	is_number(fake_result(&fake, reader), -EINTR, "a poll that waits");

	/* Signals from outside are not the program's business. */
	reader = CALL(&fake, SYS_read, 0, 0, 16);
	for (i = 0; i < 100; i++)
		kill(fake.pid, SIGRTMAX);
	ok(!fake_reply(&fake, &tag, &result, 200), "the proxy's own signal, sent by a stranger, "
						   "ends no call");
	fake_exit(&fake, 0);
	is_number(fake_wait(&fake), 0, "exit code 0");
	fake_close(&fake);
}

/* A thread of its own is only for what may wait. */
static void test_looks(void)
{
	struct fake fake;
	int64_t epoll;

	fake_start_true(&fake);
	epoll = DO(&fake, SYS_epoll_create1, 0);
	is_number(DO(&fake, SYS_poll, 0, 0, 0), 0, "a poll that only looks");
	is_number(DO(&fake, SYS_epoll_wait, epoll, 0, 4, 0), 0, "an epoll_wait that does");
	is_number(threads_of(fake.pid), 1, "are the main thread's");
	is_number(DO(&fake, SYS_epoll_wait, epoll, 0, 4, 1), 0, "one that waits");
	is_number(threads_of(fake.pid), 2, "is another's");
	fake_exit(&fake, 0);
	is_number(fake_wait(&fake), 0, "exit code 0");
	fake_close(&fake);
}

/* Nor is it for files of this machine whose names Linux has in memory. */
static void test_names(void)
{
	char dir[] = "/tmp/unit-proxy.XXXXXX";
	struct fake fake;
	uint64_t call, fifo;
	uint64_t tag;
	int64_t result;
	int file, folder;

	ok(mkdtemp(dir) != NULL, "a directory with files");
	folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	file = openat(folder, "file", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	ok(write(file, "12345", 5) == 5 && symlinkat("file", folder, "link") == 0 &&
	   mkfifoat(folder, "fifo", 0600) == 0, "as they are");
	/*
	 * Linux notes what is not there; and in a link when it is first followed, if the clock
	 * of file systems has gone on since it was made.
	 */
	usleep(50000);
	ok(faccessat(folder, "link", F_OK, 0) == 0 && faccessat(folder, "nothing", F_OK, 0) < 0,
	   "it knows them");
	close(file);
	close(folder);

	fake_start_true(&fake);
	folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fake_put(&fake, 0, dir);
	is_number(DO(&fake, SYS_openat, AT_FDCWD, 0, O_RDONLY | O_DIRECTORY, 0), 3, "it is opened");
	ok(DO(&fake, SYS_getdents64, 3, 8192, 4096) > 0, "and read");
	fake_put(&fake, 0, "link");
	fake_put(&fake, 16, "nothing");
	fifo = fake_put(&fake, 32, "fifo");
	fake_put(&fake, 48, "");
	is_number(DO(&fake, SYS_openat, 3, 0, O_RDWR, 0), 4, "so is a file");
	is_number(DO(&fake, SYS_fcntl, 4, F_GETFL, 0) & (O_ACCMODE | O_NONBLOCK), O_RDWR,
		  "as it was to be");
	is_number(DO(&fake, SYS_openat, 3, 0, O_RDONLY | O_NONBLOCK, 0), 5, "to be read as well");
	is_number(DO(&fake, SYS_fcntl, 5, F_GETFL, 0) & (O_ACCMODE | O_NONBLOCK), O_NONBLOCK,
		  "not to wait, if asked so");
	is_number(DO(&fake, SYS_read, 5, 64, 100), 5, "it is read");
	is_number(DO(&fake, SYS_close, 5), 0, "and closed");
	is_number(DO(&fake, SYS_openat, 3, 16, O_RDONLY, 0), -ENOENT, "what is not there is not");
	is_number(DO(&fake, SYS_openat, 3, 0, O_RDONLY | O_NOFOLLOW, 0), -ELOOP, "a link");
	is_number(DO(&fake, SYS_newfstatat, 3, 0, 1024, 0), 0, "newfstatat of it");
	is_number(((struct stat *)(fake.data + 1024))->st_size, 5, "follows it");
	is_number(DO(&fake, SYS_newfstatat, 3, 0, 1024, AT_SYMLINK_NOFOLLOW), 0, "or not");
	is_number(((struct stat *)(fake.data + 1024))->st_size, 4, "if told so");
	is_number(DO(&fake, SYS_newfstatat, 4, 48, 1024, AT_EMPTY_PATH), 0, "and of no name");
	is_number(DO(&fake, SYS_newfstatat, 4, 48, 1024, 0), -ENOENT, "if told so");
	is_number(DO(&fake, SYS_statx, 3, 16, 0, STATX_SIZE, 1024), -ENOENT, "statx");
	is_number(DO(&fake, SYS_faccessat, 3, 0, R_OK), 0, "faccessat");
	is_number(DO(&fake, SYS_faccessat2, 3, 0, R_OK, AT_EACCESS), 0, "faccessat2");
	is_number(DO(&fake, SYS_readlinkat, 3, 0, 1024, 100), 4, "readlinkat");
	is_number(threads_of(fake.pid), 1, "all by the main thread");

	call = CALL(&fake, SYS_openat, 3, fifo, O_RDONLY);
	is_number(DO(&fake, SYS_faccessat, 3, 0, R_OK), 0, "a FIFO that waits for its writer");
	file = openat(folder, "fifo", O_WRONLY | O_CLOEXEC);
	is_number(fake_result(&fake, call), 5, "delays nothing");
	close(file);
	is_number(DO(&fake, SYS_close, 4), 0, "the file is closed");

	file = openat(folder, "file", O_RDONLY | O_CLOEXEC);
	if (fcntl(file, F_SETLEASE, F_WRLCK) < 0) {
		ok(true, "one that is leased # SKIP no leases here: %s", strerror(errno));
	} else {
		call = CALL(&fake, SYS_openat, 3, 0, O_RDONLY);
		ok(!fake_reply(&fake, &tag, &result, 200), "one that is leased waits");
		is_number(DO(&fake, SYS_faccessat, 3, 16, R_OK), -ENOENT, "it delays nothing");
		fcntl(file, F_SETLEASE, F_UNLCK);
		is_number(fake_result(&fake, call), 4, "and is opened then");
		is_number(DO(&fake, SYS_fcntl, 4, F_GETFL, 0) & (O_ACCMODE | O_NONBLOCK), 0,
			  "as it was to be");
	}
	close(file);
	fake_exit(&fake, 0);
	is_number(fake_wait(&fake), 0, "exit code 0");
	fake_close(&fake);
	unlinkat(folder, "file", 0);
	unlinkat(folder, "link", 0);
	unlinkat(folder, "fifo", 0);
	close(folder);
	rmdir(dir);
}

/* What byte AT of the stream is. */
static uint8_t pattern(uint64_t at)
{
	return (uint8_t)((at * 2654435761u) >> 13);
}

static void *check_stream(void *arg)
{
	struct fake *fake = arg;
	uint8_t *buffer = malloc(1 << 20);
	uint64_t at = 0;
	ssize_t got;

	while ((got = read(fake->out, buffer, 1 << 20)) > 0) {
		ssize_t i;

		for (i = 0; i < got; i++, at++)
			if (buffer[i] != pattern(at)) {
				free(buffer);
				return (void *)1;
			}
	}
	free(buffer);
	return (void *)(uintptr_t)at;
}

static void test_volume(void)
{
	const uint64_t total = 100ull << 20, piece = 200000;
	struct fake fake;
	pthread_t reader;
	void *read_bytes;
	uint64_t at = 0, i;

	fake_start_true(&fake);
	pthread_create(&reader, NULL, check_stream, &fake);
	while (at < total) {
		uint64_t size = total - at < piece ? total - at : piece;
		int64_t written;

		for (i = 0; i < size; i++)
			fake.data[i] = pattern(at + i);
		written = DO(&fake, SYS_write, 1, 0, size);
		if (written <= 0)
			break;
		at += (uint64_t)written;
	}
	fake_exit(&fake, 0);
	is_number(fake_wait(&fake), 0, "100 MiB are written");
	pthread_join(reader, &read_bytes);
	is_number((long long)(uintptr_t)read_bytes, (long long)total, "and arrive, each byte right");
	fake_close(&fake);
}

static void test_signals(void)
{
	const int forwarded[] = { SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM,
					 SIGCONT, SIGWINCH, SIGCHLD, SIGSEGV, SIGRTMIN, 63 };
	struct fake fake;
	unsigned int i;
	int status;

	signal(SIGHUP, SIG_IGN);
	fake_start_true(&fake);
	signal(SIGHUP, SIG_DFL);
	for (i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++) {
		kill(fake.pid, forwarded[i]);
		is_number(fake_signal(&fake, SOON_MS), forwarded[i], strsignal(forwarded[i]));
	}
	kill(fake.pid, SIGHUP);
	is_number(fake_signal(&fake, SOON_MS), SIGHUP,
		  "one that was ignored before: the program may handle it by now");
	kill(fake.pid, SIGPIPE);
	is_number(fake_signal(&fake, 200), 0, "SIGPIPE is not sent on");

	kill(fake.pid, SIGTSTP);
	waitpid(fake.pid, &status, WUNTRACED);
	ok(WIFSTOPPED(status), "SIGTSTP stops the proxy");
	kill(fake.pid, SIGCONT);
	is_number(fake_signal(&fake, SOON_MS), SIGCONT, "SIGCONT continues it, and the program");
	fake_exit(&fake, SIGTERM);
	status = fake_wait(&fake);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "it dies as the program did");
	fake_close(&fake);

	fake_signal_refusals = 3;
	fake_start_true(&fake);
	fake_signal_refusals = 0;
	kill(fake.pid, SIGUSR1);
	is_number(fake_signal(&fake, SOON_MS), SIGUSR1, "a module that is full is asked again");
	kill(fake.pid, SIGKILL);
	status = fake_wait(&fake);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "SIGKILL kills");
	fake_close(&fake);
}

/* What is known of a signal comes with it, and none of the real-time ones is lost. */
static void test_queued_signals(void)
{
	const int count = 300;
	struct fake fake;
	struct pisces_signal got;
	int i, wrong = 0, merged = 0;

	fake_start_true(&fake);
	kill(fake.pid, SIGUSR1);
	got = fake_signal_info(&fake, SOON_MS);
	is_number(got.code, SI_USER, "kill(2): its code");
	is_number(got.pid, getpid(), "who sent it");
	is_number(got.uid, getuid(), "and whose that is");
	is_number((long long)got.value, 0, "without a value");
	sigqueue(fake.pid, SIGUSR1, (union sigval){ .sival_ptr = (void *)0x123456789abcdef0 });
	got = fake_signal_info(&fake, SOON_MS);
	is_number(got.code, SI_QUEUE, "sigqueue(3): its code");
	is_number(got.pid, getpid(), "who sent it");
	is_number((long long)got.value, 0x123456789abcdef0, "and its value");

	/* A proxy that stands still gets all at once, and a module that is full may take none. */
	kill(fake.pid, SIGSTOP);
	waitpid(fake.pid, NULL, WUNTRACED);
	for (i = 0; i < count; i++) {
		sigqueue(fake.pid, SIGRTMIN + 1, (union sigval){ .sival_int = i });
		kill(fake.pid, SIGUSR2);
	}
	kill(fake.pid, SIGCONT);
	for (i = 0; i < count;) {
		got = fake_signal_info(&fake, SOON_MS);
		if (got.signal == SIGCONT)
			continue;
		if (got.signal == SIGUSR2) {
			merged++;
			continue;
		}
		if (got.signal != (uint32_t)SIGRTMIN + 1 || got.code != SI_QUEUE)
			break;
		if ((int)got.value != i++)
			wrong++;
	}
	is_number(i, count, "300 real-time signals, all of them");
	is_number(wrong, 0, "in the order in which they were sent");
	is_number(merged, 1, "300 of another kind are one");
	is_number(DO(&fake, SYS_lseek, 0, 0, SEEK_CUR), -ESPIPE, "and calls are served");
	fake_exit(&fake, 0);
	is_number(fake_wait(&fake), 0, "exit code 0");
	fake_close(&fake);

	fake_signal_refusals = 3;
	fake_start_true(&fake);
	fake_signal_refusals = 0;
	for (i = 0; i < 5; i++)
		sigqueue(fake.pid, SIGRTMIN, (union sigval){ .sival_int = i });
	for (i = 0; i < 5; i++) {
		got = fake_signal_info(&fake, SOON_MS);
		if (got.signal != (uint32_t)SIGRTMIN || (int)got.value != i)
			break;
	}
	is_number(i, 5, "a module that was full gets them all in the end");
	fake_exit(&fake, 0);
	fake_wait(&fake);
	fake_close(&fake);
}

static void test_ends(void)
{
	static const int deaths[] = { SIGSEGV, SIGABRT, SIGKILL, SIGINT, SIGHUP, SIGPIPE, 64 };
	struct fake fake;
	unsigned int i;
	int status;

	for (i = 0; i < sizeof(deaths) / sizeof(deaths[0]); i++) {
		fake_start_true(&fake);
		/* 0x80: it left a core, the program's co-kernel says; the proxy leaves none. */
		fake_exit(&fake, (uint64_t)deaths[i] | 0x80);
		status = fake_wait(&fake);
		ok(WIFSIGNALED(status) && WTERMSIG(status) == deaths[i] && !WCOREDUMP(status),
		   "death by signal %d, without a core", deaths[i]);
		fake_close(&fake);
	}
	fake_start_true(&fake);
	fake_exit(&fake, 255 << 8);
	is_number(fake_wait(&fake), 255 << 8, "exit code 255");
	fake_close(&fake);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGIO, SIG_IGN); /* of a lease that somebody waits for */
	/* A shell's job in the background begins with these ignored. */
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	test_streams();
	test_files();
	test_numbers();
	test_close_on_exec();
	test_patience();
	test_waiting_calls();
	test_cancel();
	test_cancel_firmly();
	test_looks();
	test_names();
	test_volume();
	test_signals();
	test_queued_signals();
	test_ends();
	return done();
}
