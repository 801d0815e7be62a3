/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "task/turn.h"

void turn_init(struct turn *turn)
{
	wait_queue_init(&turn->queue);
	turn->taken = false;
}

int turn_take(struct turn *turn)
{
	int error = 0;

	lock_take(&turn->queue.lock);
	while (turn->taken && !error)
		error = wait_on_mode(&turn->queue, NSEC_FOREVER, WAIT_KILLABLE);
	if (!error)
		turn->taken = true;
	lock_drop(&turn->queue.lock);
	return error;
}

void turn_take_certain(struct turn *turn)
{
	lock_take(&turn->queue.lock);
	while (turn->taken)
		wait_on_mode(&turn->queue, NSEC_FOREVER, WAIT_CERTAIN);
	turn->taken = true;
	lock_drop(&turn->queue.lock);
}

void turn_end(struct turn *turn)
{
	lock_take(&turn->queue.lock);
	turn->taken = false;
	wake_one(&turn->queue);
	lock_drop(&turn->queue.lock);
}
