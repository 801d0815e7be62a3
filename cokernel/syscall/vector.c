/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "syscall/vector.h"

#include "arch/user.h"
#include "lib/errno.h"
#include "mm/heap.h"

int64_t vector_load(user_addr_t from, uint64_t count, struct vector **vector, uint64_t *bytes)
{
	uint64_t i;

	*bytes = 0;
	*vector = NULL;
	if (count > VECTOR_MOST)
		return -EINVAL;
	*vector = heap_alloc(count ? count * sizeof(**vector) : 1);
	if (!*vector)
		return -ENOMEM;
	if (copy_from_user(*vector, from, count * sizeof(**vector)) != 0) {
		heap_free(*vector);
		return -EFAULT;
	}
	for (i = 0; i < count; i++) {
		*bytes += (*vector)[i].size;
		if ((int64_t)(*vector)[i].size < 0 || (int64_t)*bytes < 0) {
			heap_free(*vector);
			return -EINVAL;
		}
	}
	return 0;
}

int vector_gather(uint8_t *to, const struct vector *vector, uint64_t skip, uint64_t bytes)
{
	uint64_t part;

	for (; bytes > 0; vector++) {
		if (skip >= vector->size) {
			skip -= vector->size;
			continue;
		}
		part = min_u64(bytes, vector->size - skip);
		if (copy_from_user(to, vector->base + skip, part) != 0)
			return -EFAULT;
		to += part;
		bytes -= part;
		skip = 0;
	}
	return 0;
}

int vector_scatter(const uint8_t *from, const struct vector *vector, uint64_t skip,
		   uint64_t bytes)
{
	uint64_t part;

	for (; bytes > 0; vector++) {
		if (skip >= vector->size) {
			skip -= vector->size;
			continue;
		}
		part = min_u64(bytes, vector->size - skip);
		if (copy_to_user(vector->base + skip, from, part) != 0)
			return -EFAULT;
		from += part;
		bytes -= part;
		skip = 0;
	}
	return 0;
}
