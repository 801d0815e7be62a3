/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of files for whose calls the main thread needs nobody else: Linux has all of the path
 * in memory, and the file is one of this machine. Any other name may lead to a server, to an
 * automounter or to somebody's FUSE, which may take for ever to answer.
 */
#ifndef PROXY_LOCAL_NAME_H
#define PROXY_LOCAL_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "call.h"

/*
 * Is PATH, from directory DIR on, in CALL such a name? True as well where Linux remembers that
 * there is no such file. FOLLOW: a symbolic link at its end. To find out takes a descriptor for
 * a moment: false unless CALL is the only one on its way, as another could get a number by it
 * that it would not get on Linux. Main thread. Needs RESOLVE_CACHED of openat2(2), Linux 5.12:
 * false where there is none.
 */
bool local_name(const struct call *call, int dir, const char *path, bool follow);

/* Is CALL an openat(2) of such a name, which makes no file? Then local_name_open() executes it. */
bool local_name_opens(const struct call *call);

/*
 * CALL_WOULD_BLOCK if another program has a lease on the file (F_SETLEASE of fcntl(2)), which
 * has to be waited for.
 */
int64_t local_name_open(struct call *call);

#endif
