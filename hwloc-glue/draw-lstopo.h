/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PISCES_DRAW_LSTOPO_H
#define PISCES_DRAW_LSTOPO_H

#include "libpisces.h"

/*
 * Has lstopo draw the topology XML (LENGTH bytes of it), with COUNT lines of LEGEND
 * below it, to FILE as its ending says; NULL: as text to stdout. Nothing of FILE is
 * touched unless there is a whole drawing. Returns 0 or -1.
 */
int pisces_lstopo(const char *xml, size_t length, char *const *legend, unsigned int count,
		  const char *file, struct pisces_error *error);

#endif
