/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef T_FUZZ_CALLS_FUZZ_H
#define T_FUZZ_CALLS_FUZZ_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A system call, and what it is given: one letter for each argument.
 *
 *	d descriptor		b buffer	n size of a buffer	s path or name
 *	i any number		f flags		c small number		o offset in a file
 *	g signal		p process	m signal mask		t struct timespec
 *	v array of iovec	V its length	M message header	k time-out in ms
 *	A address and size in memory that may be lost (two arguments)
 *	a address in it		r size of what is random	e struct sigevent
 *	S size of memory to take	G signal whose handler may change
 *	L code of arch_prctl	P option of prctl	B place for brk	E epoll, or any descriptor
 */
struct row {
	const char *name;
	const char *arguments;
	int number;
};

extern const struct row rows[];
extern const unsigned int row_count;

/* Has a row, or must not be tried: it would end the program, or make another one. */
bool is_known(unsigned int number);

/*
 * Memory that calls are pointed at, shared by all threads: some of it is sound, some is
 * read-only, closed, or gone from time to time. Returns false if there is none.
 */
bool memory_make(void);

/*
 * Puts numbers into the sound part; to be called now and then. Of calls that tell addresses
 * of the program's own, none may put one there: other calls would write to them.
 */
void memory_fill(void);

/* Takes a part away, closes it, and gives it back, once each. */
void memory_change(void);

/*
 * Words in the sound part that look like addresses of the co-kernel, and were not put
 * there by memory_fill(); the first few are printed with their neighbours.
 */
unsigned int memory_leaks(void);

/* Gives back what a call mapped at a place of its own choice. */
void memory_drop(uint64_t at, uint64_t size);

/* Arguments of one call of a row, by the chance of the calling thread. */
void make_arguments(const char *letters, uint64_t arguments[6]);

/*
 * The other task of the enclave: looks at its own memory again and again, until the
 * fuzzer, which counts *beats up, says WITNESS_OVER or is silent for long. Exit code.
 */
#define WITNESS_OVER ~0u
atomic_uint *witness_page(bool is_witness); /* NULL: there is none */
int witness_watch(atomic_uint *beats);

#endif
