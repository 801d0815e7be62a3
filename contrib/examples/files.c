/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of Linux as a program sees them, from inside an enclave or not: threads
 * that wait beside threads that work, data of all sizes, pipes, poll. Says "ok" for
 * each that works.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int failed;

static void check(bool good, const char *what)
{
	printf("%s %s\n", good ? "ok    " : "NOT ok", what);
	if (!good)
		failed = 1;
}

static char folder[64] = "/tmp/files-XXXXXX";

static const char *in_folder(const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", folder, name);
	return path;
}

static void fill(uint32_t *data, size_t words, uint32_t seed)
{
	size_t i;

	for (i = 0; i < words; i++)
		data[i] = seed = seed * 1664525u + 1013904223u;
}

/* ---- data of a few sizes, at odd places, comes back as it was ---- */

#define WORDS (1u << 20)

static bool data_is_kept(void)
{
	static const size_t sizes[] = { 1, 4095, 4096, 4097, 262144, 262145, 1000001, WORDS * 4 };
	uint32_t *written = malloc(WORDS * 4), *read_back = malloc(WORDS * 4);
	char path[128];
	int fd = open(in_folder("data", path), O_RDWR | O_CREAT | O_TRUNC, 0600);
	bool good = fd >= 0 && written && read_back;
	unsigned int i;

	for (i = 0; good && i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ssize_t size = (ssize_t)sizes[i];

		fill(written, WORDS, i + 1);
		memset(read_back, 0, WORDS * 4);
		good = pwrite(fd, written, sizes[i], 7 * i) == size &&
		       pread(fd, read_back, sizes[i], 7 * i) == size &&
		       memcmp(written, read_back, sizes[i]) == 0 &&
		       lseek(fd, 0, SEEK_SET) == 0 && ftruncate(fd, 0) == 0 &&
		       write(fd, written, sizes[i]) == size && lseek(fd, 0, SEEK_SET) == 0 &&
		       read(fd, read_back, sizes[i]) == size &&
		       memcmp(written, read_back, sizes[i]) == 0 && read(fd, read_back, 1) == 0;
	}
	close(fd);
	free(written);
	free(read_back);
	return good;
}

/* ---- threads with a file each ---- */

#define WORKERS 6

static void *work(void *number)
{
	uint32_t seed = (uint32_t)(uintptr_t)number;
	uint32_t *data = malloc(100000), *back = malloc(100000);
	char name[16], path[128];
	bool good = data && back;
	int fd, i;

	snprintf(name, sizeof(name), "worker%u", seed);
	fd = open(in_folder(name, path), O_RDWR | O_CREAT, 0600);
	for (i = 0; good && i < 20; i++) {
		fill(data, 25000, seed * 100 + (uint32_t)i);
		good = pwrite(fd, data, 100000, 0) == 100000 &&
		       pread(fd, back, 100000, 0) == 100000 && memcmp(data, back, 100000) == 0;
	}
	close(fd);
	unlink(path);
	free(data);
	free(back);
	return good ? number : NULL;
}

static bool workers_do_not_mix(void)
{
	pthread_t thread[WORKERS];
	bool good = true;
	void *result;
	uintptr_t i;

	for (i = 0; i < WORKERS; i++)
		pthread_create(&thread[i], NULL, work, (void *)(i + 1));
	for (i = 0; i < WORKERS; i++) {
		pthread_join(thread[i], &result);
		good &= result != NULL;
	}
	return good;
}

/* ---- threads that wait for input do not hold up the others ---- */

#define WAITERS 20

static int pipes[WAITERS][2];
static atomic_int answered;

static void *wait_for_input(void *number)
{
	uintptr_t i = (uintptr_t)number;
	char byte = 0;

	if (read(pipes[i][0], &byte, 1) == 1 && byte == (char)('a' + i))
		atomic_fetch_add(&answered, 1);
	return NULL;
}

static bool waiting_blocks_nobody(void)
{
	pthread_t thread[WAITERS];
	int null = open("/dev/null", O_WRONLY);
	bool good = true;
	uintptr_t i;

	for (i = 0; i < WAITERS; i++) {
		if (pipe(pipes[i]) != 0)
			return false;
		pthread_create(&thread[i], NULL, wait_for_input, (void *)i);
	}
	usleep(50000);
	for (i = 0; i < 50; i++)
		good &= write(null, "12345", 5) == 5;
	good &= atomic_load(&answered) == 0;
	for (i = WAITERS; i-- > 0;) {
		char byte = (char)('a' + i);

		good &= write(pipes[i][1], &byte, 1) == 1;
	}
	for (i = 0; i < WAITERS; i++) {
		pthread_join(thread[i], NULL);
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
	close(null);
	return good && atomic_load(&answered) == WAITERS;
}

/* ---- a pipe gives what it has ---- */

static bool pipe_gives_what_it_has(void)
{
	char *data = calloc(1, 1 << 20);
	int ends[2];
	bool good;

	if (!data || pipe(ends) != 0)
		return false;
	good = write(ends[1], data, 65536) == 65536 && read(ends[0], data, 1 << 20) == 65536;
	close(ends[1]);
	good &= read(ends[0], data, 10) == 0;
	close(ends[0]);
	free(data);
	return good;
}

static volatile sig_atomic_t pipe_signals;

static void count_pipe_signal(int signal)
{
	(void)signal;
	pipe_signals++;
}

static bool broken_pipe_is_told(void)
{
	int ends[2];
	bool good;

	signal(SIGPIPE, count_pipe_signal);
	if (pipe(ends) != 0)
		return false;
	close(ends[0]);
	good = write(ends[1], "x", 1) == -1 && errno == EPIPE && pipe_signals == 1;
	close(ends[1]);
	return good;
}

/* ---- vectors ---- */

static bool vectors_work(void)
{
	char a[3], b[5], big[5000], path[128];
	struct iovec out[3] = { { "abc", 3 }, { big, sizeof(big) }, { "defgh", 5 } };
	struct iovec in[3] = { { a, 3 }, { big, sizeof(big) }, { b, 5 } };
	int fd = open(in_folder("vectors", path), O_RDWR | O_CREAT, 0600);
	bool good;

	memset(big, 'x', sizeof(big));
	good = writev(fd, out, 3) == 5008 && lseek(fd, 0, SEEK_SET) == 0;
	memset(big, 0, sizeof(big));
	good &= readv(fd, in, 3) == 5008 && memcmp(a, "abc", 3) == 0 &&
		memcmp(b, "defgh", 5) == 0 && big[0] == 'x' && big[4999] == 'x';
	close(fd);
	unlink(path);
	return good;
}

/* ---- poll and select ---- */

static long elapsed_ms(const struct timespec *since)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000;
}

static bool polling_works(void)
{
	struct timeval limit = { .tv_usec = 30000 };
	struct timespec start;
	struct pollfd entry;
	fd_set set;
	int ends[2];
	bool good;

	if (pipe(ends) != 0)
		return false;
	entry = (struct pollfd){ .fd = ends[0], .events = POLLIN };
	clock_gettime(CLOCK_MONOTONIC, &start);
	good = poll(&entry, 1, 30) == 0 && elapsed_ms(&start) >= 29;
	FD_ZERO(&set);
	FD_SET(ends[0], &set);
	clock_gettime(CLOCK_MONOTONIC, &start);
	good &= select(ends[0] + 1, &set, NULL, NULL, &limit) == 0 && elapsed_ms(&start) >= 29 &&
		!FD_ISSET(ends[0], &set);
	good &= write(ends[1], "x", 1) == 1;
	good &= poll(&entry, 1, -1) == 1 && entry.revents == POLLIN;
	FD_SET(ends[0], &set);
	good &= select(ends[0] + 1, &set, NULL, NULL, NULL) == 1 && FD_ISSET(ends[0], &set);
	clock_gettime(CLOCK_MONOTONIC, &start);
	good &= poll(NULL, 0, 30) == 0 && elapsed_ms(&start) >= 29;
	close(ends[0]);
	close(ends[1]);
	return good;
}

/* ---- names ---- */

static bool names_work(void)
{
	char path[128], other[128], here[256], there[256];
	struct stat status;
	bool good;
	int fd;

	good = getcwd(here, sizeof(here)) != NULL && chdir(folder) == 0 &&
	       getcwd(there, sizeof(there)) != NULL && strcmp(there, folder) == 0 &&
	       chdir(here) == 0;
	fd = open(in_folder("name", path), O_WRONLY | O_CREAT | O_EXCL, 0640);
	good &= fd >= 0 && write(fd, "1234", 4) == 4 && close(fd) == 0;
	good &= stat(path, &status) == 0 && status.st_size == 4 && S_ISREG(status.st_mode);
	good &= open(path, O_WRONLY | O_CREAT | O_EXCL, 0640) == -1 && errno == EEXIST;
	good &= rename(path, in_folder("other", other)) == 0 && access(path, F_OK) == -1 &&
		errno == ENOENT && access(other, R_OK) == 0;
	good &= symlink("other", path) == 0 && readlink(path, here, sizeof(here)) == 5 &&
		memcmp(here, "other", 5) == 0 && lstat(path, &status) == 0 &&
		S_ISLNK(status.st_mode);
	good &= unlink(path) == 0 && unlink(other) == 0 && unlink(other) == -1 && errno == ENOENT;
	good &= mkdir(path, 0700) == 0 && rmdir(path) == 0;
	return good;
}

/* ---- a file in memory ---- */

static bool mapping_works(void)
{
	char path[128], *memory;
	int fd = open(in_folder("mapped", path), O_RDWR | O_CREAT, 0600);
	bool good = ftruncate(fd, 10000) == 0 && pwrite(fd, "hello", 5, 4096) == 5;

	memory = mmap(NULL, 10000, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	good &= memory != MAP_FAILED && memory[0] == 0 && memcmp(memory + 4096, "hello", 5) == 0;
	if (good) {
		char byte;

		memory[4096] = 'j';
		good = pread(fd, &byte, 1, 4096) == 1 && byte == 'h';
		munmap(memory, 10000);
	}
	close(fd);
	unlink(path);
	return good;
}

/* ---- who am I ---- */

static bool own_files_are_own(const char *program)
{
	const char *name = strrchr(program, '/') ? strrchr(program, '/') + 1 : program;
	char path[512], line[512];
	unsigned long start, end;
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	bool good = false;
	FILE *maps;

	if (length <= 0)
		return false;
	path[length] = '\0';
	if (!strrchr(path, '/') || strcmp(strrchr(path, '/') + 1, name) != 0)
		return false;
	maps = fopen("/proc/self/maps", "r");
	if (!maps)
		return false;
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx", &start, &end) == 2 && (unsigned long)&good >= start &&
		    (unsigned long)&good < end)
			good = true;
	fclose(maps);
	return good && sysconf(_SC_NPROCESSORS_ONLN) >= 1;
}

int main(int argc, char *argv[])
{
	(void)argc;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!mkdtemp(folder)) {
		perror(folder);
		return 1;
	}
	check(data_is_kept(), "data of many sizes");
	check(workers_do_not_mix(), "threads with a file each");
	check(waiting_blocks_nobody(), "waiting threads block nobody");
	check(pipe_gives_what_it_has(), "a pipe gives what it has");
	check(broken_pipe_is_told(), "EPIPE and SIGPIPE");
	check(vectors_work(), "readv and writev");
	check(polling_works(), "poll and select");
	check(names_work(), "names and folders");
	check(mapping_works(), "a private mapping");
	check(own_files_are_own(argv[0]), "/proc/self is the program's own");
	unlink(strcat(folder, "/data"));
	folder[strlen(folder) - 5] = '\0';
	rmdir(folder);
	return failed;
}
