/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that are mapped shared, fs/mapped_*.c: two processes map files of this machine,
 * whose contents are looked at from outside.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/stat.h>

#include "unit-mapped-fake.h"
#include "unit-mm.h"
#include "unit-mmu.h"

#include "arch/user.h"
#include "fs/mapped_file.h"
#include "lib/errno.h"
#include "mm/heap.h"
#include "mm/page.h"

#define MIB (1ull << 20)
#define MEMORY (256 * MIB)
#define RW (ASPACE_READ | ASPACE_WRITE)
#define PAGE 4096

static char name[] = "/tmp/unit-mapped.XXXXXX";
static int outside; /* the file, as others see it */
static uint64_t free_before;

static void begin(off_t size)
{
	char block[PAGE];

	free_before = page_free_bytes();
	fake_begin();
	if (ftruncate(outside, 0) != 0)
		bail_out("ftruncate");
	memset(block, 'f', sizeof(block));
	for (off_t at = 0; at < size; at += PAGE) {
		off_t left = size - at < PAGE ? size - at : PAGE;

		if (pwrite(outside, block, (size_t)left, at) != left)
			bail_out("no room in /tmp");
	}
	fake_pwrites = 0;
	fake_highest = 0;
}

static int open_file(int flags)
{
	int fd = open(name, flags);

	if (fd < 0)
		bail_out("open");
	return fd;
}

static unsigned int descriptors(void)
{
	unsigned int count = 0;

	for (int fd = 0; fd < 1100; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* With a process ends its proxy, and what that had open. */
static void proxies_end(void)
{
	close_range((unsigned int)outside + 1, 1100, 0);
}

static void end(const char *test, unsigned int before)
{
	unsigned int left = descriptors();

	fake_close();
	ok(page_free_bytes() == free_before && heap_objects == 0 && left == before,
	   "%s: nothing is left", test);
}

static user_addr_t map(int fd, uint64_t size, uint64_t offset)
{
	int64_t at = mapped_file_map(fd, 0, size, offset, RW, 0);

	if (at < 0)
		bail_out("mmap: %d", (int)at);
	return (user_addr_t)at;
}

static void unmap(user_addr_t at, uint64_t size)
{
	bool files = mapped_file_in(at, size);

	aspace_unmap(fake_aspace(), at, size);
	if (files)
		mapped_file_unmapped();
}

static int put(user_addr_t at, uint8_t byte)
{
	return mmu_do(0, MMU_WRITE, at, &byte, 1);
}

static int get(user_addr_t at)
{
	uint8_t byte = 0;
	int error = mmu_do(1, MMU_READ, at, &byte, 1);

	return error ? error : byte;
}

/* The byte of the file. */
static int in_file(off_t at)
{
	uint8_t byte;

	return pread(outside, &byte, 1, at) == 1 ? byte : -1;
}

static void set_file(off_t at, uint8_t byte)
{
	if (pwrite(outside, &byte, 1, at) != 1)
		bail_out("pwrite");
}

static off_t size_of_file(void)
{
	struct stat status;

	fstat(outside, &status);
	return status.st_size;
}

/* ---- */

static void test_write_back(void)
{
	unsigned int before = descriptors();
	int fd;
	user_addr_t at, again;

	begin(10 * PAGE);
	fd = open_file(O_RDWR);
	at = map(fd, 10 * PAGE, 0);
	ok(get(at + 5) == 'f' && get(at + 9 * PAGE) == 'f', "a file is mapped");
	put(at + 5, 'a');
	put(at + 7 * PAGE, 'b');
	ok(in_file(5) == 'f', "what is written is not the file's at once");
	set_file(6 * PAGE, 'o');
	ok(mapped_file_sync(at, 10 * PAGE, false) == 0 && in_file(5) == 'a' && in_file(7 * PAGE) == 'b',
	   "but with msync()");
	ok(in_file(6 * PAGE) == 'o' && fake_pwrites == 2, "and nothing else is written");
	ok(mapped_file_sync(at, 10 * PAGE, true) == 0 && fake_pwrites == 2, "nor a second time");
	close(fd);
	put(at + 5, 'c');
	put(at + 8 * PAGE, 'd');
	ok(mapped_file_sync(at, PAGE, false) == 0 && in_file(5) == 'c' && in_file(8 * PAGE) == 'f',
	   "of a range, though the program has closed the file");
	for (int i = 0; i < 10; i++)
		put(at + (user_addr_t)i * PAGE, 'e');
	fake_pwrites = 0;
	mapped_file_sync(at, 10 * PAGE, false);
	ok(fake_pwrites == 4 && in_file(9 * PAGE) == 'e', "neighbours go together");
	fd = open_file(O_RDWR);
	again = map(fd, 2 * PAGE, 4 * PAGE);
	close(fd);
	put(again, 'g');
	ok(get(at + 4 * PAGE) == 'g', "a second mapping is the same memory");
	mapped_file_sync(at, 10 * PAGE, false);
	ok(in_file(4 * PAGE) == 'g', "and is written back with the first");
	put(again, 'h');
	unmap(again, 2 * PAGE);
	ok(in_file(4 * PAGE) == 'h', "so it is by munmap()");
	put(at, 'i');
	put(at + 9 * PAGE, 'i');
	unmap(at, 2 * PAGE);
	ok(in_file(0) == 'i' && get(at + 9 * PAGE) == 'i', "of a part");
	put(at + 9 * PAGE, 'j');
	unmap(at, 20 * PAGE);
	ok(in_file(9 * PAGE) == 'j' && descriptors() == before && !mapped_file_keeps(960),
	   "and of all, with which our descriptor goes");
	set_file(0, 'k');
	fd = open_file(O_RDWR);
	at = map(fd, PAGE, 0);
	ok(get(at) == 'k', "mapped anew it is read anew");
	unmap(at, PAGE);
	close(fd);
	end("writing back", before);
}

static void test_two(void)
{
	unsigned int before = descriptors();
	user_addr_t a, b;
	int fd;

	begin(4 * PAGE);
	fd = open_file(O_RDWR);
	a = map(fd, 4 * PAGE, 0);
	fake_run(1);
	b = map(fd, 2 * PAGE, 2 * PAGE);
	put(b, 'b');
	fake_run(0);
	ok(get(a + 2 * PAGE) == 'b', "what one process writes the other sees");
	put(a + 2 * PAGE + 1, 'a');
	mapped_file_sync(a, 4 * PAGE, false);
	ok(in_file(2 * PAGE) == 'b' && in_file(2 * PAGE + 1) == 'a', "and writes back");
	fake_run(1);
	put(b, 'c');
	put(b + PAGE, 'd');
	fake_run(0);
	unmap(a, 4 * PAGE);
	ok(in_file(2 * PAGE) == 'c' && in_file(3 * PAGE) == 'd', "also when it unmaps it");
	fake_run(1);
	put(b, 'e');
	fake_end(1);
	ok(in_file(2 * PAGE) == 'e' && fake_report[0] == '\0', "the end of a process is enough");
	proxies_end();
	end("two", before);
}

static void test_end_of_file(void)
{
	unsigned int before = descriptors();
	user_addr_t at;
	int fd;

	begin(PAGE + 100);
	fd = open_file(O_RDWR);
	at = map(fd, 4 * PAGE, 0);
	ok(get(at + PAGE + 99) == 'f' && get(at + PAGE + 100) == 0 && get(at + 2 * PAGE) == -ENXIO,
	   "behind the end there are zeros, and behind that page nothing");
	put(at + PAGE, 'a');
	put(at + PAGE + 100, 'b');
	mapped_file_sync(at, 4 * PAGE, false);
	ok(in_file(PAGE) == 'a' && size_of_file() == PAGE + 100 && fake_highest == PAGE + 100,
	   "nothing is written there");
	if (ftruncate(fd, 3 * PAGE) != 0)
		bail_out("ftruncate");
	mapped_file_resized();
	ok(get(at + PAGE + 100) == 0 && get(at + 2 * PAGE) == 0 && put(at + 2 * PAGE, 'c') == 0 &&
		   get(at + 3 * PAGE) == -ENXIO,
	   "a file that grows does so in its mapping");
	put(at + PAGE, 'd');
	if (ftruncate(fd, PAGE + 1) != 0)
		bail_out("ftruncate");
	mapped_file_resized();
	ok(get(at + PAGE) == 'd' && get(at + PAGE + 1) == 0 && get(at + 2 * PAGE) == -ENXIO,
	   "one that shrinks, too");
	unmap(at, 4 * PAGE);
	ok(size_of_file() == PAGE + 1 && in_file(PAGE) == 'd', "and does not grow by it");
	at = map(fd, 4 * PAGE, 0);
	put(at, 'e');
	if (ftruncate(fd, 0) != 0)
		bail_out("ftruncate");
	mapped_file_sync(at, 4 * PAGE, false);
	ok(size_of_file() == 0, "nor where that was not noticed");
	unmap(at, 4 * PAGE);
	close(fd);
	end("the end of a file", before);
}

static void test_rights(void)
{
	unsigned int before = descriptors();
	int fd, pipes[2];
	user_addr_t at;
	int64_t reading;

	begin(2 * PAGE);
	fd = open_file(O_RDONLY);
	ok(mapped_file_map(fd, 0, PAGE, 0, RW, 0) == -EACCES, "for reading only: not to be written");
	ok(mapped_file_map(fd, 0, PAGE, 0, ASPACE_READ, 0) == FAKE_CACHED,
	   "to be read it comes from what is kept, if nobody writes");
	close(fd);
	fd = open_file(O_WRONLY);
	ok(mapped_file_map(fd, 0, PAGE, 0, ASPACE_WRITE, 0) == -EACCES, "for writing only: not at all");
	close(fd);
	ok(mapped_file_map(999, 0, PAGE, 0, RW, 0) == -EBADF, "no file");
	if (pipe(pipes) != 0)
		bail_out("pipe");
	ok(mapped_file_map(pipes[0], 0, PAGE, 0, ASPACE_READ, 0) == -ENODEV, "no regular file");
	close(pipes[0]);
	close(pipes[1]);
	fd = open_file(O_RDWR);
	at = (user_addr_t)mapped_file_map(fd, 0, PAGE, 0, ASPACE_READ, 0);
	ok(put(at, 'a') == -EACCES && aspace_protect(fake_aspace(), at, PAGE, RW) == 0 &&
		   put(at, 'a') == 0,
	   "read and write: what was mapped to be read can be opened later");
	close(fd);
	fd = open_file(O_RDONLY);
	fake_run(1);
	reading = mapped_file_map(fd, 0, PAGE, 0, ASPACE_READ, 0);
	ok(reading != FAKE_CACHED && get((user_addr_t)reading) == 'a' &&
		   aspace_protect(fake_aspace(), (user_addr_t)reading, PAGE, RW) == -EACCES,
	   "who reads it sees what is written, and cannot write himself");
	close(fd);
	fd = open_file(O_RDWR);
	at = map(fd, PAGE, PAGE);
	put(at, 'b');
	unmap((user_addr_t)reading, PAGE);
	mapped_file_sync(at, PAGE, false);
	ok(in_file(PAGE) == 'b', "until he maps it by another descriptor");
	unmap(at, PAGE);
	fake_run(0);
	fake_end(0);
	ok(in_file(0) == 'a', "all is written in the end");
	proxies_end();
	end("rights", before);
}

static void test_descriptors(void)
{
	unsigned int before = descriptors();
	user_addr_t at;
	int fd;

	begin(2 * PAGE);
	fd = open_file(O_RDWR | O_APPEND);
	at = map(fd, 2 * PAGE, 0);
	put(at + 1, 'a');
	mapped_file_sync(at, 2 * PAGE, false);
	ok(in_file(1) == 'a' && size_of_file() == 2 * PAGE, "by an appending descriptor: in its place");
	unmap(at, 2 * PAGE);
	close(fd);
	fd = open_file(O_RDWR);
	at = map(fd, 2 * PAGE, 0);
	ok(mapped_file_keeps(960) && !mapped_file_keeps((uint32_t)fd) &&
		   mapped_file_next_kept(3) == 960 && mapped_file_next_kept(961) == -1,
	   "ours is out of the way");
	fcntl(fd, F_SETFL, O_APPEND);
	put(at + 1, 'b');
	mapped_file_sync(at, 2 * PAGE, false);
	ok(in_file(1) == 'b' && size_of_file() == 2 * PAGE, "which also sees that one became so");
	mapped_file_keep_locks();
	unmap(at, 2 * PAGE);
	ok(mapped_file_next_kept(0) > 0, "with locks it stays when nothing is mapped");
	set_file(0, 'c');
	at = map(fd, 2 * PAGE, 0);
	ok(get(at) == 'c' && get(at + 1) == 'b', "but not what was read");
	fake_end(0);
	proxies_end();
	end("descriptors", before);
}

static void test_calls(void)
{
	unsigned int before = descriptors();
	user_addr_t at;
	int fd;

	begin(3 * PAGE);
	fd = open_file(O_RDWR);
	at = map(fd, 4 * PAGE, 0);
	put(at + 10, 'a');
	put(at + 2 * PAGE, 'b');
	mapped_file_before_read(fd, 0, 100);
	ok(in_file(10) == 'a' && in_file(2 * PAGE) == 'f', "pread() sees what was written");
	mapped_file_before_read(fd, MAPPED_POSITION, 100);
	ok(in_file(2 * PAGE) == 'b', "so does read(), wherever");
	put(at + 10, 'c');
	set_file(11, 'd');
	mapped_file_after_write(fd, 11, 1);
	ok(get(at + 10) == 'c' && get(at + 11) == 'd',
	   "the mapping sees what pwrite() wrote, and keeps its own");
	mapped_file_sync_fd(fd);
	ok(in_file(10) == 'c' && in_file(11) == 'd', "both are written by fsync()");
	lseek(fd, 3 * PAGE, SEEK_SET);
	if (write(fd, "xyz", 3) != 3)
		bail_out("write");
	mapped_file_after_write(fd, MAPPED_POSITION, 3);
	ok(get(at + 3 * PAGE + 2) == 'z' && get(at + 3 * PAGE + 3) == 0,
	   "and what write() wrote behind the end");
	put(at + 3 * PAGE, 'e');
	mapped_file_sync_all();
	ok(in_file(3 * PAGE) == 'e' && size_of_file() == 3 * PAGE + 3, "sync() writes all");
	mapped_file_after_write(outside + 500, 0, 1);
	mapped_file_before_read(-1, 0, 1);
	unmap(at, 4 * PAGE);
	close(fd);
	end("calls", before);
}

static void test_errors(void)
{
	unsigned int before = descriptors();
	user_addr_t at, again;
	int fd;

	begin(8 * PAGE);
	fd = open_file(O_RDWR);
	at = map(fd, 8 * PAGE, 0);
	for (int i = 0; i < 8; i++)
		put(at + (user_addr_t)i * PAGE, 'a');
	fake_pwrite_error = -ENOSPC;
	ok(mapped_file_sync(at, 8 * PAGE, false) == -ENOSPC && mapped_file_sync_fd(fd) == -ENOSPC &&
		   fake_report[0] == '\0',
	   "msync() and fsync() say what is wrong");
	fake_pwrite_error = 0;
	ok(mapped_file_sync(at, 8 * PAGE, false) == 0 && in_file(7 * PAGE) == 'a', "and try again");
	put(at, 'b');
	put(at + 5 * PAGE, 'b');
	fake_pwrite_error = -ENOSPC;
	again = map(fd, PAGE, 0);
	unmap(again, PAGE);
	ok(fake_report[0] == '\0', "munmap() says nothing while it can be tried again");
	unmap(at, 8 * PAGE);
	ok(strstr(fake_report, "8 KiB written to a mapping of /tmp/unit-mapped.") != NULL &&
		   strstr(fake_report, "are lost: error 28") != NULL,
	   "and then how much is lost of what");
	fake_report[0] = '\0';
	fake_pwrite_error = 0;
	at = map(fd, 8 * PAGE, 0);
	fake_run(1);
	again = map(fd, 8 * PAGE, 0);
	put(again, 'c');
	fake_error[1] = -EIO;
	fake_end(1);
	ok(fake_report[0] == '\0', "a proxy is gone, but there is another one");
	fake_run(0);
	put(at + PAGE, 'd');
	mapped_file_sync(at, 8 * PAGE, false);
	ok(in_file(0) == 'c' && in_file(PAGE) == 'd', "which writes for both");
	put(at, 'e');
	fake_error[0] = -EIO;
	fake_end(0);
	ok(strstr(fake_report, "4 KiB written to a mapping of a file are lost: error 5") != NULL,
	   "without one that is lost");
	proxies_end();
	fake_error[0] = fake_error[1] = 0;
	end("errors", before);
}

/* ---- against a model ---- */

#define MODEL_PAGES 12u
#define STEP 512u /* one byte of each is looked at */

struct model {
	uint8_t byte[MODEL_PAGES * PAGE / STEP];
	uint64_t size;
};

/* Bytes that both see through their mappings, and what is in the file in the end. */
static void test_model(void)
{
	unsigned int before = descriptors(), wrong = 0;
	user_addr_t at[PROCESSES] = { 0 };
	struct model model = { .size = 8 * PAGE };
	struct random dice = { 11 };
	int fd;

	begin(8 * PAGE);
	memset(model.byte, 'f', 8 * PAGE / STEP);
	fd = open_file(O_RDWR);
	for (unsigned int step = 0; step < 20000; step++) {
		unsigned int n = (unsigned int)random_below(&dice, PROCESSES);
		uint64_t slot = random_below(&dice, MODEL_PAGES * PAGE / STEP);
		uint64_t offset = slot * STEP;
		uint8_t byte = (uint8_t)random_next(&dice);
		bool there = offset < (model.size + PAGE - 1) / PAGE * PAGE;

		fake_run(n);
		if (!at[n])
			at[n] = map(fd, MODEL_PAGES * PAGE, 0);
		switch (random_below(&dice, 16)) {
		case 0:
			unmap(at[n], MODEL_PAGES * PAGE);
			at[n] = 0;
			break;
		case 1:
			mapped_file_sync(at[n] + offset / PAGE * PAGE, 3 * PAGE, false);
			break;
		case 2:
			if (pwrite(fd, &byte, 1, (off_t)offset) != 1)
				bail_out("pwrite");
			mapped_file_after_write(fd, offset, 1);
			model.byte[slot] = byte;
			if (offset + 1 > model.size)
				model.size = offset + 1;
			break;
		case 3:
			mapped_file_before_read(fd, offset, 1);
			wrong += offset < model.size && in_file((off_t)offset) != model.byte[slot];
			break;
		case 4:
			/* Whole slots, so that the byte of each is clear. */
			if (ftruncate(fd, (off_t)offset) != 0)
				bail_out("ftruncate");
			mapped_file_resized();
			for (uint64_t i = slot; i < MODEL_PAGES * PAGE / STEP; i++)
				model.byte[i] = 0;
			model.size = offset;
			break;
		case 5:
			wrong += aspace_protect(fake_aspace(), at[n], MODEL_PAGES * PAGE,
						ASPACE_READ) != 0;
			wrong += aspace_protect(fake_aspace(), at[n], MODEL_PAGES * PAGE, RW) != 0;
			break;
		default:
			if (random_below(&dice, 2) == 0) {
				if (offset < model.size) {
					model.byte[slot] = byte;
					wrong += put(at[n] + offset, byte) != 0;
				}
			} else {
				wrong += get(at[n] + offset) !=
					 (there ? model.byte[slot] : -ENXIO);
			}
			break;
		}
		/* The other one must be told of calls by itself. */
		if (at[n ^ 1]) {
			fake_run(n ^ 1);
			mapped_file_resized();
		}
		if (wrong != 0) {
			printf("# step %u\n", step);
			break;
		}
	}
	for (unsigned int n = 0; n < PROCESSES; n++) {
		fake_run(n);
		if (at[n])
			unmap(at[n], MODEL_PAGES * PAGE);
	}
	for (uint64_t i = 0; i * STEP < model.size; i++)
		wrong += in_file((off_t)(i * STEP)) != model.byte[i];
	ok(wrong == 0 && size_of_file() == (off_t)model.size,
	   "20,000 steps of two processes are those of the model");
	close(fd);
	end("the model", before);
}

/* Memory fails at the first allocation, the second...: an error, and nothing lost. */
static void test_failures(void)
{
	unsigned int before = descriptors(), wrong = 0, points = 0;

	for (uint64_t limit = 0; limit < 60; limit++) {
		int64_t at;
		int fd;

		begin(4 * PAGE);
		fd = open_file(O_RDWR);
		allocations_left = limit;
		at = mapped_file_map(fd, 0, 4 * PAGE, 0, RW, 0);
		allocations_left = UINT64_MAX;
		if (at < 0) {
			points++;
			wrong += at != -ENOMEM || descriptors() != before + 1;
		} else {
			wrong += get((user_addr_t)at + 3 * PAGE) != 'f';
			unmap((user_addr_t)at, 4 * PAGE);
		}
		close(fd);
		fake_close();
		wrong += page_free_bytes() != free_before || heap_objects != 0 ||
			 descriptors() != before;
	}
	ok(wrong == 0 && points > 5, "out of memory at each of %u allocations: an error, nothing lost",
	   points);
}

int main(void)
{
	physical_memory(MEMORY);
	page_add_range(0, MEMORY, 0, 21);
	outside = mkstemp(name);
	if (outside < 0)
		bail_out("mkstemp");
	/* What this test was started with is none of its descriptors. */
	proxies_end();
	test_write_back();
	test_two();
	test_end_of_file();
	test_rights();
	test_descriptors();
	test_calls();
	test_errors();
	test_model();
	test_failures();
	ok(mmu_early_frees == 0, "no page was freed while a CPU knew it");
	unlink(name);
	return done();
}
