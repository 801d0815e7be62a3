/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The calls that a program in an enclave can have executed on Linux, as a
 * table: what each argument is, and whether it may block. The buffers and structures are
 * exactly those of the system call, so most calls need a row and nothing else.
 *
 * Whether a buffer is read or written makes no difference here: the data area
 * is both. A length that the kernel reads from memory (ARG_SIZE) is a copy, since
 * the co-kernel could change the data area's after the check.
 */
#ifndef PROXY_CALL_TABLE_H
#define PROXY_CALL_TABLE_H

#include "call.h"

enum argument_kind {
	ARG_NONE = 0,
	ARG_VALUE,    /* as it is */
	ARG_FD,	      /* a descriptor; never one of the proxy's own */
	ARG_PATH,     /* offset of a NUL-terminated path: copied */
	ARG_NO_PATH,  /* the same, or NULL */
	ARG_BUFFER,   /* offset of as many bytes as argument `length` says */
	ARG_ARRAY,    /* offset of as many elements of `size` as argument `length` says */
	ARG_STRUCT,   /* offset of `size` bytes */
	ARG_OPTIONAL, /* the same, or NULL */
	ARG_OPTIONAL_BUFFER, /* ARG_BUFFER, or NULL */
	ARG_SIZED,    /* offset of as many bytes as the word of argument `length` says, or NULL */
	ARG_SIZE,     /* offset of that word, in and out, or NULL */
};

struct argument {
	uint8_t kind;
	uint8_t length; /* index of another argument */
	uint16_t size;
};

enum blocks {
	BLOCKS_NEVER,	   /* the main thread executes it at once */
	BLOCKS,
	BLOCKS_BEGUN,	   /* interrupted, it goes on in Linux: so not before it has begun */
	BLOCKS_FIRMLY,	   /* no signal interrupts it in Linux */
};

struct call_type {
	enum blocks blocks;
	struct argument arg[6];
	/* Does this one not block? Then it is executed at once, by that instead if there is one. */
	bool (*at_once)(const struct call *call);
	int64_t (*execute)(struct call *call);
	int (*prepare)(struct call *call, const struct channel *channel,
		       const struct pisces_message *message);
	int (*refuse)(const struct call *call); /* 0, or the negative errno that is the answer */
};

/* What call NUMBER of x86-64 is, or NULL if it is not executed here. */
const struct call_type *call_type(uint32_t number);

#endif
