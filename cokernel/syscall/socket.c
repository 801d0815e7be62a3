/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets are the proxy's, as all descriptors; messages through them: socket_message.c. */
#include <asm/unistd_64.h>

#include "syscall/describe.h"
#include "syscall/handlers.h"

/* The longest address that Linux takes; a longer one is invalid there as well. */
#define ADDRESS_MOST 128u
#define OPTION_MOST 0x8000u

FORWARD(socket, VALUE)
FORWARD(bind, VALUE, IN_BUFFER(2, ADDRESS_MOST))
FORWARD(connect, VALUE, IN_BUFFER(2, ADDRESS_MOST))
FORWARD(listen, VALUE)
FORWARD(accept4, VALUE, OUT_SIZED(2), INOUT_SIZE)
FORWARD(getsockname, VALUE, OUT_SIZED(2), INOUT_SIZE)
FORWARD(getpeername, VALUE, OUT_SIZED(2), INOUT_SIZE)
FORWARD(shutdown, VALUE)
FORWARD(setsockopt, VALUE, VALUE, VALUE, IN_BUFFER(4, OPTION_MOST))
FORWARD(getsockopt, VALUE, VALUE, VALUE, OUT_SIZED(4), INOUT_SIZE)

int64_t syscall_accept(const struct syscall_args *args)
{
	const struct syscall_args all = { { args->a[0], args->a[1], args->a[2], 0 } };

	return syscall_accept4(&all);
}
