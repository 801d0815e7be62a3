/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random bytes: from the CPU where it has RDRAND (NIST SP 800-90A inside), else
 * from Linux through the proxy. Nothing is mixed or stretched here.
 */
#ifndef CK_SYSCALL_RANDOM_H
#define CK_SYSCALL_RANDOM_H

#include "lib/types.h"

/* 0 or -errno. For a running thread that may sleep. */
int random_bytes(void *to, size_t size);

/* A number below 2^BITS for placing things; 0 if there is no randomness. */
uint64_t random_number(unsigned int bits);

/* Takes what is needed to go on without Linux: 0 or -errno. */
struct staged;
int random_seed(struct staged *staged);

#endif
