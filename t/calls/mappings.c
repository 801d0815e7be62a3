/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that are mapped shared.
 *
 *   mappings               what can be compared
 *   mappings exit FILE     writes to a mapping of FILE and exits
 *   mappings kill FILE     the same, and ends by a signal
 *   mappings share FILE    one of two tasks that write to FILE, each its page
 */
#include <sched.h>
#include <setjmp.h>
#include <sys/mman.h>

#include "calls.h"

#define PAGE 4096
#define RW (PROT_READ | PROT_WRITE)

static sigjmp_buf back;
static volatile int fault_signal, fault_code;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	(void)context;
	fault_signal = signal;
	fault_code = info->si_code;
	siglongjmp(back, 1);
}

static void catch_faults(void)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

/* Says how touching AT ends. */
static void touch(const char *what, volatile char *at, bool write)
{
	fault_signal = fault_code = 0;
	if (sigsetjmp(back, 1) == 0) {
		char byte = *at;

		if (write)
			*at = byte;
	}
	printf("%s: signal %d, code %d\n", what, fault_signal, fault_code);
	fflush(stdout);
}

static char *map(const char *what, char *at, size_t size, int prot, int flags, int fd, off_t offset)
{
	char *result = mmap(at, size, prot, flags, fd, offset);

	say(what, result == MAP_FAILED ? -1 : 0);
	return result;
}

/* A file of SIZE bytes of 'f', open. */
static int make(const char *name, int flags, size_t size)
{
	static char bytes[4 * PAGE];
	int fd = open(name, O_CREAT | O_TRUNC | O_RDWR, 0600);

	memset(bytes, 'f', sizeof(bytes));
	if (write(fd, bytes, size) != (ssize_t)size)
		say("write", -1);
	close(fd);
	return open(name, flags);
}

/* The byte of the file NAME. */
static int in_file(const char *name, off_t at)
{
	int fd = open(name, O_RDONLY);
	unsigned char byte;
	ssize_t bytes = pread(fd, &byte, 1, at);

	close(fd);
	return bytes == 1 ? byte : -1;
}

static void writing(void)
{
	int fd = make("map", O_RDWR, 2 * PAGE + 100);
	char *at = map("shared, to write", NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0), *again;
	char text[8] = "";
	struct stat status;

	part("what is written");
	SHOW(at[0] == 'f' && at[2 * PAGE + 99] == 'f' && at[2 * PAGE + 100] == 0);
	memcpy(at + 10, "map", 3);
	TRY(pread64, fd, text, 3, 10);
	SHOW_TEXT(text);
	at[PAGE] = 'a';
	say("msync", msync(at, 3 * PAGE, MS_SYNC));
	SHOW(in_file("map", PAGE));
	at[PAGE + 1] = 'b';
	say("msync, async", msync(at + PAGE, PAGE, MS_ASYNC));
	SHOW(in_file("map", PAGE + 1));
	TRY(lseek, fd, PAGE, SEEK_SET);
	at[PAGE + 2] = 'c';
	TRY(read, fd, text, 3);
	SHOW_TEXT(text);
	at[PAGE] = 'd';
	TRY(pwrite64, fd, "ef", 2, PAGE + 1);
	SHOW(at[PAGE] == 'd' && at[PAGE + 1] == 'e' && at[PAGE + 2] == 'f');
	TRY(fsync, fd);
	SHOW(in_file("map", PAGE) == 'd' && in_file("map", PAGE + 2) == 'f');
	again = map("a second time", NULL, PAGE, RW, MAP_SHARED, fd, PAGE);
	again[7] = 'g';
	SHOW(at[PAGE + 7] == 'g');
	say("munmap", munmap(again, PAGE));
	SHOW(in_file("map", PAGE + 7));
	TRY(close, fd);
	at[3] = 'h';
	at[2 * PAGE + 3] = 'i';
	say("munmap, closed", munmap(at, 3 * PAGE));
	SHOW(in_file("map", 3) == 'h' && in_file("map", 2 * PAGE + 3) == 'i');
	TRY(stat, "map", &status);
	SHOW(status.st_size);
	TRY(dup, 0);
	TRY(close_range, 3, ~0u, 0);
}

static void sizes(void)
{
	int fd = make("sizes", O_RDWR, PAGE + 100);
	char *at = map("more than there is", NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0);

	part("the end of the file");
	touch("the last page", at + PAGE + 200, true);
	touch("behind it", at + 2 * PAGE, false);
	touch("behind it, to write", at + 2 * PAGE, true);
	TRY(ftruncate, fd, 3 * PAGE);
	touch("when it is larger", at + 2 * PAGE, true);
	at[2 * PAGE] = 'l';
	say("msync", msync(at, 3 * PAGE, MS_SYNC));
	SHOW(in_file("sizes", 2 * PAGE));
	TRY(ftruncate, fd, PAGE);
	touch("when it is smaller", at + PAGE, false);
	touch("what is left", at + PAGE - 1, true);
	TRY(lseek, fd, 0, SEEK_END);
	TRY(write, fd, "more", 4);
	touch("what was written behind", at + PAGE + 3, true);
	SHOW(at[PAGE + 3] == 'e' && at[PAGE + 4] == 0);
	at = mremap(at, 3 * PAGE, 5 * PAGE, MREMAP_MAYMOVE);
	SHOW(at != MAP_FAILED && at[PAGE] == 'm');
	TRY(ftruncate, fd, 5 * PAGE);
	at[4 * PAGE] = 'r';
	at = mremap(at, 5 * PAGE, PAGE, 0);
	SHOW(at != MAP_FAILED && in_file("sizes", 4 * PAGE) == 'r');
	at[1] = 's';
	map("another one in its place", at, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	SHOW(at[1] == 0 && in_file("sizes", 1) == 's');
	TRY(close_range, 3, ~0u, 0);
}

static void rights(void)
{
	int fd = make("rights", O_RDONLY, PAGE);
	char *at;

	part("rights");
	map("to write what is to be read", NULL, PAGE, RW, MAP_SHARED, fd, 0);
	at = map("to read", NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	say("mprotect", mprotect(at, PAGE, RW));
	touch("and write", at, true);
	say("munmap", munmap(at, PAGE));
	at = map("private", NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
	touch("and write", at, true);
	TRY(close, fd);
	fd = open("rights", O_WRONLY);
	map("by a descriptor to write", NULL, PAGE, PROT_WRITE, MAP_SHARED, fd, 0);
	TRY(close, fd);
	fd = open("rights", O_RDWR);
	at = map("to read, by one for both", NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	touch("and write", at, true);
	say("mprotect", mprotect(at, PAGE, RW));
	touch("and write", at, true);
	at[5] = 'w';
	say("mprotect", mprotect(at, PAGE, PROT_READ));
	say("msync", msync(at, PAGE, MS_SYNC));
	SHOW(in_file("rights", 5));
	say("madvise", madvise(at, PAGE, MADV_DONTNEED));
	SHOW(at[5]);
	TRY(fcntl, fd, F_SETFL, O_APPEND);
	say("mprotect", mprotect(at, PAGE, RW));
	at[6] = 'x';
	say("munmap", munmap(at, PAGE));
	SHOW(in_file("rights", 6));
	TRY(lseek, fd, 0, SEEK_END);
	TRY(close, fd);
}

static void errors(void)
{
	int fd = make("errors", O_RDWR, 2 * PAGE), pipes[2];
	char *at = map("a file", NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0);

	part("errors");
	say("msync, not a page", msync(at + 1, PAGE, MS_SYNC));
	say("msync, two ways", msync(at, PAGE, MS_SYNC | MS_ASYNC));
	say("msync, another way", msync(at, PAGE, 64));
	at[0] = 'e';
	say("munmap", munmap(at + PAGE, PAGE));
	say("msync, with a hole", msync(at, 3 * PAGE, MS_SYNC));
	SHOW(in_file("errors", 0));
	map("not a page", NULL, PAGE, RW, MAP_SHARED, fd, 100);
	map("nothing", NULL, 0, RW, MAP_SHARED, fd, 0);
	map("no descriptor", NULL, PAGE, RW, MAP_SHARED, 99, 0);
	if (pipe(pipes) == 0)
		map("a pipe", NULL, PAGE, PROT_READ, MAP_SHARED, pipes[0], 0);
	map("a directory", NULL, PAGE, PROT_READ, MAP_SHARED, open(".", O_RDONLY), 0);
	TRY(close_range, 3, ~0u, 0);
}

/* Writes to a mapping, and leaves it at that. */
static int leave(const char *name, bool exits)
{
	int fd = open(name, O_RDWR);
	char *at = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return 1;
	close(fd);
	memcpy(at, "left", 4);
	memcpy(at + PAGE, "behind", 6);
	if (!exits)
		raise(SIGTERM);
	return 0;
}

/* Which of the two a task is, it asks the file itself. */
static int share(const char *name)
{
	int fd = open(name, O_RDWR);
	char *at = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0);
	int self;

	if (at == MAP_FAILED)
		return 1;
	self = __atomic_fetch_add((int *)at, 1, __ATOMIC_SEQ_CST) + 1;
	if (self > 2)
		return 2;
	strcpy(at + self * PAGE + 1, "a page");
	__atomic_store_n(at + self * PAGE, (char)('0' + self), __ATOMIC_RELEASE);
	for (int i = 0; i < 10000; i++) {
		if (__atomic_load_n(at + (3 - self) * PAGE, __ATOMIC_ACQUIRE) == '0' + 3 - self)
			return 0;
		sleep_ms(1);
	}
	return 3;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "share") == 0)
		return share(argv[2]);
	if (argc == 3)
		return leave(argv[2], strcmp(argv[1], "exit") == 0);
	catch_faults();
	writing();
	sizes();
	rights();
	errors();
	return 0;
}
