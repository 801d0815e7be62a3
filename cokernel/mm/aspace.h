/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The address space of a program: regions, and page tables below them.
 *
 * A reservation is not memory: a region is no more than addresses when it is made,
 * however large. It gets pages when it is first touched (2 MiB at once where region
 * and free memory allow it, else 64 KiB or 4 KiB), or at once when asked to be
 * populated. When memory is out, pages that came with others and are still zero are
 * taken back (trim.c). So what a program must find room for is what it has written.
 *
 * Functions take the aspace's own lock. Addresses are checked here, so system calls
 * pass on what the program gave. All return 0 or a value, or -errno.
 */
#ifndef CK_MM_ASPACE_H
#define CK_MM_ASPACE_H

#include "lib/types.h"

struct aspace;
struct object;
struct pisces_task_usage;
struct policy;

/* As PROT_* of mmap(2). */
#define ASPACE_READ 1u
#define ASPACE_WRITE 2u
#define ASPACE_EXEC 4u

enum aspace_flags { /* of mapping */
	ASPACE_FIXED = 1,	    /* at this address, replacing what is there */
	ASPACE_FIXED_NOREPLACE = 2, /* at this address, or -EEXIST */
	ASPACE_POPULATE = 4,	    /* pages at once; -ENOMEM if they cannot be had */
	ASPACE_SHARED = 8,	    /* MAP_SHARED: matters when there is more than one aspace */
	ASPACE_GROWS_DOWN = 16,	    /* the main stack: all of it is reserved at once */
	ASPACE_SMALL_PAGES = 32,    /* never with large pages, e.g. MAP_STACK: mostly untouched */
	ASPACE_READ_ONLY = 64,	    /* and never to be made writable: of a read-only descriptor */
	ASPACE_SEGMENT = 128,	    /* of shmat(): for shmdt() to find it */
};

/* NODE: where its pages come from first. NULL: out of memory. */
struct aspace *aspace_create(node_id_t node);

/* From now on what it has is told at USAGE. Before the first region. */
void aspace_tell(struct aspace *aspace, struct pisces_task_usage *usage);
void aspace_destroy(struct aspace *aspace); /* no CPU may have it loaded */

/*
 * Places are random by themselves; the same SEED gives the same places. Before the
 * first region. 0: none is random (ADDR_NO_RANDOMIZE).
 */
void aspace_seed(struct aspace *aspace, uint64_t seed);

/* Another program begins in it: all has been unmapped. Its places are RANDOM, or always the same. */
void aspace_renew(struct aspace *aspace, bool random);

/* Where a position-independent program goes (as a hint): low, so that brk above it has room. */
user_addr_t aspace_program_base(const struct aspace *aspace);

/* Anonymous memory, read as zero. Returns the address. ADDRESS is a hint unless FIXED. */
int64_t aspace_map(struct aspace *aspace, user_addr_t address, uint64_t size, unsigned int prot,
		   unsigned int flags);

/*
 * The same of OBJECT from OFFSET on, a multiple of the page size; takes a reference
 * of its own. Without SHARED, pages are the object's until they are written.
 */
int64_t aspace_map_object(struct aspace *aspace, user_addr_t address, uint64_t size,
			  unsigned int prot, unsigned int flags, struct object *object,
			  uint64_t offset);

/* COUNT pages of the kernel's at PAGES, which stay the kernel's: vDSO and time page. */
int64_t aspace_map_kernel(struct aspace *aspace, user_addr_t address, const phys_addr_t *pages,
			  unsigned int count, unsigned int prot);

int aspace_unmap(struct aspace *aspace, user_addr_t address, uint64_t size);

/* Unmaps the SEGMENT that was mapped at ADDRESS; its OBJECT with a reference. -EINVAL: none was. */
int aspace_detach(struct aspace *aspace, user_addr_t address, struct object **object);

int aspace_protect(struct aspace *aspace, user_addr_t address, uint64_t size, unsigned int prot);

/* madvise(MADV_DONTNEED): the pages are given back, the region stays. */
int aspace_discard(struct aspace *aspace, user_addr_t address, uint64_t size);

/* madvise(MADV_REMOVE): shared memory becomes zero for all who map it. -EINVAL: it is not. */
int aspace_remove(struct aspace *aspace, user_addr_t address, uint64_t size);

/* As MREMAP_* of mremap(2). */
enum remap_flags {
	REMAP_MAY_MOVE = 1,
	REMAP_FIXED = 2,       /* to the address TO */
	REMAP_DONT_UNMAP = 4,  /* the region stays, without its pages */
};

/* mremap(2). */
int64_t aspace_remap(struct aspace *aspace, user_addr_t address, uint64_t old_size,
		     uint64_t new_size, unsigned int flags, user_addr_t to);

/* ---- NUMA: migrate.c ---- */

/* The node of the page at ADDRESS; -ENOENT: there is no page; -EFAULT: nothing to ask about. */
int aspace_node(struct aspace *aspace, user_addr_t address);

/*
 * Moves the page at ADDRESS to NODE: the whole of a 2 MiB page if NODE has one. As
 * above, -EACCES: it is shared; -EBUSY: it must stay; -ENOMEM.
 */
int aspace_move_page(struct aspace *aspace, user_addr_t address, node_id_t node);

/*
 * Asks WHERE for each page of [start, end) and moves it there, unless that is negative
 * or where it is NOW. Returns how many pages of 4 KiB are not where they should be; all
 * that should be elsewhere if not to MOVE.
 */
uint64_t aspace_move_range(struct aspace *aspace, user_addr_t start, user_addr_t end, bool move,
			   int64_t (*where)(user_addr_t address, node_id_t now, void *argument),
			   void *argument);

/* For pages that come from now on to [start, end), page aligned. -EFAULT: there is a hole. */
int aspace_set_policy(struct aspace *aspace, user_addr_t start, user_addr_t end,
		      const struct policy *policy);

/* That of the region at ADDRESS, which ends at *END. -EFAULT: there is none. */
int aspace_policy(struct aspace *aspace, user_addr_t address, struct policy *policy,
		  user_addr_t *end);

/* mincore(2) of one page: 0, 1, or -ENOMEM without a region. */
int aspace_is_there(struct aspace *aspace, user_addr_t address);

/* ---- shared files: written.c ---- */

/* Part of a region, shared and of an OBJECT_SHARED_FILE. */
struct aspace_file {
	struct object *object;
	uint64_t offset, size;
};

/*
 * The first one at *AT or above and below END, as far as it lies there, with a reference to
 * its object; *AT: where it ends. False: there is none.
 */
bool aspace_next_file(struct aspace *aspace, user_addr_t *at, user_addr_t end,
		      struct aspace_file *file);

/* Of OBJECT from FROM to TO: the next write to a page of it marks that page (object_mark()). */
void aspace_clean(struct aspace *aspace, const struct object *object, uint64_t from, uint64_t to);

/* The same: pages are looked for again when they are touched. OBJECT keeps them. */
void aspace_forget(struct aspace *aspace, const struct object *object, uint64_t from, uint64_t to);

/* ---- */

/* Where brk starts: set once by exec. aspace_brk(0) asks. Returns the break. */
void aspace_set_brk(struct aspace *aspace, user_addr_t start);
user_addr_t aspace_brk(struct aspace *aspace, user_addr_t to);

/* A page fault. WRITE/EXEC: what was tried. 0: mapped; -EFAULT: no region
 * (SEGV_MAPERR); -EACCES: not allowed there (SEGV_ACCERR); -ENOMEM. */
int aspace_fault(struct aspace *aspace, user_addr_t address, bool write, bool exec);

/*
 * Copies into and clears (FROM is NULL) memory of an aspace that may not be the
 * loaded one, whatever its protection: for exec and core dumps. Writing maps pages
 * as needed; what was never touched is read as zero and stays untouched. -EFAULT:
 * no region, or pages of the kernel.
 */
int aspace_write(struct aspace *aspace, user_addr_t to, const void *from, uint64_t size);
int aspace_read(struct aspace *aspace, void *to, user_addr_t from, uint64_t size);

/* The same as the program itself might: only what it may write, or read. */
int aspace_write_peer(struct aspace *aspace, user_addr_t to, const void *from, uint64_t size);
int aspace_read_peer(struct aspace *aspace, void *to, user_addr_t from, uint64_t size);

/* Bytes of pages it has now, and had at most; bytes of its regions. */
uint64_t aspace_resident(struct aspace *aspace);
uint64_t aspace_peak(struct aspace *aspace);
uint64_t aspace_reserved(struct aspace *aspace);

/* Bytes of the region at ADDRESS, 0: there is none. */
uint64_t aspace_mapping(struct aspace *aspace, user_addr_t address);

/*
 * Calls FN for each region in order of address, e.g. for /proc/self/maps, with the
 * lock held: FN may not call aspace_ functions or touch a program's memory.
 */
void aspace_for_each(struct aspace *aspace,
		     void (*fn)(user_addr_t start, user_addr_t end, unsigned int prot, void *arg),
		     void *arg);

/* Physical address of the top page table, for CR3. */
phys_addr_t aspace_root(const struct aspace *aspace);

/*
 * What the word at ADDRESS is to all who share it: PLACE in the object of number *OBJECT,
 * which no other one ever has. *OBJECT is 0 for memory of this address space alone, and
 * *PLACE the address then. 0, or -EFAULT.
 */
int aspace_identify(struct aspace *aspace, user_addr_t address, uint64_t *object, uint64_t *place);

/*
 * Which CPUs may have it loaded: kept by the scheduler; page tables are changed
 * only after arch/tlb.c has told them. One bit a CPU.
 */
uint64_t *aspace_cpus(struct aspace *aspace); /* PISCES_CPU_WORDS words, atomic bit operations */

#endif
