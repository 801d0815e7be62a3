// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory that is shared by name or descriptor: memfd_create(2), shm_open(3),
 * sem_open(3), System V segments.
 *
 *   memory-shared            one process, on Linux or in an enclave
 *   memory-shared RANKS      one of so many tasks of an enclave, which find each other
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define MIB (1ul << 20)
#define RW (PROT_READ | PROT_WRITE)

static sigjmp_buf after_fault;

static void on_bus(int signal)
{
	(void)signal;
	siglongjmp(after_fault, 1);
}

/* Does reading AT raise SIGBUS? */
static bool is_bus_error(volatile char *at)
{
	signal(SIGBUS, on_bus);
	if (sigsetjmp(after_fault, 1) != 0)
		return true;
	(void)*at;
	return false;
}

static char *map_shared(int fd, size_t size, off_t offset)
{
	return mmap(NULL, size, RW, MAP_SHARED, fd, offset);
}

static void test_memfd(void)
{
	int fd = memfd_create("test", MFD_CLOEXEC), copy;
	char *at, *again, buffer[16] = { 0 };
	struct iovec parts[2] = { { buffer, 3 }, { buffer + 8, 4 } };
	struct stat status;

	ok(fd >= 0 && ftruncate(fd, 3 * (off_t)MIB + 5) == 0, "memfd_create() and ftruncate()");
	ok(fstat(fd, &status) == 0 && status.st_size == 3 * (off_t)MIB + 5 && S_ISREG(status.st_mode),
	   "fstat() knows its size");
	ok(write(fd, "hello world", 11) == 11 && lseek(fd, 0, SEEK_CUR) == 11, "it is written");
	at = map_shared(fd, 4 * MIB, 0);
	ok(at != MAP_FAILED && memcmp(at, "hello world", 11) == 0 && at[3 * MIB] == 0,
	   "a mapping has what was written, and zeros");
	memcpy(at + 6, "there", 5);
	ok(pread(fd, buffer, 11, 0) == 11 && memcmp(buffer, "hello there", 11) == 0,
	   "pread() has what was stored in the mapping");
	copy = dup(fd);
	ok(lseek(copy, 6, SEEK_SET) == 6 && readv(fd, parts, 2) == 7 && memcmp(buffer, "the", 3) == 0 &&
		   memcmp(buffer + 8, "re\0\0", 4) == 0,
	   "a copied descriptor has the same position; readv()");
	ok(lseek(fd, 0, SEEK_END) == 3 * (off_t)MIB + 5 && read(fd, buffer, 4) == 0,
	   "at its end nothing is read");
	ok(is_bus_error(at + 3 * MIB + 4096), "a page behind its end: SIGBUS");
	ok(ftruncate(fd, 4 * (off_t)MIB) == 0 && at[3 * MIB + 4096] == 0, "which is there when it grows");
	at[2 * MIB] = 7;
	ok(ftruncate(fd, MIB) == 0 && ftruncate(fd, 4 * (off_t)MIB) == 0 && at[2 * MIB] == 0,
	   "what was cut off is zero when it comes back");
	again = mmap(NULL, 4096, RW, MAP_PRIVATE, fd, 0);
	again[0] = 'H';
	ok(at[0] == 'h' && again[1] == 'e', "a private mapping keeps what is written to itself");
	munmap(again, 4096);
	again = mremap(at, 0, 2 * MIB, MREMAP_MAYMOVE);
	ok(again != MAP_FAILED && again != at && (again[MIB] = 9) == at[MIB],
	   "mremap() of nothing maps it again");
	close(fd);
	ok(pwrite(copy, "x", 1, 0) == 1 && again[0] == 'x', "it lives as long as a copy");
	close(copy);
	ok(at[0] == 'x' && pread(copy, buffer, 1, 0) == -1 && errno == EBADF,
	   "or a mapping, but the descriptor is gone");
	munmap(again, 2 * MIB);
	munmap(at, 4 * MIB);
	ok(memfd_create("x", 0x4000) == -1 && errno == EINVAL, "an unknown flag: EINVAL");
}

/* Opened once more by the name that its descriptor has in /proc. */
static void test_descriptor_names(void)
{
	int fd = memfd_create("named", 0), again;
	char path[64], by_pid[64], buffer[8] = { 0 };
	struct stat status;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	snprintf(by_pid, sizeof(by_pid), "/proc/%d/fd/%d", getpid(), fd);
	ok(write(fd, "content", 7) == 7, "a memory file with a name in /proc");
	again = open(path, O_RDONLY);
	ok(again >= 0 && read(again, buffer, 8) == 7 && memcmp(buffer, "content", 7) == 0,
	   "is opened by that, with a position of its own");
	ok(write(again, "x", 1) == -1 && errno == EBADF, "to read, as was asked for");
	ok(pwrite(fd, "C", 1, 0) == 1 && pread(again, buffer, 1, 0) == 1 && buffer[0] == 'C',
	   "both are one file");
	close(again);
	ok(stat(path, &status) == 0 && status.st_size == 7, "stat() by that name knows its size");
	ok(open(path, O_RDONLY | O_NOFOLLOW) == -1 && errno == ELOOP, "O_NOFOLLOW: ELOOP");
	ok(open(path, O_RDONLY | O_DIRECTORY) == -1 && errno == ENOTDIR, "O_DIRECTORY: ENOTDIR");
	ok(open(path, O_RDWR | O_CREAT | O_EXCL, 0600) == -1 && errno == EEXIST, "O_EXCL: EEXIST");
	again = open(by_pid, O_RDWR | O_TRUNC);
	ok(again >= 0 && fstat(fd, &status) == 0 && status.st_size == 0,
	   "opened by a name with its pid, and cut off by O_TRUNC");
	close(again);
	close(fd);
	ok(open(path, O_RDONLY) == -1 && errno == ENOENT, "closed, it has no such name: ENOENT");
}

static void test_names(void)
{
	int fd, other;
	struct stat status;
	char *at, *again;

	shm_unlink("/memory-test");
	fd = shm_open("/memory-test", O_RDWR | O_CREAT | O_EXCL, 0600);
	ok(fd >= 0, "shm_open() makes a name");
	ok(shm_open("/memory-test", O_RDWR | O_CREAT | O_EXCL, 0600) == -1 && errno == EEXIST,
	   "a second time: EEXIST");
	if (ftruncate(fd, 5 * (off_t)MIB) != 0)
		perror("ftruncate");
	other = shm_open("/memory-test", O_RDONLY, 0);
	at = map_shared(fd, 5 * MIB, 0);
	again = mmap(NULL, MIB, PROT_READ, MAP_SHARED, other, 4 * (off_t)MIB);
	at[4 * MIB + 100] = 42;
	ok(other >= 0 && again != MAP_FAILED && again[100] == 42, "who opens it again shares it");
	ok(map_shared(other, MIB, 0) == MAP_FAILED && errno == EACCES && write(other, "x", 1) == -1 &&
		   errno == EBADF && mprotect(again, MIB, RW) == -1 && errno == EACCES,
	   "but who opened it to read cannot write");
	ok(stat("/dev/shm/memory-test", &status) == 0 && status.st_size == 5 * (off_t)MIB &&
		   (status.st_mode & 0777) == 0600 && status.st_uid == getuid() &&
		   access("/dev/shm/memory-test", R_OK) == 0,
	   "stat() and access() find it in /dev/shm");
	ok(rename("/dev/shm/memory-test", "/dev/shm/memory-test-2") == 0 &&
		   shm_open("/memory-test", O_RDWR, 0) == -1 && errno == ENOENT,
	   "it is renamed");
	ok(shm_unlink("/memory-test-2") == 0 && shm_unlink("/memory-test-2") == -1 && errno == ENOENT &&
		   at[4 * MIB + 100] == 42,
	   "shm_unlink() takes the name, not the memory");
	munmap(again, MIB);
	munmap(at, 5 * MIB);
	close(fd);
	close(other);
}

static void test_semaphore(void)
{
	sem_t *semaphore, *same;
	int value = -1;

	sem_unlink("/memory-test");
	semaphore = sem_open("/memory-test", O_CREAT | O_EXCL, 0600, 3);
	ok(semaphore != SEM_FAILED, "sem_open() makes a semaphore");
	if (semaphore == SEM_FAILED)
		return;
	same = sem_open("/memory-test", 0);
	ok(same == semaphore && sem_wait(same) == 0 && sem_getvalue(semaphore, &value) == 0 && value == 2,
	   "and finds it");
	sem_close(same);
	sem_close(semaphore);
	ok(sem_unlink("/memory-test") == 0 && sem_open("/memory-test", 0) == SEM_FAILED &&
		   errno == ENOENT,
	   "sem_unlink()");
}

static void test_segments(void)
{
	int id = shmget(IPC_PRIVATE, 3 * MIB, IPC_CREAT | 0600), named;
	struct shmid_ds status;
	char *at, *again;

	ok(id >= 0, "shmget(IPC_PRIVATE)");
	at = shmat(id, NULL, 0);
	again = shmat(id, NULL, SHM_RDONLY);
	ok(at != (void *)-1 && again != (void *)-1 && at != again && (at[2 * MIB] = 5) == again[2 * MIB],
	   "attached twice, it is the same memory");
	ok(mprotect(again, 4096, RW) == -1 && errno == EACCES, "SHM_RDONLY is never writable");
	ok(shmctl(id, IPC_STAT, &status) == 0 && status.shm_segsz == 3 * MIB && status.shm_nattch == 2 &&
		   status.shm_cpid == getpid(),
	   "IPC_STAT: size and attaches");
	ok(shmdt(again) == 0 && shmdt(again) == -1 && errno == EINVAL, "shmdt(), once");
	ok(shmctl(id, IPC_RMID, NULL) == 0 && at[2 * MIB] == 5, "IPC_RMID leaves what is attached");
	ok(shmdt(at) == 0 && shmat(id, NULL, 0) == (void *)-1 && errno == EINVAL,
	   "and it is gone with the last attach");
	named = shmget(0x7e57, MIB, IPC_CREAT | IPC_EXCL | 0600);
	ok(named >= 0 && shmget(0x7e57, 0, 0) == named, "a key finds its segment");
	ok(shmget(0x7e57, MIB, IPC_CREAT | IPC_EXCL) == -1 && errno == EEXIST &&
		   shmget(0x7e57, 2 * MIB, 0) == -1 && errno == EINVAL &&
		   shmget(0x7e58, MIB, 0) == -1 && errno == ENOENT,
	   "EEXIST, EINVAL for more than it has, ENOENT");
	shmctl(named, IPC_RMID, NULL);
	ok(shmget(0x7e57, MIB, 0) == -1 && errno == ENOENT, "until it is removed");
}

/* Writing and closing must not add up. */
static void test_many(void)
{
	unsigned int failed = 0;

	for (unsigned int i = 0; i < 100; i++) {
		int fd = memfd_create("many", 0);
		char *at;

		failed += fd < 0 || ftruncate(fd, 16 * (off_t)MIB) != 0;
		at = map_shared(fd, 16 * MIB, 0);
		failed += at == MAP_FAILED;
		if (at == MAP_FAILED)
			break;
		for (size_t j = 0; j < 16 * MIB; j += 4096)
			at[j] = 1;
		munmap(at, 16 * MIB);
		close(fd);
	}
	ok(failed == 0, "100 files of 16 MiB, one after the other");
}

/* ---- tasks ---- */

#define SLOTS 64

struct common {
	pthread_barrier_t barrier;
	pthread_mutex_t mutex;
	volatile int ready;
	long count;
	int slot[SLOTS];
	struct {
		pid_t pid;
		int fd;
		char *private;
	} open[SLOTS]; /* a memory file of each, with its rank in it, and memory of its own */
	char large[4 * MIB];
};

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
}

static struct common *meet(int rank, int ranks)
{
	size_t size = sizeof(struct common);
	pthread_barrierattr_t barrier_attributes;
	pthread_mutexattr_t mutex_attributes;
	struct common *common;
	struct stat status;
	int fd = -1;

	if (rank == 0) {
		fd = shm_open("/ranks", O_RDWR | O_CREAT | O_EXCL, 0600);
		if (fd < 0 || ftruncate(fd, (off_t)size) != 0)
			return NULL;
	}
	for (int tries = 0; tries < 2000 && fd < 0; tries++) {
		fd = shm_open("/ranks", O_RDWR, 0);
		if (fd >= 0 && (fstat(fd, &status) != 0 || status.st_size != (off_t)size)) {
			close(fd);
			fd = -1;
		}
		if (fd < 0)
			nap();
	}
	common = fd >= 0 ? mmap(NULL, size, RW, MAP_SHARED, fd, 0) : MAP_FAILED;
	if (common == MAP_FAILED)
		return NULL;
	close(fd);
	if (rank == 0) {
		pthread_barrierattr_init(&barrier_attributes);
		pthread_barrierattr_setpshared(&barrier_attributes, PTHREAD_PROCESS_SHARED);
		pthread_barrier_init(&common->barrier, &barrier_attributes, (unsigned int)ranks);
		pthread_mutexattr_init(&mutex_attributes);
		pthread_mutexattr_setpshared(&mutex_attributes, PTHREAD_PROCESS_SHARED);
		pthread_mutex_init(&common->mutex, &mutex_attributes);
		__atomic_store_n(&common->ready, 1, __ATOMIC_RELEASE);
	}
	for (int tries = 0; tries < 2000 && !__atomic_load_n(&common->ready, __ATOMIC_ACQUIRE); tries++)
		nap();
	return common->ready ? common : NULL;
}

/* The other ranks' memory files, by the names that their descriptors have in /proc. */
static int wrong_by_descriptor(struct common *common, int ranks)
{
	int wrong = 0, fd, *at;
	char path[64];

	for (int i = 0; i < ranks; i++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", common->open[i].pid,
			 common->open[i].fd);
		fd = open(path, O_RDWR);
		at = fd >= 0 ? mmap(NULL, 4096, RW, MAP_SHARED, fd, 0) : MAP_FAILED;
		wrong += at == MAP_FAILED || *at != i + 1000;
		if (at != MAP_FAILED)
			__atomic_fetch_add(&at[1], 1, __ATOMIC_RELAXED);
		if (fd >= 0)
			close(fd);
	}
	return wrong;
}

/* One that others open so, and its mapping; all have a hold of it when they have met once more. */
static int *show_memory_file(struct common *common, int rank)
{
	int fd = memfd_create("rank", MFD_CLOEXEC), value = rank + 1000;
	int *at;

	if (fd < 0 || ftruncate(fd, 4096) != 0 || pwrite(fd, &value, sizeof(value), 0) < 0)
		return NULL;
	at = mmap(NULL, 4096, RW, MAP_SHARED, fd, 0);
	common->open[rank].pid = getpid();
	common->open[rank].fd = fd;
	return at == MAP_FAILED ? NULL : at;
}

/*
 * Memory of one's own that others reach by its address, as MPI libraries do: PRIVATE bytes that
 * say whose they are, then one for each rank; the last MiB is closed.
 */
#define PRIVATE (3 * MIB + 100)

static char private_byte(int rank, size_t at)
{
	return (char)(rank + (int)(at * 7 + at / 4096));
}

static char *show_private(struct common *common, int rank)
{
	char *at = mmap(NULL, 5 * MIB, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return NULL;
	for (size_t i = 0; i < PRIVATE; i++)
		at[i] = private_byte(rank, i);
	mprotect(at + 4 * MIB, MIB, PROT_NONE);
	common->open[rank].private = at;
	return at;
}

static int wrong_by_address(struct common *common, int rank, int ranks)
{
	char *copy = malloc(PRIVATE), mark = (char)(rank + 1);
	int wrong = 0;

	for (int i = 0; i < ranks; i++) {
		pid_t pid = common->open[i].pid;
		char *at = common->open[i].private;
		struct iovec here[2] = { { copy, 1000 }, { copy + 1000, PRIVATE - 1000 } };
		struct iovec there[2] = { { at, PRIVATE - 5000 }, { at + PRIVATE - 5000, 5000 } };

		wrong += process_vm_readv(pid, here, 2, there, 2, 0) != PRIVATE;
		for (size_t j = 0; j < PRIVATE; j++)
			wrong += copy[j] != private_byte(i, j);
		here[0] = (struct iovec){ &mark, 1 };
		there[0] = (struct iovec){ at + PRIVATE + rank, 1 };
		wrong += process_vm_writev(pid, here, 1, there, 1, 0) != 1;
		/* What is closed is closed to others, too. */
		here[0] = (struct iovec){ copy, 100 };
		there[0] = (struct iovec){ at + 4 * MIB - 50, 100 };
		wrong += process_vm_readv(pid, here, 1, there, 1, 0) != 50;
		there[0].iov_base = at + 4 * MIB;
		wrong += process_vm_readv(pid, here, 1, there, 1, 0) != -1 || errno != EFAULT;
		wrong += process_vm_writev(pid, here, 1, there, 1, 0) != -1 || errno != EFAULT;
	}
	free(copy);
	return wrong;
}

static int run_rank(int rank, int ranks)
{
	struct common *common = meet(rank, ranks);
	int id, wrong = 0, *segment, *shown;
	char *private;

	if (!ok(common != NULL, "rank %d: found the others", rank))
		return 1;
	common->slot[rank] = rank + 100;
	common->large[(size_t)rank * 4096] = (char)(rank + 1);
	for (int i = 0; i < 10000; i++) {
		pthread_mutex_lock(&common->mutex);
		common->count++;
		pthread_mutex_unlock(&common->mutex);
	}
	id = shmget(0x7a9c, SLOTS * sizeof(int), IPC_CREAT | 0600);
	segment = shmat(id, NULL, 0);
	if (segment != (void *)-1)
		segment[rank] = rank + 1;
	shown = show_memory_file(common, rank);
	private = show_private(common, rank);
	pthread_barrier_wait(&common->barrier);
	for (int i = 0; i < ranks; i++) {
		wrong += common->slot[i] != i + 100 || common->large[(size_t)i * 4096] != (char)(i + 1);
		wrong += segment == (void *)-1 || segment[i] != i + 1;
	}
	ok(wrong == 0, "rank %d: sees what all have written", rank);
	ok(common->count == 10000l * ranks, "rank %d: a mutex in shared memory keeps %ld counts", rank,
	   common->count);
	wrong = wrong_by_descriptor(common, ranks);
	pthread_barrier_wait(&common->barrier);
	ok(wrong == 0 && shown && shown[1] == ranks,
	   "rank %d: each opens the others' memory files by /proc/PID/fd", rank);
	wrong = wrong_by_address(common, rank, ranks);
	pthread_barrier_wait(&common->barrier);
	for (int i = 0; i < ranks; i++)
		wrong += private[PRIVATE + i] != i + 1;
	ok(wrong == 0, "rank %d: each reads and writes the others' memory by its address", rank);
	if (rank == 0) {
		shm_unlink("/ranks");
		shmctl(id, IPC_RMID, NULL);
	}
	return done();
}

int main(int argc, char **argv)
{
	const char *rank = getenv("PISCES_TASK_ID");

	if (argc > 1)
		return run_rank(rank ? atoi(rank) : atoi(getenv("SLURM_PROCID")), atoi(argv[1]));
	test_memfd();
	test_descriptor_names();
	test_names();
	test_semaphore();
	test_segments();
	test_many();
	return done();
}
