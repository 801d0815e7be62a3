/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The co-kernel's own scalar types and the compiler's words. */
#ifndef CK_LIB_TYPES_H
#define CK_LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t phys_addr_t; /* physical address */
typedef uint64_t user_addr_t; /* address in a program; never dereferenced, only copied through */
typedef uint32_t apic_id_t;   /* physical APIC id */
typedef uint32_t cpu_id_t;    /* CPU by index in the boot block, from 0 */
typedef uint32_t node_id_t;   /* NUMA node as Linux numbers it */
typedef uint32_t tid_t;	      /* thread; that of a program's first thread is its pid */
typedef uint64_t nsec_t;      /* nanoseconds of CLOCK_MONOTONIC, or a span of them */

#define NSEC_PER_SEC 1000000000ull
#define NSEC_FOREVER UINT64_MAX

#define PAGE_SIZE 4096ull
#define PAGE_SHIFT 12
#define LARGE_PAGE_SIZE 0x200000ull
#define HUGE_PAGE_SIZE 0x40000000ull

#define __packed __attribute__((packed))
#define __aligned(n) __attribute__((aligned(n)))
#define __noreturn __attribute__((noreturn))
#define __unused __attribute__((unused))
#define __must_check __attribute__((warn_unused_result))

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

static inline uint64_t align_down(uint64_t value, uint64_t to)
{
	return value & ~(to - 1);
}

static inline uint64_t align_up(uint64_t value, uint64_t to)
{
	return (value + to - 1) & ~(to - 1);
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

#endif
