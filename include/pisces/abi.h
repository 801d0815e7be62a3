/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers that all rooms share: version, limits, fixed vectors.
 *
 * The version says "same structures"; the build id (build_id.h, generated:
 * a digest of all headers of the contract) makes sure of it. Module, co-kernel
 * image and library refuse a peer whose build id differs, because a field that
 * moved by four bytes shows itself only as a machine that hangs.
 */
#ifndef PISCES_ABI_H
#define PISCES_ABI_H

#include <pisces/types.h>

#define PISCES_ABI_VERSION 1u

/* Characters of a build id with its terminating NUL. */
#define PISCES_BUILD_ID_LEN 40u

/* CPUs of one enclave: as many as the planner knows PUs. */
#define PISCES_MAX_CPUS 1024u
#define PISCES_CPU_WORDS (PISCES_MAX_CPUS / 64u)

/* Physically contiguous memory ranges of one enclave. */
#define PISCES_MAX_RANGES 512u

#define PISCES_MAX_NODES 64u

/* Tasks (programs with a proxy each) alive in one enclave at a time. */
#define PISCES_MAX_TASKS 1024u
#define PISCES_TASK_WORDS (PISCES_MAX_TASKS / 64u)

/* Longest name of an enclave and longest co-kernel command line, with NUL. */
#define PISCES_NAME_LEN 64u
#define PISCES_CMDLINE_LEN 256u

/* A sentence that says why an enclave died, with NUL. */
#define PISCES_REASON_LEN 128u

/*
 * The vector that rings an enclave's CPU. Any vector from 0x20 up to 0xef would
 * do: an enclave's CPU takes no interrupt of Linux or of a device by default.
 */
#define PISCES_BELL_VECTOR 0x40u

/* Every range of an enclave's memory starts and ends on this: one large page. */
#define PISCES_MEMORY_ALIGN 0x200000ull

#endif
