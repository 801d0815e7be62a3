// SPDX-License-Identifier: GPL-2.0-or-later
/* The control rings: what the module says to a co-kernel, and what it hears. */

#include <linux/lockdep.h>
#include <linux/sched.h>

#include "change.h"
#include "control.h"
#include "enclave.h"
#include "task.h"
#include "watch.h"

int control_send_locked(struct enclave *e, const struct pisces_message *messages,
			unsigned int count, bool urgent)
{
	struct pisces_ring_end *in = &e->shared.control_in;
	u32 kept = urgent ? 0 : CONTROL_RESERVE;
	u32 used;
	unsigned int i;
	int ret;

	lockdep_assert_held(&e->lock);
	ret = enclave_check_running(e);
	if (ret)
		return ret;

	used = in->index - READ_ONCE(in->ring->tail);
	if (used > in->slots)
		goto broken;
	if (in->slots - used < count + kept)
		return -EAGAIN;
	/* Room can only have grown since, unless the co-kernel breaks the rules. */
	for (i = 0; i < count; i++)
		if (pisces_ring_put(in, &messages[i]) != PISCES_RING_OK)
			goto broken;
	if (pisces_ring_must_wake(in))
		bell_ring_locked(e, READ_ONCE(in->ring->bell_cpu));
	return 0;

broken:
	enclave_die_locked(e, true, "the co-kernel broke the control ring");
	return -ESHUTDOWN;
}

static void control_ready(struct enclave *e)
{
	unsigned long flags;

	spin_lock_irqsave(&e->lock, flags);
	if (e->state == PISCES_ENCLAVE_BOOTING) {
		WRITE_ONCE(e->state, PISCES_ENCLAVE_RUNNING);
		wake_up_all(&e->changed);
	} else {
		enclave_die_locked(e, true, "the co-kernel said twice that it is ready");
	}
	spin_unlock_irqrestore(&e->lock, flags);
}

/* What the co-kernel wrote is text for people: any byte that is not gets a dot. */
void control_panicked(struct enclave *e)
{
	char reason[PISCES_REASON_LEN];
	unsigned int i;

	for (i = 0; i < sizeof(reason) - 1; i++) {
		char c = READ_ONCE(e->shared.status->reason[i]);

		if (!c)
			break;
		reason[i] = c < 0x20 || c > 0x7e ? '.' : c;
	}
	reason[i] = 0;
	enclave_die(e, false, i ? reason : "the co-kernel panicked and did not say why");
}

static void control_pong(struct enclave *e, u64 tag)
{
	unsigned long flags;

	spin_lock_irqsave(&e->lock, flags);
	watch_pong_locked(e, tag);
	spin_unlock_irqrestore(&e->lock, flags);
}

static void control_task_ended(struct enclave *e, u64 id)
{
	unsigned long flags;

	spin_lock_irqsave(&e->lock, flags);
	if (!task_ended_locked(e, id))
		enclave_die_locked(e, true, "the co-kernel ended a task that it does not have");
	spin_unlock_irqrestore(&e->lock, flags);
}

static void control_change(struct enclave *e, const struct pisces_message *message)
{
	unsigned long flags;
	const char *wrong;

	spin_lock_irqsave(&e->lock, flags);
	wrong = message->type == PISCES_MSG_GIVEN ? change_given_locked(e, message) :
						    change_changed_locked(e, message);
	if (wrong)
		enclave_die_locked(e, true, wrong);
	spin_unlock_irqrestore(&e->lock, flags);
}

static void control_handle(struct enclave *e, const struct pisces_message *msg)
{
	switch (msg->type) {
	case PISCES_MSG_READY:
		control_ready(e);
		break;
	case PISCES_MSG_PONG:
		control_pong(e, msg->tag);
		break;
	case PISCES_MSG_PANIC:
		control_panicked(e);
		break;
	case PISCES_MSG_TASK_ENDED:
		control_task_ended(e, msg->arg[0]);
		break;
	case PISCES_MSG_CHANGED:
	case PISCES_MSG_GIVEN:
		control_change(e, msg);
		break;
	default:
		enclave_die(e, true, "the co-kernel sent a control message of no known type");
	}
}

bool control_drain(struct enclave *e, unsigned int *budget)
{
	struct pisces_ring_end *out = &e->shared.control_out;
	struct pisces_message msg;

	lockdep_assert_held(&e->drain);
	for (;;) {
		/* A dead co-kernel is not listened to: what it says now is not to be believed. */
		if (enclave_is_over(e))
			return false;
		switch (pisces_ring_get(out, &msg)) {
		case PISCES_RING_OK:
			control_handle(e, &msg);
			break;
		case PISCES_RING_AGAIN:
			if (pisces_ring_may_sleep(out, 0))
				return false;
			break;
		case PISCES_RING_BROKEN:
			enclave_die(e, true, "the co-kernel broke the control ring");
			return false;
		}
		if (*budget == 0)
			return true;
		--*budget;
	}
}
