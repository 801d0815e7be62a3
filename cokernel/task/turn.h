/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one thread at a time does, for longer than a lock may be held: the others sleep. */
#ifndef CK_TASK_TURN_H
#define CK_TASK_TURN_H

#include "task/wait.h"

struct turn {
	struct wait_queue queue;
	bool taken;
};

void turn_init(struct turn *turn);

/* 0, or -EINTR if the process ends meanwhile. No lock is held. */
int turn_take(struct turn *turn);
/* The same whatever happens to the process, where nobody has it for long. */
void turn_take_certain(struct turn *turn);
void turn_end(struct turn *turn);

#endif
