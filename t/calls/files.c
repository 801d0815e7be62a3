/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files, directories and descriptors of Linux. */
#include <dirent.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <utime.h>

#include "calls.h"

static char long_name[300], long_path[5000];

static void opens(void)
{
	struct open_how how = { .flags = O_RDONLY, .resolve = RESOLVE_BENEATH };
	struct {
		struct open_how how;
		uint64_t more;
	} future = { .more = 1 };
	char text[64] = "";
	int fd;

	part("open");
	memset(long_name, 'x', sizeof(long_name) - 1);
	memset(long_path, 'y', sizeof(long_path) - 1);
	TRY(open, "nowhere", O_RDONLY);
	TRY(open, "", O_RDONLY);
	TRY(open, BAD, O_RDONLY);
	TRY(open, KERNEL, O_RDONLY);
	TRY(open, long_name, O_RDONLY);
	TRY(open, long_path, O_RDONLY);
	TRY(open, "/etc/shadow", O_RDONLY);
	TRY(open, "/etc/passwd", O_WRONLY);
	TRY(open, "/etc/passwd/x", O_RDONLY);
	TRY(open, ".", O_WRONLY);
	TRY(openat, 99, "x", O_RDONLY);
	TRY(openat, 0, "x", O_RDONLY);
	fd = (int)TRY(creat, "file", 0640);
	TRY(open, "file", O_CREAT | O_EXCL | O_RDWR, 0600);
	TRY(open, "file", O_DIRECTORY);
	TRY(close, fd);
	TRY(close, fd);
	fd = (int)TRY(openat2, AT_FDCWD, "file", &how, sizeof(how));
	TRY(close, fd);
	TRY(openat2, AT_FDCWD, "../x", &how, sizeof(how));
	TRY(openat2, AT_FDCWD, "/etc/passwd", &how, sizeof(how));
	TRY(openat2, AT_FDCWD, "file", &how, 8);
	TRY(openat2, AT_FDCWD, "file", BAD, sizeof(how));
	TRY(openat2, AT_FDCWD, "file", &how, 100000);
	TRY(openat2, AT_FDCWD, "file", &future, sizeof(future));
	how.flags = 1ull << 60;
	TRY(openat2, AT_FDCWD, "file", &how, sizeof(how));
	how = (struct open_how){ .flags = O_CREAT | O_RDWR, .mode = 0600 };
	fd = (int)TRY(openat2, AT_FDCWD, "/dev/shm/calls-files", &how, sizeof(how));
	TRY(write, fd, "shared", 6);
	TRY(close, fd);
	fd = (int)TRY(open, "/dev/shm/calls-files", O_RDONLY);
	TRY(read, fd, text, sizeof(text) - 1);
	SHOW_TEXT(text);
	TRY(close, fd);
	TRY(unlink, "/dev/shm/calls-files");
}

static void data(void)
{
	char text[64] = "";
	struct iovec out[2] = { { "one", 3 }, { "two", 3 } };
	struct iovec in[2] = { { text, 4 }, { text + 10, 4 } };
	int fd = (int)TRY(open, "file", O_RDWR);
	int append;

	part("read, write, seek");
	TRY(write, fd, "0123456789", 10);
	TRY(write, fd, BAD, 10);
	TRY(write, fd, KERNEL, 10);
	TRY(write, fd, BAD, 0);
	TRY(write, 99, "x", 1);
	TRY(lseek, fd, 2, SEEK_SET);
	TRY(lseek, fd, -1, SEEK_SET);
	TRY(lseek, fd, 0, 99);
	TRY(lseek, 99, 0, SEEK_SET);
	TRY(read, fd, text, 4);
	SHOW_TEXT(text);
	TRY(read, fd, BAD, 4);
	TRY(read, 99, text, 4);
	TRY(pread64, fd, text, 3, 5);
	TRY(pread64, fd, text, 3, -1);
	TRY(pread64, fd, text, 3, 500);
	TRY(pwrite64, fd, "ab", 2, 8);
	TRY(pwrite64, fd, "ab", 2, -1);
	TRY(writev, fd, out, 2);
	TRY(writev, fd, out, -1);
	TRY(writev, fd, out, 2000);
	TRY(writev, fd, BAD, 2);
	TRY(readv, fd, in, 2);
	TRY(preadv, fd, in, 2, 0, 0);
	SHOW_TEXT(text);
	TRY(pwritev, fd, out, 2, 20, 0);
	TRY(preadv2, fd, in, 2, -1, -1, 0);
	TRY(lseek, fd, 0, SEEK_END);
	TRY(lseek, fd, 0, SEEK_HOLE);
	TRY(lseek, fd, 100, SEEK_DATA);
	TRY(ftruncate, fd, 5);
	TRY(ftruncate, fd, -1);
	TRY(ftruncate, 0, 5);
	TRY(truncate, "file", 3);
	TRY(truncate, "nowhere", 3);
	TRY(truncate, ".", 3);
	TRY(fallocate, fd, 0, 0, 100);
	TRY(fallocate, fd, 0, 0, -1);
	TRY(fallocate, fd, 0x1000, 0, 1);
	append = (int)TRY(open, "file", O_WRONLY | O_APPEND);
	TRY(write, append, "end", 3);
	TRY(lseek, append, 0, SEEK_CUR);
	TRY(read, append, text, 1);
	TRY(fsync, fd);
	TRY(fdatasync, fd);
	TRY(fsync, 99);
	TRY(sync_file_range, fd, 0, 10, 0);
	TRY(sync_file_range, fd, -1, 10, 0);
	TRY(sync_file_range, fd, 0, 10, 99);
	TRY(syncfs, fd);
	TRY(syncfs, 99);
	TRY(sync);
	TRY(readahead, fd, 0, 10);
	TRY(readahead, 99, 0, 10);
	TRY(fadvise64, fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	TRY(fadvise64, fd, 0, 0, 99);
	TRY(close, append);
	TRY(close, fd);
}

static void descriptors(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = (int)TRY(open, "file", O_RDWR | O_CLOEXEC), pipes[2];

	part("descriptors");
	TRY(dup, fd);
	TRY(dup, 99);
	TRY(dup2, fd, 20);
	TRY(dup2, fd, fd);
	TRY(dup2, fd, -1);
	TRY(dup2, 99, 98);
	TRY(dup3, fd, fd, 0);
	TRY(dup3, fd, 21, O_CLOEXEC);
	TRY(dup3, fd, 22, 12345);
	TRY(fcntl, fd, F_GETFD);
	TRY(fcntl, 21, F_GETFD);
	TRY(fcntl, 20, F_GETFD);
	TRY(fcntl, fd, F_SETFD, 0);
	TRY(fcntl, fd, F_GETFL);
	TRY(fcntl, fd, F_SETFL, O_APPEND);
	TRY(fcntl, fd, F_DUPFD, 30);
	TRY(fcntl, fd, F_DUPFD, -1);
	TRY(fcntl, fd, 12345);
	TRY(fcntl, 99, F_GETFD);
	TRY(fcntl, 99, 12345);
	TRY(fcntl, fd, F_SETLK, &lock);
	TRY(fcntl, fd, F_SETLK, BAD);
	TRY(fcntl, fd, F_GETLK, &lock);
	SHOW(lock.l_type == F_UNLCK);
	TRY(flock, fd, LOCK_EX | LOCK_NB);
	TRY(flock, fd, 99);
	TRY(flock, 99, LOCK_EX);
	TRY(ioctl, fd, 0x5401, &lock);
	TRY(ioctl, 99, 0x5401, &lock);
	TRY(ioctl, fd, 0x12345678, &lock);
	TRY(ioctl, 99, 0x12345678, &lock);
	TRY(pipe, pipes);
	TRY(pipe, BAD);
	TRY(dup, 0);
	TRY(pipe2, pipes, 12345);
	TRY(close_range, 10, 9, 0);
	TRY(close_range, 20, 25, 77);
	TRY(close_range, 20, 40, CLOSE_RANGE_CLOEXEC);
	TRY(fcntl, 20, F_GETFD);
	TRY(close_range, 3, ~0u, 0);
	TRY(fcntl, 20, F_GETFD);
	TRY(dup, 0);
	TRY(close_range, 3, ~0u, 0);
}

static void names(void)
{
	char buffer[256] = "";
	struct stat status;
	struct statx more;
	struct statfs system;
	int dir;

	part("names");
	TRY(mkdir, "dir", 0750);
	TRY(mkdir, "dir", 0750);
	TRY(mkdir, "no/where", 0750);
	TRY(mkdir, "/etc/x", 0750);
	TRY(symlink, "target", "link");
	TRY(symlink, "target", "link");
	TRY(readlink, "link", buffer, sizeof(buffer));
	SHOW_TEXT(buffer);
	TRY(readlink, "link", buffer, 3);
	TRY(readlink, "link", buffer, 0);
	TRY(readlink, "link", BAD, 10);
	TRY(readlink, "file", buffer, 10);
	TRY(link, "file", "hard");
	TRY(link, "file", "hard");
	TRY(link, "nowhere", "x");
	TRY(stat, "file", &status);
	SHOW(status.st_nlink);
	SHOW(status.st_mode);
	SHOW(status.st_size);
	TRY(stat, "link", &status);
	TRY(lstat, "link", &status);
	SHOW(status.st_mode);
	TRY(stat, "file", BAD);
	TRY(fstat, 99, &status);
	TRY(fstat, 0, BAD);
	TRY(newfstatat, AT_FDCWD, "", &status, 0);
	TRY(newfstatat, AT_FDCWD, "file", &status, 12345);
	TRY(statx, AT_FDCWD, "file", 0, STATX_BASIC_STATS, &more);
	SHOW(more.stx_size);
	TRY(statx, AT_FDCWD, "file", 0, STATX_BASIC_STATS, BAD);
	TRY(rename, "hard", "dir/hard");
	TRY(rename, "nowhere", "x");
	TRY(rename, "dir", "file");
	TRY(renameat2, AT_FDCWD, "file", AT_FDCWD, "dir/hard", 1);
	TRY(rmdir, "dir");
	TRY(rmdir, "file");
	TRY(unlink, "dir");
	TRY(unlink, "dir/hard");
	TRY(unlink, "nowhere");
	TRY(access, "file", R_OK);
	TRY(access, "file", X_OK);
	TRY(access, "file", 99);
	TRY(access, "/etc/shadow", R_OK);
	TRY(faccessat2, AT_FDCWD, "file", R_OK, AT_EACCESS);
	TRY(faccessat2, AT_FDCWD, "file", R_OK, 77777);
	TRY(chmod, "file", 0600);
	TRY(chmod, "nowhere", 0600);
	TRY(chmod, "/etc/passwd", 0600);
	TRY(chown, "file", -1, -1);
	TRY(chown, "file", 0, -1);
	TRY(umask, 022);
	TRY(umask, 022);
	TRY(chdir, "dir");
	TRY(chdir, "nowhere");
	TRY(chdir, "../file");
	TRY(chdir, "..");
	TRY(getcwd, buffer, 2);
	TRY(getcwd, BAD, 200);
	dir = (int)TRY(open, "dir", O_RDONLY | O_DIRECTORY);
	TRY(fchdir, dir);
	TRY(fchdir, 0);
	TRY(fchdir, 99);
	TRY(chdir, "..");
	TRY(openat, dir, "in", O_CREAT | O_RDWR, 0600);
	TRY(unlinkat, dir, "in", 0);
	TRY(unlinkat, dir, "in", 12345);
	TRY(statfs, ".", &system);
	TRY(statfs, "nowhere", &system);
	TRY(fstatfs, 99, &system);
	TRY(close_range, 3, ~0u, 0);
}

/* Names in a directory, sorted by hand, by the old call or the new one. */
static void list(int fd, int old)
{
	char buffer[4096] __attribute__((aligned(8))), *name;
	long bytes, at, found = 0;

	while ((bytes = syscall(old ? SYS_getdents : SYS_getdents64, fd, buffer,
				sizeof(buffer))) > 0) {
		for (at = 0; at < bytes; at += *(uint16_t *)(buffer + at + 16)) {
			name = buffer + at + (old ? 18 : 19);
			if (strcmp(name, "a") == 0 || strcmp(name, "b") == 0 ||
			    strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
				found++;
			else
				printf("unexpected name %s\n", name);
		}
	}
	SHOW(bytes);
	SHOW(found);
}

static void directories(void)
{
	char buffer[256];
	int fd;

	part("directories");
	mkdir("list", 0700);
	close(open("list/a", O_CREAT | O_WRONLY, 0600));
	close(open("list/b", O_CREAT | O_WRONLY, 0600));
	fd = (int)TRY(open, "list", O_RDONLY | O_DIRECTORY);
	list(fd, 0);
	TRY(lseek, fd, 0, SEEK_SET);
	list(fd, 1);
	TRY(lseek, fd, 0, SEEK_SET);
	TRY(getdents64, fd, buffer, 1);
	TRY(getdents64, fd, BAD, 200);
	TRY(getdents64, 0, buffer, sizeof(buffer));
	TRY(getdents64, 99, buffer, sizeof(buffer));
	TRY(read, fd, buffer, 1);
	TRY(close, fd);
	unlink("list/a");
	unlink("list/b");
	rmdir("list");
}

static void times(void)
{
	struct timespec two[2] = { { 1000, 5 }, { 2000, 7 } }, wrong[2] = { { 0, -5 }, { 0, 0 } };
	struct timeval old[2] = { { 3000, 0 }, { 4000, 9 } };
	struct utimbuf older = { 5000, 6000 };
	struct stat status;

	part("times of files");
	TRY(utimensat, AT_FDCWD, "file", two, 0);
	stat("file", &status);
	SHOW(status.st_atime);
	SHOW(status.st_mtim.tv_nsec);
	TRY(utimensat, AT_FDCWD, "file", wrong, 0);
	TRY(utimensat, AT_FDCWD, "nowhere", two, 0);
	TRY(utimensat, AT_FDCWD, "file", BAD, 0);
	TRY(utimensat, AT_FDCWD, "file", two, 12345);
	TRY(utimes, "file", old);
	stat("file", &status);
	SHOW(status.st_mtime);
	TRY(utimes, "file", BAD);
	TRY(futimesat, AT_FDCWD, "file", NULL);
	TRY(futimesat, 99, "file", old);
	TRY(utime, "file", &older);
	stat("file", &status);
	SHOW(status.st_mtime);
	TRY(utime, "file", NULL);
	TRY(utime, "/etc/passwd", NULL);
}

static void moves(void)
{
	int file = open("file", O_RDWR), pipes[2], more[2];
	off_t offset = 0;
	char text[16] = "";

	part("splice, tee, sendfile, copy_file_range");
	TRY(ftruncate, file, 0);
	TRY(pwrite64, file, "0123456789", 10, 0);
	TRY(pipe2, pipes, O_NONBLOCK);
	TRY(pipe2, more, O_NONBLOCK);
	TRY(splice, file, &offset, pipes[1], NULL, 6, 0);
	SHOW(offset);
	TRY(tee, pipes[0], more[1], 6, 0);
	TRY(read, more[0], text, 16);
	SHOW_TEXT(text);
	TRY(read, pipes[0], text, 16);
	TRY(splice, pipes[0], NULL, file, NULL, 6, SPLICE_F_NONBLOCK);
	TRY(splice, file, NULL, file, NULL, 6, 0);
	TRY(splice, file, BAD, pipes[1], NULL, 6, 0);
	TRY(splice, 99, NULL, pipes[1], NULL, 6, 0);
	TRY(tee, pipes[0], file, 6, 0);
	offset = 5;
	TRY(sendfile, pipes[1], file, &offset, 100);
	SHOW(offset);
	TRY(sendfile, pipes[1], 99, &offset, 100);
	TRY(sendfile, pipes[1], file, BAD, 100);
	offset = 0;
	TRY(copy_file_range, file, &offset, file, NULL, 2, 99);
	TRY(copy_file_range, 99, NULL, file, NULL, 2, 0);
	TRY(close_range, 3, ~0u, 0);
}

static void attributes(void)
{
	char value[16] = "";

	part("attributes");
	TRY(setxattr, "file", "user.test", "abc", 3, 0);
	TRY(setxattr, "file", "user.test", "abc", 3, XATTR_CREATE);
	TRY(setxattr, "file", "user.test", BAD, 3, 0);
	TRY(setxattr, "file", "user.test", "abc", 100000, 0);
	TRY(setxattr, "file", "nonsense", "abc", 3, 0);
	TRY(setxattr, "file", "trusted.test", "abc", 3, 0);
	TRY(setxattr, "nowhere", "user.test", "abc", 3, 0);
	TRY(getxattr, "file", "user.test", value, 16);
	SHOW_TEXT(value);
	TRY(getxattr, "file", "user.test", value, 1);
	TRY(getxattr, "file", "user.test", NULL, 0);
	TRY(getxattr, "file", "user.none", value, 16);
	TRY(fsetxattr, 99, "user.test", "abc", 3, 0);
	TRY(lsetxattr, "link", "user.test", "abc", 3, 0);
	TRY(removexattr, "file", "user.test");
	TRY(removexattr, "file", "user.test");
	TRY(lremovexattr, "nowhere", "user.test");
	TRY(fremovexattr, 99, "user.test");
}

int main(void)
{
	opens();
	data();
	descriptors();
	names();
	directories();
	times();
	moves();
	attributes();
	return 0;
}
