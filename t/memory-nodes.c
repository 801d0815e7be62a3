// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NUMA calls as libnuma makes them, without libnuma. On Linux and in an enclave; with
 * one node a part of it says nothing. The argument is how many pages are used, for Linux on
 * an emulated machine, which needs tens of ms to move one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/mempolicy.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tap.h"

#define MIB (1ul << 20)
#define PAGES_MOST 1024u
#define MASK_BITS 1025ul /* the interface counts one more than there are */

typedef unsigned long mask_t[16];

static unsigned int page_count = PAGES_MOST;
static int allowed_nodes[64], node_count;

static char *map_fresh(void)
{
	char *at = mmap(NULL, page_count * 4096, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	/* Linux moves a large page with its first page, and says nothing good of the others. */
	madvise(at, page_count * 4096, MADV_NOHUGEPAGE);
	return at;
}

static void touch(char *at)
{
	for (unsigned int i = 0; i < page_count; i++)
		at[i * 4096] = (char)i | 1;
}

static bool is_touched(const char *at)
{
	for (unsigned int i = 0; i < page_count; i++) {
		if (at[i * 4096] != ((char)i | 1))
			return false;
	}
	return true;
}

static long get_policy(int *mode, unsigned long *mask, void *at, unsigned long flags)
{
	return syscall(SYS_get_mempolicy, mode, mask, mask ? MASK_BITS - 1 : 0, at, flags);
}

static long set_policy(int mode, unsigned long nodes)
{
	mask_t mask = { nodes };

	return syscall(SYS_set_mempolicy, mode, mask, MASK_BITS);
}

static long bind_range(char *at, int mode, unsigned long nodes, unsigned int flags)
{
	mask_t mask = { nodes };

	return syscall(SYS_mbind, at, page_count * 4096ul, mode, mask, MASK_BITS, flags);
}

/* How many pages of AT are on NODE. */
static unsigned int count_on(char *at, int node)
{
	static void *pages[PAGES_MOST];
	static int status[PAGES_MOST];
	unsigned int count = 0;

	for (unsigned int i = 0; i < page_count; i++)
		pages[i] = at + i * 4096ul;
	if (syscall(SYS_move_pages, 0, (unsigned long)page_count, pages, NULL, status, MPOL_MF_MOVE) != 0)
		return 0;
	for (unsigned int i = 0; i < page_count; i++)
		count += status[i] == node;
	return count;
}

static long move_all(char *at, int node, int *status)
{
	static void *pages[PAGES_MOST];
	static int nodes[PAGES_MOST];

	for (unsigned int i = 0; i < page_count; i++) {
		pages[i] = at + i * 4096ul;
		nodes[i] = node;
	}
	return syscall(SYS_move_pages, 0, (unsigned long)page_count, pages, nodes, status,
		       MPOL_MF_MOVE);
}

static void test_questions(void)
{
	int mode = -1;
	mask_t mask = { 0 };
	char byte;

	ok(get_policy(NULL, NULL, NULL, 0) == 0, "get_mempolicy() is there: libnuma asks that first");
	ok(get_policy(&mode, mask, NULL, 0) == 0 && mode == MPOL_DEFAULT && mask[0] == 0,
	   "the policy is the default one");
	ok(get_policy(NULL, mask, NULL, MPOL_F_MEMS_ALLOWED) == 0 && mask[0] != 0,
	   "some nodes are allowed");
	for (int node = 0; node < 64; node++) {
		if (mask[0] >> node & 1)
			allowed_nodes[node_count++] = node;
	}
	printf("# %d nodes\n", node_count);
	ok(get_policy(&mode, NULL, &byte, MPOL_F_NODE | MPOL_F_ADDR) == 0 && mask[0] >> mode & 1,
	   "the stack is on one of them");
	ok(get_policy(&mode, NULL, &byte, 0) == -1 && errno == EINVAL, "an address alone: EINVAL");
	ok(get_policy(&mode, NULL, NULL, 64) == -1 && errno == EINVAL, "an unknown flag: EINVAL");
	ok(get_policy(&mode, NULL, (void *)4096, MPOL_F_ADDR) == -1 && errno == EFAULT,
	   "nothing at the address: EFAULT");
	ok(set_policy(99, 1) == -1 && errno == EINVAL, "an unknown mode: EINVAL");
	ok(set_policy(MPOL_BIND, 0) == -1 && errno == EINVAL, "bound to no node: EINVAL");
	ok(set_policy(MPOL_DEFAULT, 1) == -1 && errno == EINVAL, "the default has no nodes: EINVAL");
	ok(set_policy(MPOL_BIND, 1ul << 63) == -1 && errno == EINVAL,
	   "bound to a node that is not there: EINVAL");
}

static void test_binding(void)
{
	unsigned int failed = 0;
	char *at;

	for (int i = 0; i < node_count; i++) {
		int node = allowed_nodes[i], mode = -1;
		mask_t mask = { 0 };

		at = map_fresh();
		failed += bind_range(at, MPOL_BIND, 1ul << node, 0) != 0;
		touch(at);
		failed += count_on(at, node) != page_count || !is_touched(at);
		failed += get_policy(&mode, mask, at, MPOL_F_ADDR) != 0 || mode != MPOL_BIND ||
			  mask[0] != 1ul << node;
		munmap(at, page_count * 4096);
		failed += set_policy(MPOL_PREFERRED, 1ul << node) != 0;
		at = map_fresh();
		touch(at);
		failed += count_on(at, node) != page_count;
		munmap(at, page_count * 4096);
		set_policy(MPOL_DEFAULT, 0);
	}
	ok(failed == 0, "memory that is bound to a node, or prefers it, is there");
	at = map_fresh();
	ok(bind_range(at + 1, MPOL_BIND, 1ul << allowed_nodes[0], 0) == -1 && errno == EINVAL,
	   "mbind() to an odd address: EINVAL");
	munmap(at + 4096, 4096);
	ok(bind_range(at, MPOL_BIND, 1ul << allowed_nodes[0], 0) == -1 && errno == EFAULT,
	   "over a hole: EFAULT");
	munmap(at, page_count * 4096);
}

static void test_interleave(void)
{
	unsigned long all = 0;
	unsigned int on_first;
	char *at = map_fresh();

	for (int i = 0; i < node_count; i++)
		all |= 1ul << allowed_nodes[i];
	ok(bind_range(at, MPOL_INTERLEAVE, all, 0) == 0, "mbind(MPOL_INTERLEAVE)");
	touch(at);
	on_first = count_on(at, allowed_nodes[0]);
	ok(node_count == 1 || (on_first >= page_count / (unsigned int)node_count / 2 &&
			       on_first <= page_count / (unsigned int)node_count * 3 / 2),
	   "each node has its part (%u of %u on the first)", on_first, page_count);
	munmap(at, page_count * 4096);
}

static void test_moving(void)
{
	static int status[PAGES_MOST];
	int first = allowed_nodes[0], last = allowed_nodes[node_count - 1];
	char *at = map_fresh(), *empty = map_fresh();
	unsigned int failed = 0;
	mask_t from = { 1ul << first }, to = { 1ul << last };

	bind_range(at, MPOL_PREFERRED, 1ul << first, 0);
	touch(at);
	ok(count_on(at, first) == page_count, "all pages are on the first node");
	ok(move_all(at, last, status) == 0, "move_pages() to the last one");
	for (unsigned int i = 0; i < page_count; i++)
		failed += status[i] != last;
	ok(failed == 0 && count_on(at, last) == page_count && is_touched(at), "they are there, unchanged");
	ok(move_all(at, 63, status) == -1 && errno == ENODEV, "to a node that is not there: ENODEV");
	move_all(empty, last, status);
	ok(status[7] == -ENOENT || status[7] == -EFAULT, "a page that is not there has an error");
	ok(bind_range(at, MPOL_BIND, 1ul << first, MPOL_MF_MOVE | MPOL_MF_STRICT) == 0 &&
		   count_on(at, first) == page_count && is_touched(at),
	   "mbind(MPOL_MF_MOVE) brings them back");
	ok(node_count == 1 || (bind_range(at, MPOL_BIND, 1ul << last, MPOL_MF_STRICT) == -1 &&
			       errno == EIO),
	   "MPOL_MF_STRICT alone sees pages elsewhere: EIO");
	ok(syscall(SYS_migrate_pages, 0, MASK_BITS, from, to) >= 0 && count_on(at, last) == page_count &&
		   is_touched(at),
	   "migrate_pages() moves all there is");
	munmap(at, page_count * 4096);
	munmap(empty, page_count * 4096);
}

static void *ask_policy(void *mode)
{
	mask_t mask = { 0 };

	get_policy(mode, mask, NULL, 0);
	return NULL;
}

static void test_threads(void)
{
	pthread_t thread;
	int mode = -1;

	set_policy(MPOL_PREFERRED, 1ul << allowed_nodes[0]);
	pthread_create(&thread, NULL, ask_policy, &mode);
	pthread_join(thread, NULL);
	ok(mode == MPOL_PREFERRED, "a thread inherits its policy");
	set_policy(MPOL_DEFAULT, 0);
}

static void test_local(void)
{
	unsigned int failed = 0, cpus = 0;
	cpu_set_t before, one;

	sched_getaffinity(0, sizeof(before), &before);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		unsigned int now, node;
		char *at;

		if (!CPU_ISSET(cpu, &before))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		failed += sched_setaffinity(0, sizeof(one), &one) != 0;
		at = map_fresh();
		touch(at);
		syscall(SYS_getcpu, &now, &node, NULL);
		failed += now != (unsigned int)cpu || count_on(at, (int)node) != page_count;
		munmap(at, page_count * 4096);
		cpus++;
	}
	sched_setaffinity(0, sizeof(before), &before);
	ok(failed == 0, "memory is local to the CPU that touches it first, on each of %u", cpus);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		page_count = (unsigned int)atoi(argv[1]);
	if (page_count < 8 || page_count > PAGES_MOST)
		return 2;
	test_questions();
	test_binding();
	test_interleave();
	test_moving();
	test_threads();
	test_local();
	return done();
}
