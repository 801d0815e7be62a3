/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * POSIX signals. Structures are those of the x86-64 kernel ABI (not glibc's).
 *
 * A pending signal is in the queue of a thread or of its process; some thread that
 * does not block it has `notify` set, which ends its interruptible waits and makes
 * it pass through signal_deliver() before it is in user mode again. All of it is
 * under process->lock; `notify` alone is read without.
 */
#ifndef CK_TASK_SIGNAL_H
#define CK_TASK_SIGNAL_H

#include "lib/list.h"
#include "lib/types.h"

struct frame;
struct thread;
struct process;
struct timer;

/*
 * Results of an interrupted system call that signal_deliver() turns into EINTR, or
 * into the call done again: ERESTARTSYS (lib/errno.h) again unless a handler without
 * SA_RESTART runs; ERESTARTNOINTR always, after the handler if one runs; these others only
 * if no handler runs at all, the second for calls that then go on until
 * thread->restart_deadline.
 */
#define ERESTARTNOINTR 513
#define ERESTARTNOHAND 514
#define ERESTART_DEADLINE 516

#define SIGNAL_COUNT 64u

typedef uint64_t signal_set_t; /* bit n-1: signal n */

#define SIGNAL_BIT(n) (1ull << ((n) - 1))

enum signal_number {
	SIGNAL_HUP = 1,
	SIGNAL_INT = 2,
	SIGNAL_QUIT = 3,
	SIGNAL_ILL = 4,
	SIGNAL_TRAP = 5,
	SIGNAL_ABRT = 6,
	SIGNAL_BUS = 7,
	SIGNAL_FPE = 8,
	SIGNAL_KILL = 9,
	SIGNAL_SEGV = 11,
	SIGNAL_PIPE = 13,
	SIGNAL_ALRM = 14,
	SIGNAL_TERM = 15,
	SIGNAL_CHLD = 17,
	SIGNAL_CONT = 18,
	SIGNAL_STOP = 19,
	SIGNAL_TSTP = 20,
	SIGNAL_TTIN = 21,
	SIGNAL_TTOU = 22,
	SIGNAL_URG = 23,
	SIGNAL_VTALRM = 26,
	SIGNAL_PROF = 27,
	SIGNAL_WINCH = 28,
	SIGNAL_SYS = 31,
	SIGNAL_REALTIME = 32, /* the first that is queued, not merged */
};

/* si_code */
#define SIGNAL_CODE_USER 0
#define SIGNAL_CODE_KERNEL 0x80
#define SIGNAL_CODE_TKILL (-6)

#define SIGNAL_DEFAULT 0u
#define SIGNAL_IGNORE 1u

/* sa_flags */
#define SIGNAL_SIGINFO 0x4u
#define SIGNAL_ON_STACK 0x08000000u
#define SIGNAL_RESTART 0x10000000u
#define SIGNAL_NO_DEFER 0x40000000u
#define SIGNAL_RESET_HANDLER 0x80000000u
#define SIGNAL_RESTORER 0x04000000u
#define SIGNAL_FLAGS 0xdc000807ull /* all that Linux knows */

/* ss_flags */
#define SIGNAL_STACK_ON 1u
#define SIGNAL_STACK_DISABLE 2u
#define SIGNAL_STACK_AUTODISARM 0x80000000u

/* struct kernel_sigaction */
struct signal_action {
	user_addr_t handler; /* 0 SIG_DFL, 1 SIG_IGN */
	uint64_t flags;
	user_addr_t restorer;
	signal_set_t mask;
};

/* The parts of siginfo_t that a kernel fills, 128 bytes. */
struct signal_info {
	int32_t signo;
	int32_t error;
	int32_t code;
	int32_t own_timer; /* of a timer of ours, whatever code says; 0 when a program sees it */
	union {
		/*
		 * First, so that an initialiser without a member clears all of it: with that of
		 * another one, compilers need not, and programs see the whole (GCC 15 on).
		 */
		uint8_t bytes[112];
		struct {
			int32_t pid;
			uint32_t uid;
			uint64_t value;
		} from;
		struct {
			user_addr_t address;
		} fault;
		struct {
			int32_t timer;
			int32_t overrun;
			uint64_t value;
		} timer;
		struct {
			int32_t pid;
			uint32_t uid;
			int32_t status;
			int64_t user_time, system_time;
		} child;
		struct {
			int64_t band;
			int32_t fd;
		} poll;
	};
};
_Static_assert(sizeof(struct signal_info) == 128, "siginfo_t of the ABI");

/* Pending signals: the set, and what is known of each, in order of arrival. */
struct signal_entry {
	struct list link;
	struct signal_info info;
};

struct signal_queue {
	signal_set_t set;
	unsigned int count;
	struct list entries; /* none for a signal whose entry had no memory */
	/* For when there is none left: what a program dies of then has to be said. */
	struct signal_entry spare;
	bool spare_used;
};

struct thread_signals {
	signal_set_t blocked;
	signal_set_t saved; /* to restore after sigsuspend, ppoll, ... */
	signal_set_t waited; /* of rt_sigtimedwait: not ignored, though blocked is without them */
	bool restore_saved;
	bool notify; /* look at the queues before user mode */
	bool watching; /* signal_watch() */
	struct signal_queue pending; /* for this thread alone */
	user_addr_t altstack;
	uint64_t altstack_size;
	uint32_t altstack_flags;
};

void signal_queue_init(struct signal_queue *queue);
void signal_queue_clear(struct signal_queue *queue);

/* 1; 0: not queued, since it is there already (merged); -EAGAIN: there are too many. */
int signal_queue_add(struct signal_queue *queue, const struct signal_info *info);

/* Takes out the first of SET, faults before others, low numbers first. 0: none. */
int signal_queue_take(struct signal_queue *queue, signal_set_t set, struct signal_info *info);

/* Forgets all of SET. */
void signal_queue_drop(struct signal_queue *queue, signal_set_t set);

/*
 * Any code, any CPU. They queue and kick; nothing is delivered here. 1; 0: it is not
 * queued, since it is ignored or pending already (merged); -EAGAIN: there are too many.
 */
int signal_send_process(struct process *process, const struct signal_info *info);
int signal_send_thread(struct thread *thread, const struct signal_info *info);

/* SIGPIPE to the running thread, which wrote what nobody will read. */
void signal_broken_pipe(void);

/* Is there one that the running thread must deliver (so that a wait must end)? */
bool signal_pending(void);

/*
 * Between signal_watch(true) and signal_watch(false) a signal that a signal file reads
 * (task/signal_file.h) ends waits of the running thread as one to deliver does, although
 * it may be blocked. The second says whether there is really one to deliver; if not, the
 * thread may wait again.
 */
void signal_watch(bool watching);
bool signal_really_pending(void);

/* Changes the running thread's mask, except for KILL and STOP. */
void signal_set_blocked(signal_set_t blocked);

/* A program begins: signals that its first thread, the running one, ignores and blocks. */
void signal_inherit(signal_set_t ignored, signal_set_t blocked);

/*
 * Another program takes the place of the running one, whose last thread calls: handlers and
 * the alternate stack are gone; what is ignored, blocked and pending stays.
 */
void signal_renew(void);

/* Takes one of SET that is pending for the running thread, whatever is blocked. 0: none. */
int signal_take(signal_set_t set, struct signal_info *info);

/* sigaction: NEW may be NULL. What becomes ignored is no longer pending. */
void signal_set_action(int signal, const struct signal_action *new, struct signal_action *old);

/* A thread is leaving: what it was to deliver for its process, others do. process->lock held. */
void signal_hand_over(struct process *process, struct thread *leaving);

/* Is the default action of SIGNAL to do nothing, or to stop the process? */
bool signal_default_is_ignore(int signal);
bool signal_default_is_stop(int signal);

/*
 * Delivers what is pending, on the way to user mode: all that needs no handler, up to one that
 * does. Maybe does not return.
 */
void signal_deliver(struct frame *frame);

/*
 * signal_frame.c: makes user mode go on in the handler of ACTION, with a frame on
 * its stack from which signal_return() restores FRAME and the mask MASK. False: the
 * stack cannot be written, or the handler is no address of a program.
 */
bool signal_push_frame(struct frame *frame, const struct signal_action *action,
		       const struct signal_info *info, signal_set_t mask);

/* Bytes of stack that a signal needs: AT_MINSIGSTKSZ. */
size_t signal_frame_size(void);

/* rt_sigreturn: puts the interrupted registers back from the user's stack. */
int64_t signal_return(struct frame *frame);

/* Is RSP on the running thread's alternative stack? */
bool signal_on_altstack(user_addr_t rsp);

/* struct stack_t of the ABI. */
struct user_stack {
	user_addr_t base;
	uint32_t flags;
	uint32_t unused;
	uint64_t size;
};

/*
 * The running thread's alternate stack, as sigaltstack(2), called with the stack pointer RSP.
 * 0, -EPERM: it is in use; -EINVAL, -ENOMEM.
 */
int signal_set_altstack(const struct user_stack *stack, user_addr_t rsp);

#endif
