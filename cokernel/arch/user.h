/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Access to a program's memory. Every address is checked to be in user space;
 * missing pages are mapped by the fault path; what stays unreachable gives
 * -EFAULT, never a dead kernel (exception table, SMAP respected).
 */
#ifndef CK_ARCH_USER_H
#define CK_ARCH_USER_H

#include "lib/types.h"

/* First address above user space. */
#define USER_END 0x00007ffffffff000ull

/* 0 or -EFAULT (then a part may have been copied). */
int __must_check copy_from_user(void *to, user_addr_t from, size_t size);
int __must_check copy_to_user(user_addr_t to, const void *from, size_t size);
int __must_check clear_user(user_addr_t to, size_t size);

/* Bytes that were copied before the first unreachable one: SIZE if all. */
size_t copy_from_user_partial(void *to, user_addr_t from, size_t size);
size_t copy_to_user_partial(user_addr_t to, const void *from, size_t size);

/* Length without NUL; -EFAULT; -ENAMETOOLONG if there is no NUL in SIZE bytes. */
long __must_check string_from_user(char *to, user_addr_t from, size_t size);

/* Atomic on a program's aligned 32-bit word. 0 or -EFAULT. */
int __must_check user_load_u32(user_addr_t from, uint32_t *value);
int __must_check user_cmpxchg_u32(user_addr_t at, uint32_t expected, uint32_t desired,
				  uint32_t *found);

#endif
