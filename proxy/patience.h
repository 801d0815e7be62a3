/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shall the proxy wait awake for the next call, before it sleeps? As long as that pays.
 */
#ifndef PROXY_PATIENCE_H
#define PROXY_PATIENCE_H

#include <stdbool.h>

struct patience {
	unsigned int in_vain; /* waits, one after the other */
	unsigned int sleeps;  /* without a wait before them, since the last one */
};

/* Before a sleep: is it worth a wait? */
bool patience_lasts(struct patience *patience);

/* What came of it: 0 or the negative errno of PISCES_IOC_LINGER. */
void patience_learn(struct patience *patience, int result);

#endif
