/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls on files, in the working directory, where in/ has a file `text` ("some text\n"), a
 * link `link` to it and a directory `deep` with a file. The results are Linux's, whether
 * it is Linux that serves them or the stage of an enclave; what is left is compared.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "tap.h"

static bool fails(long result, int error)
{
	int found = errno;

	if (result == -1 && found == error)
		return true;
	printf("# result %ld, errno %d\n", result, found);
	return false;
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	ok(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0,
	   "writing %s", path);
}

static bool has_text(const char *path, const char *text)
{
	char found[256] = "";
	int fd = open(path, O_RDONLY);
	ssize_t size = fd < 0 ? -1 : read(fd, found, sizeof(found) - 1);

	close(fd);
	return size == (ssize_t)strlen(text) && memcmp(found, text, strlen(text)) == 0;
}

static void test_streams(void)
{
	struct pollfd entries[2] = { { 1, POLLOUT, 0 }, { 200, POLLIN, 0 } };
	struct pollfd many[16] = { { 0 } };
	struct rlimit before, few;
	char byte;

	ok(read(0, &byte, 1) == 0, "stdin is empty");
	ok(poll(entries, 2, 1000) == 2 && entries[0].revents == POLLOUT &&
		   entries[1].revents == POLLNVAL, "poll");
	/* Where the output is a file it can be read, too. */
	entries[0].events = POLLIN | POLLOUT;
	ok(poll(entries, 1, 1000) == 1 && (entries[0].revents & POLLOUT) &&
		   (lseek(1, 0, SEEK_CUR) >= 0 || entries[0].revents == POLLOUT), "of a stream");
	getrlimit(RLIMIT_NOFILE, &before);
	few = before;
	few.rlim_cur = 15;
	ok(setrlimit(RLIMIT_NOFILE, &few) == 0 && fails(poll(many, 16, 0), EINVAL) &&
		   poll(many, 15, 0) == 0 && setrlimit(RLIMIT_NOFILE, &before) == 0,
	   "of as many as there can be open");
	ok(fails(ioctl(0, TIOCGWINSZ, &byte), ENOTTY), "it is no terminal");
}

static void test_read(void)
{
	char text[64] = "";
	struct stat status, target;
	struct iovec parts[2] = { { text + 5, 4 }, { text, 5 } };
	char path[4096], name[4096];
	ssize_t size;
	void *volatile nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("in/text", O_RDONLY);

	ok(fd == 3, "the lowest free descriptor");
	ok(read(fd, text, sizeof(text)) == 10 && strcmp(text, "some text\n") == 0, "read");
	ok(read(fd, text, sizeof(text)) == 0, "up to the end");
	ok(pread(fd, text, 4, 5) == 4 && memcmp(text, "text", 4) == 0, "pread");
	ok(lseek(fd, -5, SEEK_END) == 5 && lseek(fd, 0, SEEK_CUR) == 5, "lseek");
	ok(fails(lseek(fd, -20, SEEK_CUR), EINVAL), "not before the start");
	ok(preadv(fd, parts, 2, 0) == 9 && memcmp(text, " textsome", 9) == 0, "preadv");
	ok(fails(write(fd, "x", 1), EBADF), "what is open for reading is not written");
	ok(fails(ftruncate(fd, 0), EINVAL), "nor truncated");
	ok(fstat(fd, &status) == 0 && status.st_size == 10 && S_ISREG(status.st_mode) &&
		   status.st_uid == getuid() && status.st_nlink == 1, "fstat");
	ok(fails(pread(fd, nowhere, 10, 0), EFAULT), "a bad address");
	close(fd);
	ok(lstat("in/link", &status) == 0 && S_ISLNK(status.st_mode), "a link is a link");
	ok(stat("in/link", &status) == 0 && stat("in/text", &target) == 0 &&
		   status.st_ino == target.st_ino, "and leads to its target");
	ok(readlink("in/link", text, 64) == 4 && memcmp(text, "text", 4) == 0, "readlink");
	ok(fails(readlink("", text, 64), ENOENT) && fails(readlink("in/text", text, 64), EINVAL),
	   "of nothing, and of what is no link");
	fd = open("in/text", O_RDONLY);
	snprintf(text, sizeof(text), "/proc/self/fd/%d", fd);
	ok(getcwd(path, sizeof(path)) && (size = readlink(text, name, sizeof(name))) > 0 &&
		   (size_t)size == strlen(path) + 8 && memcmp(name, path, strlen(path)) == 0 &&
		   memcmp(name + strlen(path), "/in/text", 8) == 0, "of a descriptor");
	close(fd);
	ok(fails(open("in/link", O_RDONLY | O_NOFOLLOW), ELOOP), "O_NOFOLLOW");
	ok(fails(open("in/text/x", O_RDONLY), ENOTDIR), "a file is no directory");
	ok(fails(open("in/none", O_RDONLY), ENOENT), "what is not there");
	ok(fails(open("in", O_WRONLY), EISDIR), "a directory is not written");
	ok(fails(open("in/text", O_RDONLY | O_DIRECTORY), ENOTDIR), "O_DIRECTORY");
	ok(fails(open("in/text", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST), "O_EXCL");
	ok(access("in/text", R_OK) == 0 && fails(access("in/text", X_OK), EACCES), "access");
	ok(has_text("in/deep/file", "deep\n"), "a file in a directory in it");
	ok(fails(open("", O_RDONLY), ENOENT), "an empty path");
}

static void test_write(void)
{
	struct stat status;
	int fd, other;

	write_text("out", "first\n");
	fd = open("out", O_RDWR | O_APPEND);
	ok(write(fd, "second\n", 7) == 7 && has_text("out", "first\nsecond\n"), "O_APPEND");
	ok(pwrite(fd, "third\n", 6, 0) == 6 && has_text("out", "first\nsecond\nthird\n"),
	   "which pwrite follows, as on Linux");
	ok((fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND)) == (O_RDWR | O_APPEND), "F_GETFL");
	ok(fcntl(fd, F_SETFL, 0) == 0 && pwrite(fd, "FIRST", 5, 0) == 5 &&
		   has_text("out", "FIRST\nsecond\nthird\n"), "F_SETFL takes it away");
	other = dup(fd);
	ok(lseek(fd, 3, SEEK_SET) == 3 && lseek(other, 0, SEEK_CUR) == 3, "a copy has the position");
	ok(dup2(fd, 20) == 20 && fcntl(20, F_GETFD) == 0, "dup2");
	ok(fcntl(fd, F_DUPFD_CLOEXEC, 30) == 30 && fcntl(30, F_GETFD) == FD_CLOEXEC, "F_DUPFD_CLOEXEC");
	ok(close(20) == 0 && close(30) == 0 && fails(close(30), EBADF), "close, once");
	ok(flock(fd, LOCK_EX) == 0 && fsync(fd) == 0, "flock and fsync");
	ok(ftruncate(fd, 5) == 0 && has_text("out", "FIRST"), "ftruncate");
	ok(posix_fallocate(fd, 0, 100) == 0 && fstat(fd, &status) == 0 && status.st_size == 100,
	   "fallocate");
	/* Where there are no holes, nothing is said of them. */
	ok(futimens(fd, (struct timespec[]){ { 1000, 0 }, { 1000, 0 } }) == 0 &&
		   (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 50, 10) != 0 ||
		    (fstat(fd, &status) == 0 && status.st_mtim.tv_sec > 1000)),
	   "a hole changes the time");
	ok(truncate("out", 6) == 0 && stat("out", &status) == 0 && status.st_size == 6, "truncate");
	close(other);
	close(fd);
	ok(chmod("out", 0640) == 0 && stat("out", &status) == 0 && (status.st_mode & 07777) == 0640,
	   "chmod");
	ok(utimensat(AT_FDCWD, "out", (struct timespec[]){ { 1000, 5 }, { 2000, 6 } }, 0) == 0 &&
		   stat("out", &status) == 0 && status.st_mtim.tv_sec == 2000 &&
		   status.st_mtim.tv_nsec == 6, "utimensat");
	ok(chown("out", getuid(), (gid_t)-1) == 0, "chown to oneself");
	ok(umask(077) == 022 && umask(022) == 077, "umask");
	write_text("in/text", "changed\n");
	fd = open("out", O_PATH);
	ok(fails(ftruncate(fd, 0), EBADF), "O_PATH is not for truncating");
	close(fd);
	fd = open(".", O_RDONLY | O_DIRECTORY);
	ok(lseek(fd, 1, SEEK_SET) == 1 && lseek(fd, INT64_MAX, SEEK_CUR) == -1,
	   "no position beyond all positions");
	close(fd);
}

/* A write that breaks off in the program's memory leaves nothing behind the end of the file. */
static void test_broken_write(void)
{
	char *memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("broken", O_RDWR | O_CREAT, 0600);
	char found[4096] = "";
	unsigned int i, wrong = 0;
	ssize_t written;

	memset(memory, 'x', 4096);
	mprotect(memory + 4096, 4096, PROT_NONE);
	written = write(fd, memory + 4000, 200);
	written = written < 0 ? 0 : written;
	ok(ftruncate(fd, 4096) == 0 && pread(fd, found, 4096, 0) == 4096, "a write that breaks off");
	for (i = (unsigned int)written; i < 4096; i++)
		wrong += found[i] != '\0';
	is_number(wrong, 0, "leaves nothing behind what it says");
	close(fd);
	unlink("broken");
	munmap(memory, 8192);
}

static void test_names(void)
{
	char path[4096], before[4096];
	int fd;

	ok(mkdir("dir", 0755) == 0 && fails(mkdir("dir", 0755), EEXIST), "mkdir");
	ok(mkdir("dir/sub", 0700) == 0, "another one in it");
	write_text("dir/sub/file", "moved\n");
	ok(fails(rmdir("dir"), ENOTEMPTY), "it is not empty");
	ok(fails(rename("dir", "dir/sub/dir"), EINVAL), "no directory is moved into itself");
	ok(rename("dir/sub", "sub") == 0 && has_text("sub/file", "moved\n"), "rename of a directory");
	ok(fails(rename("sub/file", "dir"), EISDIR), "a file does not replace a directory");
	ok(fails(rename("dir", "sub/file"), ENOTDIR), "nor the other way");
	ok(link("sub/file", "dir/linked") == 0 && unlink("sub/file") == 0 &&
		   has_text("dir/linked", "moved\n"), "link and unlink");
	ok(symlink("linked", "dir/soft") == 0 && has_text("dir/soft", "moved\n"), "symlink");
	ok(symlink("loop", "dir/loop") == 0 && fails(open("dir/loop", O_RDONLY), ELOOP), "a loop");
	ok(unlink("dir/loop") == 0, "which goes away");
	fd = open("dir/gone", O_RDWR | O_CREAT, 0600);
	ok(unlink("dir/gone") == 0 && write(fd, "x", 1) == 1 && lseek(fd, 0, SEEK_END) == 1,
	   "an unlinked file is there while it is open");
	close(fd);
	ok(fails(rmdir("dir/."), EINVAL) && fails(rmdir("dir/.."), ENOTEMPTY), "rmdir of dots");
	ok(fails(unlink("dir"), EISDIR) && fails(rmdir("dir/linked"), ENOTDIR), "each by its own call");
	ok(getcwd(before, sizeof(before)) && chdir("dir") == 0 && getcwd(path, sizeof(path)) &&
		   strncmp(path, before, strlen(before)) == 0 &&
		   strcmp(path + strlen(before), "/dir") == 0, "chdir and getcwd");
	ok(access("../out", F_OK) == 0 && chdir("..") == 0, "..");
	ok(unlink("in/link") == 0 && rename("in/deep/file", "in/deep/renamed") == 0,
	   "what was there before is removed and renamed");
	ok(fails(open("dir/no/file", O_CREAT | O_WRONLY, 0600), ENOENT), "no file without its directory");
	memset(path, 'n', 300);
	path[300] = '\0';
	ok(fails(mkdir(path, 0755), ENAMETOOLONG), "a name that is too long");
}

static void test_list(void)
{
	unsigned int i, count = 0;
	struct dirent *entry;
	char name[32];
	DIR *dir;

	ok(mkdir("many", 0755) == 0, "a directory");
	for (i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "many/file-%u", i);
		close(open(name, O_CREAT | O_WRONLY, 0600));
	}
	dir = opendir("many");
	while (dir && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		count++;
		if (unlinkat(dirfd(dir), entry->d_name, 0) != 0)
			break;
	}
	is_number(count, 2000, "2,000 names are listed once while they are removed");
	closedir(dir);
	ok(rmdir("many") == 0, "and then it is empty");
}

static void test_map(void)
{
	int fd = open("mapped", O_RDWR | O_CREAT, 0644), in = open("in/text", O_RDONLY);
	char *shared, *private;
	struct stat status;

	ok(ftruncate(fd, 10000) == 0, "a file of 10,000 bytes");
	shared = mmap(NULL, 10000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	private = mmap(NULL, 10000, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	ok(shared != MAP_FAILED && private != MAP_FAILED, "is mapped");
	memcpy(shared + 5000, "through memory", 14);
	memcpy(private, "nobody sees", 11);
	ok(pread(fd, (char[20]){ 0 }, 14, 5000) == 14, "what is written there is in the file");
	ok(fails((long)mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, in, 0), EACCES),
	   "what is open for reading is not mapped for writing");
	close(fd);
	memcpy(shared + 9000, "after close", 11);
	fd = open("copied", O_RDWR | O_CREAT, 0600);
	ok(sendfile(fd, in, NULL, 100) == 8, "sendfile");
	ok(copy_file_range(in, &(off_t){ 0 }, fd, NULL, 4, 0) == 4, "copy_file_range");
	ok(has_text("copied", "changed\nchan"), "copy what there is");
	close(fd);
	close(in);
	fd = memfd_create("nameless", 0);
	ok(fd >= 0 && fchmod(fd, 0600) == 0 && fstat(fd, &status) == 0 &&
		   status.st_mode == (S_IFREG | 0600) && status.st_nlink == 0, "a memfd is a file");
	ok(write(fd, "text", 4) == 4 && pread(fd, (char[8]){ 0 }, 8, 1) == 3, "  with contents");
	close(fd);
}

/* Two parts of a line that is the writer's own. */
static void *write_lines(void *argument)
{
	char *letter = argument, end[2] = { *letter, '\n' };
	struct iovec parts[2] = { { letter, 1 }, { end, 2 } };
	int fd = open("lines", O_WRONLY | O_CREAT | O_APPEND, 0600);

	for (unsigned int i = 0; i < 3000; i++) {
		if (writev(fd, parts, 2) != 3)
			break;
	}
	close(fd);
	return NULL;
}

static void test_parts(void)
{
	char letters[2] = { 'a', 'b' }, line[8];
	unsigned int whole = 0, i;
	pthread_t threads[2];
	FILE *file;

	for (i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, write_lines, &letters[i]);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	file = fopen("lines", "r");
	while (file && fgets(line, sizeof(line), file))
		whole += line[0] == line[1] && line[2] == '\n';
	if (file)
		fclose(file);
	is_number(whole, 6000, "what one writev(2) writes is together");
	unlink("lines");
}

static void *thread_main(void *argument)
{
	pthread_exit(argument);
}

/* glibc opens a library for it. */
static void test_thread(void)
{
	pthread_t thread;
	char word[] = "told";
	void *result = NULL;

	ok(pthread_create(&thread, NULL, thread_main, word) == 0 &&
		   pthread_join(thread, &result) == 0 && result == word, "pthread_exit");
}

static void test_limit(void)
{
	struct rlimit limit = { 16, 16 };
	int fd, last = -1;
	struct stat status;

	ok(setrlimit(RLIMIT_NOFILE, &limit) == 0, "RLIMIT_NOFILE");
	while ((fd = open("/dev/null", O_RDWR)) >= 0)
		last = fd;
	ok(last == 15 && errno == EMFILE, "is respected: %d, errno %d", last, errno);
	ok(fails(open("out", O_WRONLY | O_TRUNC), EMFILE) && stat("out", &status) == 0 &&
		   status.st_size == 6, "nothing is truncated without a descriptor");
	ok(fails(open("unmade", O_WRONLY | O_CREAT, 0600), EMFILE) && access("unmade", F_OK) != 0,
	   "nor made");
	ok(write(last, "x", 1) == 1, "/dev/null takes all");
	for (fd = 3; fd <= last; fd++)
		close(fd);
	fd = open("/dev/full", O_WRONLY);
	ok(fails(write(fd, "x", 1), ENOSPC), "/dev/full");
	close(fd);
	fd = open("/dev/urandom", O_RDONLY);
	ok(read(fd, &limit, 16) == 16 && (limit.rlim_cur || limit.rlim_max), "/dev/urandom");
	close(fd);
	fd = open("/tmp/private-of-1043", O_RDWR | O_CREAT, 0600);
	ok(fd >= 0 && write(fd, "x", 1) == 1, "/tmp");
	close(fd);
	ok(access("/proc/self/maps", R_OK) == 0 && access("/sys/devices/system/cpu/online", R_OK) == 0,
	   "/proc/self and /sys/devices/system");
}

/*
 * Two tasks: the first one closes directories in which it has files open, and a file was
 * removed; the other one ends before it, and so copies out what it can.
 */
static int close_directories(const char *rank)
{
	int late, low;

	while (strcmp(rank, "0") != 0 && access("ready", F_OK) != 0)
		usleep(20000);
	if (strcmp(rank, "0") != 0)
		return 0;
	ok(mkdir("shut/deep", 0700) == 0 && unlink("shut/old") == 0, "a directory in one that was staged");
	late = open("shut/late", O_WRONLY | O_CREAT, 0600);
	low = open("shut/deep/low", O_WRONLY | O_CREAT, 0600);
	ok(chmod("shut/deep", 0) == 0 && chmod("shut", 0500) == 0, "both are closed");
	close(open("ready", O_WRONLY | O_CREAT, 0600));
	sleep(3);
	ok(write(late, "late\n", 5) == 5 && write(low, "low\n", 4) == 4,
	   "and what is open in them is written to");
	return done();
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "shut") == 0)
		return close_directories(getenv("PISCES_TASK_ID"));
	test_streams();
	test_read();
	test_write();
	test_broken_write();
	test_names();
	test_list();
	test_map();
	test_parts();
	test_thread();
	test_limit();
	fprintf(stderr, "the end of %s\n", argc > 1 ? argv[1] : "it");
	return done();
}
