/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Forwarding by description: what each argument of a call is says how it gets
 * into the channel's data area and back.
 */
#ifndef CK_SYSCALL_DESCRIBE_H
#define CK_SYSCALL_DESCRIBE_H

#include "lib/types.h"

enum argument_kind {
	ARG_VALUE = 0, /* as it is; also descriptors */
	ARG_PATH,	    /* NUL-terminated */
	ARG_PATH_OPTIONAL,  /* the same, or NULL */
	ARG_OUT_BUFFER,	    /* filled with at most as many bytes as argument `length` says;
			       the result says how many */
	ARG_IN,		    /* `size` bytes, read by the call */
	ARG_IN_OPTIONAL,    /* the same, or NULL */
	ARG_OUT,	    /* `size` bytes, written by the call if it succeeds */
	ARG_INOUT_OPTIONAL, /* both, or NULL */
	ARG_INOUT_ARRAY,    /* as many elements of `size` bytes as argument `length` says */
	ARG_IN_BUFFER,	    /* as many bytes as argument `length` says, or NULL; beyond `size`: EINVAL */
	ARG_OUT_OPTIONAL,   /* `size` bytes, written by the call if it succeeds, or NULL */
	ARG_OUT_ARRAY,	    /* room for as many elements of `size` bytes as argument `length` says;
			       the result says how many */
	ARG_OUT_SIZED,	    /* room for as many bytes as the 32-bit word says that argument
			       `length` refers to, or both NULL */
	ARG_INOUT_SIZE,	    /* that word: afterwards, the size that there was */
};

struct argument {
	uint8_t kind;
	uint8_t length; /* index of another argument */
	uint16_t size;
};

#define VALUE { .kind = ARG_VALUE }
#define PATH { .kind = ARG_PATH }
#define OPTIONAL_PATH { .kind = ARG_PATH_OPTIONAL }
#define OUT_BUFFER(index) { .kind = ARG_OUT_BUFFER, .length = (index) }
#define IN_BUFFER(index, most) { .kind = ARG_IN_BUFFER, .length = (index), .size = (most) }
#define IN(bytes) { .kind = ARG_IN, .size = (bytes) }
#define IN_OPTIONAL(bytes) { .kind = ARG_IN_OPTIONAL, .size = (bytes) }
#define OUT(bytes) { .kind = ARG_OUT, .size = (bytes) }
#define OUT_OPTIONAL(bytes) { .kind = ARG_OUT_OPTIONAL, .size = (bytes) }
#define OUT_ARRAY(index, bytes) { .kind = ARG_OUT_ARRAY, .length = (index), .size = (bytes) }
#define OUT_SIZED(index) { .kind = ARG_OUT_SIZED, .length = (index) }
#define INOUT_SIZE { .kind = ARG_INOUT_SIZE, .size = 4 }
#define OFFSET { .kind = ARG_INOUT_OPTIONAL, .size = 8 }

struct description {
	uint32_t number; /* of the call that is sent */
	struct argument arg[6];
};

/* Sends the call and returns its result. */
int64_t describe_call(const struct description *description, const uint64_t values[6]);

/* Defines the handler of a call that is sent as it is; the rest of its arguments are values. */
#define FORWARD(name, ...)                                                            \
	int64_t syscall_##name(const struct syscall_args *args)                        \
	{                                                                              \
		static const struct description description = { __NR_##name,            \
								 { __VA_ARGS__ } };     \
                                                                                       \
		return describe_call(&description, args->a);                           \
	}

#endif
