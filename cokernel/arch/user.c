/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/exception.h"
#include "arch/user.h"
#include "lib/errno.h"
#include "lib/string.h"

/* Three bytes that become STAC or CLAC on CPUs with SMAP: arch/patch.c. */
#define ALLOW_USER                                 \
	"771:\t.byte 0x0f, 0x1f, 0x00\n\t"         \
	".pushsection .patch_stac, \"a\"\n\t"      \
	".quad 771b\n\t"                           \
	".popsection\n\t"
#define FORBID_USER                                \
	"772:\t.byte 0x0f, 0x1f, 0x00\n\t"         \
	".pushsection .patch_clac, \"a\"\n\t"      \
	".quad 772b\n\t"                           \
	".popsection\n\t"

/* How much of SIZE bytes from ADDRESS on may be user memory at all. */
static size_t in_user_space(user_addr_t address, size_t size)
{
	return address >= USER_END ? 0 : min_u64(size, USER_END - address);
}

/*
 * Returns the bytes that were not copied. Both sides have been checked. A fault among
 * the words leaves the rest to the bytes, which come to the very first bad one.
 */
static size_t copy(void *to, const void *from, size_t size)
{
	size_t left = size / 8;
	size_t tail = size % 8;

	__asm__ volatile(ALLOW_USER
			 "1:\trep movsq\n"
			 "2:\tleaq (%[tail], %%rcx, 8), %%rcx\n"
			 "3:\trep movsb\n"
			 "4:\n\t" FORBID_USER EXCEPTION_ENTRY(1b, 2b) EXCEPTION_ENTRY(3b, 4b)
			 : "+D"(to), "+S"(from), "+c"(left)
			 : [tail] "r"(tail)
			 : "memory");
	return left;
}

size_t copy_from_user_partial(void *to, user_addr_t from, size_t size)
{
	size_t most = in_user_space(from, size);

	return most - copy(to, (const void *)from, most);
}

size_t copy_to_user_partial(user_addr_t to, const void *from, size_t size)
{
	size_t most = in_user_space(to, size);

	return most - copy((void *)to, from, most);
}

int copy_from_user(void *to, user_addr_t from, size_t size)
{
	if (in_user_space(from, size) != size)
		return -EFAULT;
	return copy(to, (const void *)from, size) == 0 ? 0 : -EFAULT;
}

int copy_to_user(user_addr_t to, const void *from, size_t size)
{
	if (in_user_space(to, size) != size)
		return -EFAULT;
	return copy((void *)to, from, size) == 0 ? 0 : -EFAULT;
}

int clear_user(user_addr_t to, size_t size)
{
	size_t left = size / 8;
	size_t tail = size % 8;

	if (in_user_space(to, size) != size)
		return -EFAULT;
	__asm__ volatile(ALLOW_USER
			 "1:\trep stosq\n"
			 "2:\tleaq (%[tail], %%rcx, 8), %%rcx\n"
			 "3:\trep stosb\n"
			 "4:\n\t" FORBID_USER EXCEPTION_ENTRY(1b, 2b) EXCEPTION_ENTRY(3b, 4b)
			 : "+D"(to), "+c"(left)
			 : "a"(0ull), [tail] "r"(tail)
			 : "memory");
	return left == 0 ? 0 : -EFAULT;
}

long string_from_user(char *to, user_addr_t from, size_t size)
{
	size_t done = 0;

	/* Not beyond the page of the NUL: the next one may not be there. */
	while (done < size) {
		size_t part = min_u64(size - done, PAGE_SIZE - (from + done) % PAGE_SIZE);
		size_t copied = copy_from_user_partial(to + done, from + done, part);
		size_t length = strnlen(to + done, copied);

		if (length < copied)
			return (long)(done + length);
		if (copied < part)
			return -EFAULT;
		done += part;
	}
	return -ENAMETOOLONG;
}

int user_load_u32(user_addr_t from, uint32_t *value)
{
	uint32_t word = 0;
	int failed = -EFAULT;

	if (from % sizeof(word) != 0 || in_user_space(from, sizeof(word)) != sizeof(word))
		return -EFAULT;
	__asm__ volatile(ALLOW_USER
			 "1:\tmovl (%2), %1\n\t"
			 "xorl %0, %0\n"
			 "2:\n\t" FORBID_USER EXCEPTION_ENTRY(1b, 2b)
			 : "+r"(failed), "+r"(word)
			 : "r"(from)
			 : "memory");
	*value = word;
	return failed;
}

int user_cmpxchg_u32(user_addr_t at, uint32_t expected, uint32_t desired, uint32_t *found)
{
	int failed = -EFAULT;

	if (at % sizeof(expected) != 0 || in_user_space(at, sizeof(expected)) != sizeof(expected))
		return -EFAULT;
	__asm__ volatile(ALLOW_USER
			 "1:\tlock cmpxchgl %3, (%2)\n\t"
			 "movl $0, %0\n"
			 "2:\n\t" FORBID_USER EXCEPTION_ENTRY(1b, 2b)
			 : "+r"(failed), "+a"(expected)
			 : "r"(at), "r"(desired)
			 : "memory");
	*found = expected;
	return failed;
}
