/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vectors of pieces of a program's memory, as readv(2) and sendmsg(2) have them. */
#ifndef CK_SYSCALL_VECTOR_H
#define CK_SYSCALL_VECTOR_H

#include "lib/types.h"

#define VECTOR_MOST 1024u /* IOV_MAX */

/* struct iovec of the ABI */
struct vector {
	user_addr_t base;
	uint64_t size;
};

/*
 * A private copy of COUNT elements at FROM, for heap_free(); *BYTES: of all of them
 * together. 0; -EINVAL for a COUNT above VECTOR_MOST or sizes that are none, -EFAULT, -ENOMEM.
 */
int64_t vector_load(user_addr_t from, uint64_t count, struct vector **vector, uint64_t *bytes);

/* BYTES bytes from the SKIPth on, which the vector has. 0 or -EFAULT. */
int vector_gather(uint8_t *to, const struct vector *vector, uint64_t skip, uint64_t bytes);
int vector_scatter(const uint8_t *from, const struct vector *vector, uint64_t skip,
		   uint64_t bytes);

#endif
