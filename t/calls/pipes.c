/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pipes: what fits into them, and what becomes of them when ends go. */
#include <sys/mman.h>
#include <sys/uio.h>

#include "pipes.h"

/* ---- what is no pipe's, and what is wrong ---- */

static void errors(void)
{
	struct iovec parts[2] = { { data, 4 }, { BAD, 4 } };
	struct stat stat;

	part("pipes: errors");
	TRY(pipe, BAD);
	TRY(pipe2, BAD, O_NONBLOCK);
	TRY(pipe2, ends, 1);
	TRY(pipe2, ends, O_CLOEXEC | O_NONBLOCK | O_DIRECT | O_APPEND);
	TRY(pipe2, ends, O_CLOEXEC | O_NONBLOCK);
	SHOW(ends[1] - ends[0]);
	TRY(fcntl, ends[0], F_GETFD);
	TRY(fcntl, ends[0], F_GETFL);
	TRY(fcntl, ends[1], F_GETFL);
	TRY(read, ends[1], got, 1);
	TRY(write, ends[0], data, 1);
	TRY(read, ends[1], got, 0);
	TRY(read, ends[0], got, 0);
	TRY(read, ends[0], BAD, 0);
	TRY(write, ends[1], BAD, 0);
	TRY(read, ends[0], KERNEL, 1);
	TRY(read, ends[0], BAD, 1);
	TRY(write, ends[1], BAD, 1);
	TRY(write, ends[1], KERNEL, 1);
	TRY(write, ends[1], data, -1l);
	TRY(read, ends[0], got, 1);
	TRY(write, ends[1], "hello", 5);
	TRY(read, ends[0], BAD, 2);
	SHOW(count_bytes());
	TRY(ioctl, ends[1], FIONREAD, BAD);
	TRY(ioctl, ends[0], 0x5413 /* TIOCGWINSZ */, got);
	TRY(lseek, ends[0], 0, SEEK_CUR);
	TRY(lseek, ends[1], 0, SEEK_END);
	TRY(lseek, ends[1], 0, 77);
	TRY(pread64, ends[0], got, 1, 0);
	TRY(pread64, ends[0], got, 1, -1l);
	TRY(pwrite64, ends[1], data, 1, 0);
	TRY(preadv, ends[0], parts, 1, 0);
	TRY(pwritev, ends[1], parts, 1, 0);
	TRY(preadv2, ends[0], parts, 1, -1l, -1l, 0);
	TRY(ftruncate, ends[0], 0);
	TRY(ftruncate, ends[1], 0);
	TRY(fallocate, ends[1], 0, 0, 1);
	TRY(fallocate, ends[0], 0, 0, 1);
	TRY(fsync, ends[0]);
	TRY(fdatasync, ends[1]);
	TRY(fchdir, ends[0]);
	TRY(mmap, NULL, 4096, PROT_READ, MAP_SHARED, ends[0], 0);
	TRY(mmap, NULL, 4096, PROT_READ, MAP_SHARED, ends[1], 0);
	TRY(mmap, NULL, 4096, PROT_READ, MAP_PRIVATE, ends[0], 0);
	TRY(fstat, ends[0], &stat);
	SHOW(S_ISFIFO(stat.st_mode));
	SHOW(stat.st_mode & 07777);
	SHOW(stat.st_size);
	SHOW(stat.st_nlink);
	SHOW(stat.st_blksize);
	SHOW(stat.st_uid == getuid());
	TRY(readv, ends[0], parts, 0);
	TRY(writev, ends[1], parts, 2);
	SHOW(count_bytes());
	TRY(writev, ends[1], parts, 1025);
	TRY(readv, ends[0], BAD, 1);
	TRY(read, ends[0], got, sizeof(got));
	close_pipe();
	TRY(read, ends[0], got, 1);
	TRY(write, ends[1], data, 1);
}

/* ---- what fits ---- */

static void sizes(void)
{
	static const long asked[] = { 0, 1, 4096, 4097, 10000, 65536, 1048576, 1048577, 1l << 31,
				      (1l << 31) + 1, 8192 };
	static const size_t writes[] = { 1, 2, 3000, 4095, 4096, 4097, 5000, 10000, 70000 };
	size_t i;

	part("pipes: sizes");
	open_pipe(O_NONBLOCK);
	TRY(fcntl, ends[0], F_GETPIPE_SZ);
	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		TRY(fcntl, ends[i % 2], F_SETPIPE_SZ, asked[i]);
		SHOW(fcntl(ends[1], F_GETPIPE_SZ));
	}
	TRY(fcntl, 0, F_GETPIPE_SZ);
	TRY(fcntl, 99, F_SETPIPE_SZ, 4096);
	for (i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
		SHOW(writes[i]);
		SHOW(fill(writes[i]));
		SHOW(fill(1));
		SHOW(count_bytes());
		TRY(read, ends[0], got, 100);
		TRY(write, ends[1], data, 50);
		SHOW(drain(1000));
	}
	TRY(fcntl, ends[1], F_SETPIPE_SZ, ROOM);
	SHOW(fill(4096));
	TRY(fcntl, ends[1], F_SETPIPE_SZ, 4096);
	TRY(read, ends[0], got, 4096 * 15);
	TRY(fcntl, ends[1], F_SETPIPE_SZ, 4096);
	TRY(write, ends[1], data, 1);
	TRY(fcntl, ends[1], F_SETPIPE_SZ, 8192);
	TRY(write, ends[1], data, 5000);
	TRY(read, ends[0], got, sizeof(got));
	close_pipe();
}

static void vectors(void)
{
	struct iovec in[4] = { { got, 3 }, { got + 10, 0 }, { got + 20, 4 }, { got + 30, 10000 } };
	struct iovec out[3] = { { "gathered", 8 }, { data, 0 }, { " text", 5 } };
	struct iovec large[3] = { { data, 3000 }, { data, 3000 }, { data, 100000 } };

	part("pipes: vectors");
	open_pipe(O_NONBLOCK);
	TRY(writev, ends[1], out, 3);
	memset(got, 0, 50);
	TRY(readv, ends[0], in, 4);
	SHOW_TEXT(got);
	SHOW_TEXT(got + 20);
	SHOW_TEXT(got + 30);
	TRY(readv, ends[0], in, 4);
	TRY(writev, ends[1], large, 3);
	TRY(writev, ends[1], large, 1);
	TRY(readv, ends[0], in, 3);
	TRY(readv, ends[0], in, 4);
	SHOW(drain(sizeof(got)));
	close_pipe();
}

static void packets(void)
{
	part("pipes: packets");
	TRY(pipe2, ends, O_DIRECT | O_NONBLOCK);
	TRY(fcntl, ends[1], F_GETFL);
	TRY(write, ends[1], "first", 5);
	TRY(write, ends[1], "second", 6);
	TRY(write, ends[1], data, 10000);
	SHOW(count_bytes());
	TRY(read, ends[0], got, 100);
	TRY(read, ends[0], got, 2);
	SHOW(count_bytes());
	TRY(read, ends[0], got, sizeof(got));
	TRY(fcntl, ends[1], F_SETFL, O_NONBLOCK);
	TRY(write, ends[1], "third", 5);
	TRY(write, ends[1], "fourth", 6);
	TRY(read, ends[0], got, sizeof(got));
	TRY(read, ends[0], got, sizeof(got));
	TRY(read, ends[0], got, sizeof(got));
	TRY(fcntl, ends[1], F_SETFL, O_NONBLOCK | O_DIRECT);
	TRY(fcntl, ends[1], F_GETFL);
	SHOW(fill(1));
	SHOW(drain(sizeof(got)));
	close_pipe();
}

static void flags(void)
{
	int on = 1, off = 0;

	part("pipes: flags");
	open_pipe(0);
	TRY(fcntl, ends[0], F_SETFL, O_NONBLOCK);
	TRY(read, ends[0], got, 1);
	TRY(ioctl, ends[1], FIONBIO, &on);
	TRY(fcntl, ends[1], F_GETFL);
	SHOW(fill(ROOM));
	TRY(ioctl, ends[1], FIONBIO, &off);
	TRY(ioctl, ends[1], FIONBIO, BAD);
	TRY(fcntl, ends[1], F_GETFL);
	TRY(ioctl, ends[1], FIOCLEX);
	TRY(fcntl, ends[1], F_GETFD);
	TRY(fcntl, ends[1], F_SETFD, 0);
	TRY(fcntl, ends[1], F_GETFD);
	close_pipe();
}

/* ---- ends that go, and copies ---- */

static void ends_go(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	int copy;

	part("pipes: ends");
	sigaction(SIGPIPE, &action, NULL);
	seen = 0;
	open_pipe(O_NONBLOCK);
	TRY(write, ends[1], "rest", 4);
	TRY(close, ends[1]);
	TRY(read, ends[0], got, 2);
	TRY(read, ends[0], got, 10);
	TRY(read, ends[0], got, 10);
	TRY(close, ends[0]);
	open_pipe(O_NONBLOCK);
	TRY(write, ends[1], "lost", 4);
	TRY(close, ends[0]);
	TRY(write, ends[1], "x", 1);
	TRY(write, ends[1], data, sizeof(data));
	TRY(write, ends[1], "x", 0);
	SHOW(seen);
	TRY(close, ends[1]);

	part("pipes: copies");
	open_pipe(0);
	copy = (int)TRY(dup, ends[1]);
	TRY(close, ends[1]);
	TRY(write, copy, "copy", 4);
	TRY(dup2, ends[0], 20);
	TRY(close, ends[0]);
	TRY(read, 20, got, 2);
	TRY(dup3, 20, 21, O_CLOEXEC);
	TRY(dup2, 20, 20);
	TRY(dup2, copy, 20);
	TRY(write, 20, "more", 4);
	TRY(read, 21, got, 10);
	TRY(fcntl, 21, F_SETFL, O_NONBLOCK);
	TRY(fcntl, 21, F_DUPFD, 30);
	TRY(read, 30, got, 10);
	TRY(close_range, 20, 29, 0);
	TRY(write, copy, "x", 1);
	TRY(dup2, 0, copy);
	TRY(read, 30, got, 10);
	TRY(read, 30, got, 10);
	TRY(close, 30);
	TRY(close, copy);
	TRY(write, 20, "x", 1);
}

static void many(void)
{
	static int all[100000][2];
	int count = 0, i, error;

	part("pipes: as many as there may be");
	while (count < 100000 && pipe(all[count]) == 0)
		count++;
	error = errno;
	SHOW(count < 100000 && count > 10);
	SHOW(error == EMFILE || error == ENFILE);
	for (i = 0; i < count; i++) {
		if (write(all[i][1], data, 10) != 10)
			say("write", -1);
	}
	for (i = 0; i < count; i++) {
		if (read(all[i][0], got, 20) != 10)
			say("read", -1);
		close(all[i][0]);
		close(all[i][1]);
	}
	open_pipe(O_NONBLOCK);
	TRY(fcntl, ends[0], F_GETPIPE_SZ);
	close_pipe();
}

int main(void)
{
	errors();
	sizes();
	vectors();
	packets();
	flags();
	ends_go();
	many();
	return 0;
}
