/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "task/rseq.h"

#include "arch/cpu.h"
#include "arch/frame.h"
#include "arch/trap.h"
#include "arch/user.h"
#include "lib/errno.h"
#include "task/process.h"
#include "task/signal.h"
#include "task/thread.h"

#define CPU_UNINITIALIZED UINT32_MAX

/* The parts of struct rseq that are ours. */
struct user_rseq {
	uint32_t cpu_id_start;
	uint32_t cpu_id;
	user_addr_t sequence;
};

/* struct rseq_cs */
struct user_sequence {
	uint32_t version;
	uint32_t flags;
	user_addr_t start;
	uint64_t size;
	user_addr_t abort;
};

static int write_cpu(user_addr_t at, uint32_t start, uint32_t cpu)
{
	const uint32_t words[2] = { start, cpu };

	return copy_to_user(at, words, sizeof(words));
}

int rseq_register(user_addr_t at, uint32_t size, uint32_t signature)
{
	struct thread *self = thread_current();

	if (self->rseq) {
		if (self->rseq != at || size != RSEQ_SIZE)
			return -EINVAL;
		return self->rseq_signature != signature ? -EPERM : -EBUSY;
	}
	if (at % RSEQ_SIZE != 0 || size != RSEQ_SIZE)
		return -EINVAL;
	if (at > USER_END - RSEQ_SIZE)
		return -EFAULT;
	self->rseq = at;
	self->rseq_signature = signature;
	self->rseq_disturbed = true;
	return 0;
}

int rseq_unregister(user_addr_t at, uint32_t size, uint32_t signature)
{
	struct thread *self = thread_current();

	if (!self->rseq || self->rseq != at || size != RSEQ_SIZE)
		return -EINVAL;
	if (self->rseq_signature != signature)
		return -EPERM;
	if (write_cpu(at, 0, CPU_UNINITIALIZED) != 0)
		return -EFAULT;
	self->rseq = 0;
	return 0;
}

/* Sends FRAME to the abort handler of the sequence that it is in, if it is in one. */
static int leave_sequence(struct frame *frame, user_addr_t at, user_addr_t where)
{
	const user_addr_t none = 0;
	struct user_sequence sequence;
	uint32_t signature;

	if (copy_from_user(&sequence, where, sizeof(sequence)) != 0)
		return -EFAULT;
	if (sequence.version != 0 || sequence.flags != 0 || sequence.start >= USER_END ||
	    sequence.size >= USER_END || sequence.abort >= USER_END || sequence.abort < 4 ||
	    sequence.abort - sequence.start < sequence.size)
		return -EINVAL;
	if (copy_to_user(at + offsetof(struct user_rseq, sequence), &none, sizeof(none)) != 0)
		return -EFAULT;
	if (frame->rip - sequence.start >= sequence.size)
		return 0;
	/* The word before it says that it is one: else this would jump to any place. */
	if (copy_from_user(&signature, sequence.abort - 4, sizeof(signature)) != 0)
		return -EFAULT;
	if (signature != thread_current()->rseq_signature)
		return -EINVAL;
	frame->rip = sequence.abort;
	return 0;
}

bool rseq_resume(struct frame *frame)
{
	struct thread *self = thread_current();
	struct user_rseq rseq;
	int error;

	/* First: reading memory may make the thread lose its CPU once more. */
	self->rseq_disturbed = false;
	error = copy_from_user(&rseq, self->rseq, sizeof(rseq));
	if (!error && rseq.sequence)
		error = leave_sequence(frame, self->rseq, rseq.sequence);
	if (!error)
		error = write_cpu(self->rseq, this_cpu()->linux_cpu, this_cpu()->linux_cpu);
	if (error)
		signal_fault(frame, SIGNAL_SEGV, SIGNAL_CODE_KERNEL, self->rseq);
	return !error;
}

void rseq_disturb(struct process *process)
{
	struct list *pos;

	lock_take(&process->lock);
	LIST_FOR_EACH(pos, &process->threads)
		__atomic_store_n(&LIST_ENTRY(pos, struct thread, process_link)->rseq_disturbed,
				 true, __ATOMIC_SEQ_CST);
	lock_drop(&process->lock);
}
