/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that regions of several address spaces map: shared memory, or what is
 * known of a file. Its pages are its own: leaves of page tables only point to them
 * (PTE_FOREIGN), and they stay until the last reference to the object is gone. So
 * unmapping, splitting and protecting know nothing of it.
 *
 * It has the form of page tables that no CPU ever loads: sparse, with large pages.
 */
#ifndef CK_MM_OBJECT_H
#define CK_MM_OBJECT_H

#include "lib/types.h"
#include "mm/policy.h"

struct object;

enum object_kind {
	OBJECT_MEMORY, /* a page that is missing is zero, and comes when it is touched */
	OBJECT_FILE,   /* all that is mapped has been filled before */
	OBJECT_SHARED_FILE, /* the same, and it knows which pages were written */
};

/* The largest size. */
#define OBJECT_MOST (1ull << 46)

/* With one reference. NULL: out of memory. */
struct object *object_create(enum object_kind kind, uint64_t size);
void object_get(struct object *object);
void object_put(struct object *object);

/* The same for a reference that is a region's. */
void object_get_mapped(struct object *object);
void object_put_mapped(struct object *object);
unsigned int object_mapped(const struct object *object); /* how many regions map it */

enum object_kind object_kind(const struct object *object);
/* Never 0, and never another one's, also of one that is gone. */
uint64_t object_number(const struct object *object);
uint64_t object_size(const struct object *object);
uint64_t object_resident(const struct object *object); /* bytes of pages */

/*
 * Changes the size. What is cut off is zero if it comes back; its pages are freed
 * if no region maps the object, else cleared.
 */
void object_resize(struct object *object, uint64_t size);

/* Makes [start, end) zero. That is as written as anything. */
void object_clear(struct object *object, uint64_t start, uint64_t end);

/*
 * The block around OFFSET: *PHYS of its beginning, *LEVEL of its size. Makes it if it
 * is missing, by POLICY (NULL: local). 0, -ENXIO: behind the end; -ENOMEM.
 */
int object_page(struct object *object, uint64_t offset, const struct policy *policy,
		phys_addr_t *phys, unsigned int *level);

/* Is the page at OFFSET there? */
bool object_has(struct object *object, uint64_t offset);
/* The first byte from *AT on, and before END, that is in a page that is there. False: none. */
bool object_next(struct object *object, uint64_t *at, uint64_t end);

/* Copies, growing if necessary. 0 or -ENOMEM. */
int object_write(struct object *object, uint64_t offset, const void *from, uint64_t size);

/* The memory at OFFSET up to the end of its page, of which *LEFT bytes; NULL: out of memory. */
void *object_memory(struct object *object, uint64_t offset, uint64_t *left);

/*
 * ---- OBJECT_SHARED_FILE: a page is marked when it is first written; who writes out takes
 * the marks, then makes all who map it say the next write again (aspace_clean()), and only
 * then looks at the pages. So a write is in what is written out, or marked. One at a time.
 */

/* The page at OFFSET is about to be written. */
void object_mark(struct object *object, uint64_t offset);

uint64_t object_marked(const struct object *object); /* how many pages are */

/* All marks of [start, end), whole pages. False: there are none. */
bool object_take(struct object *object, uint64_t start, uint64_t end);

/*
 * The first run of pages that were taken, at *AT or above and below END, *AT: where it
 * starts. Its bytes, MOST at most, or 0: there is none.
 */
uint64_t object_taken(struct object *object, uint64_t *at, uint64_t end, uint64_t most);

/* What was taken of [start, end), whole pages, is written out; or not: marked again. */
void object_release(struct object *object, uint64_t start, uint64_t end, bool written);

#endif
