/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The proxy's own descriptors among those of the program. Both share one table,
 * but only the program's numbers are the program's: the proxy's are moved out
 * of the way and calls that name them get EBADF, as if they were not open.
 */
#ifndef PROXY_DESCRIPTOR_H
#define PROXY_DESCRIPTOR_H

#include <stdbool.h>

/*
 * Moves FD to a high number, close-on-exec, and remembers it as the proxy's own.
 * Returns the new number, or FD itself where there is no room. Main thread, before
 * the program runs.
 */
int descriptor_hide(int fd);

/* As descriptor_hide(), but what is there may be named in calls. */
int descriptor_move(int fd);

bool descriptor_is_hidden(int fd);

/* The lowest hidden one that is FIRST or higher, or -1. */
int descriptor_next_hidden(unsigned int first);

#endif
