/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What sending and delivering signals share; all under process->lock. */
#ifndef CK_TASK_SIGNAL_INTERNAL_H
#define CK_TASK_SIGNAL_INTERNAL_H

#include "task/signal.h"
#include "task/thread.h"

static inline struct thread *signal_thread_of(struct list *pos)
{
	return LIST_ENTRY(pos, struct thread, process_link);
}

/* Sets `notify` to whether THREAD has anything to deliver. */
void signal_refresh(struct thread *thread);

/* Makes THREAD look what it has to deliver, wherever it is. */
void signal_tell(struct thread *thread);

bool signal_action_ignores(const struct signal_action *action, int signal);

#endif
