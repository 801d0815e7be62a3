/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An enclave as Linux sees it, and its life.
 *
 *   NEW -> BOOTING -> RUNNING -> DEAD -> ENDING -> GONE
 *
 * Of those that were DEAD the last few stay known when they are GONE, with what
 * they have said.
 *
 * Any state goes to ENDING when the enclave fd, its only owner, is closed. Task
 * and console fds hold references to the structure, never to the enclave: when
 * it is gone they find that out.
 *
 * Locks, outermost first:
 *   mutex   one change of resources at a time: all calls of an enclave fd or a
 *           handle fd, and the turn to ENDING. `ending` tells those who wait with
 *           it for the co-kernel to give up
 *   shared_sem  write: the shared area appears or goes; read: it stays
 *   drain   the consuming ends of the rings that come from the co-kernel
 *   lock    state, reason, the lists of CPUs and ranges, tasks, the producing
 *           end of the control ring, and the right to send an interrupt to the
 *           enclave's CPUs. Interrupts off.
 * A CPU hotplug callback takes none but `lock`: ADD_CPU waits for hotplug with
 * the mutex held.
 */
#ifndef PISCES_KMOD_ENCLAVE_H
#define PISCES_KMOD_ENCLAVE_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <pisces/boot.h>
#include <pisces/ioctl.h>
#include <pisces/ring.h>
#include <pisces/status.h>

#include "bell.h"
#include "change.h"
#include "console.h"
#include "cpu.h"
#include "log.h"
#include "pagetable.h"
#include "usage.h"
#include "watch.h"

/* Enclaves that may exist at a time; a bound for those without any CPU. */
#define ENCLAVES_MAX 1024u

/* Enclaves that have died and are remembered; the oldest is forgotten. */
#define ENCLAVES_GONE_MAX 16u

struct task;

/* The memory that both sides see: see boot.h. Absent before BOOT. */
struct shared_area {
	struct page *pages;
	size_t bytes;
	struct pisces_boot_block *boot;
	struct pisces_status *status;
	size_t status_bytes;
	struct pisces_registers *registers; /* cpu_capacity of them */
	struct pisces_task_usage *usage;    /* PISCES_MAX_TASKS of them */
	unsigned int cpu_capacity;
	struct pisces_ring_end control_in;
	struct pisces_ring_end control_out;
	struct pisces_ring_end console;
};

struct enclave {
	refcount_t references;
	struct list_head link; /* in the list of enclave.c */
	u32 number;
	u32 job, step, uid;
	s32 owner_pid;
	u64 created_ns; /* CLOCK_MONOTONIC */
	char name[PISCES_NAME_LEN];
	char label[PISCES_NAME_LEN + 32]; /* name and job step, for log lines */
	char resource_name[32];		  /* in /proc/iomem */

	struct mutex mutex;
	spinlock_t lock;
	enum pisces_enclave_state state;
	bool launched; /* its CPUs may run code that is not Linux's */
	bool ending;   /* its owner is gone: it is on its way to ENDING */
	char reason[PISCES_REASON_LEN];
	wait_queue_head_t changed; /* of state, ending, or change */

	/* By index in the boot block; with holes where a CPU has left. */
	struct enclave_cpu *cpus; /* PISCES_MAX_CPUS of them */
	unsigned int cpu_count;	  /* the highest index + 1 */
	struct change change;
	struct list_head ranges; /* struct memory_range */
	unsigned int range_count;

	struct rw_semaphore shared_sem;
	struct shared_area shared;
	struct pagetable pagetable;
	phys_addr_t image_base;
	u64 image_bytes;
	u64 image_virtual, image_entry; /* where its CPUs see it, and begin */

	spinlock_t drain;
	struct bell bell;
	struct delayed_work silence_work;
	struct watch watch;
	u64 snapshot; /* number of the last one; under lock */
	struct pisces_registers *registers; /* of one that has died, once shared is gone */
	unsigned int registers_count;
	struct console console;

	struct task **tasks; /* by id; PISCES_MAX_TASKS of them */
	unsigned int task_count;
	struct usage usage;

	struct work_struct end_work;
	bool quarantined; /* a CPU did not come back */
};

int enclaves_init(void);
void enclaves_exit(void);

/*
 * Makes an empty enclave from a request that the caller has checked. Owned by
 * the caller, with one reference, until enclave_end().
 */
struct enclave *enclave_create(const struct pisces_create *request);

void enclave_get(struct enclave *e);
void enclave_put(struct enclave *e);

/* The enclave of that number with a reference more, or NULL. Any: also one that is GONE. */
struct enclave *enclave_find(u32 number);
struct enclave *enclave_find_any(u32 number);

/*
 * Stores at most CAPACITY numbers at NUMBERS; returns how many enclaves there are. With
 * GONE, these come first.
 */
u32 enclave_list(u32 *numbers, u32 capacity, bool gone);

/* All that it had is Linux's: GONE, and out of the list, or to those that are remembered. */
void enclave_remove(struct enclave *e);

/* Calls VISIT for each enclave; with LOCK, under the list's lock, interrupts off. */
void enclaves_visit(void (*visit)(struct enclave *e), bool lock);

/*
 * Ends the enclave and gives all that it has back to Linux: the first begins that, the
 * second returns when it is done. The caller's reference stays.
 */
void enclave_begin_end(struct enclave *e);
void enclave_end(struct enclave *e);

/*
 * The co-kernel is found dead or broken: RUNNING or BOOTING becomes DEAD, for
 * REASON. Any context.
 * AT_ONCE: stop its CPUs now, and not only after it has had time to say why.
 */
void enclave_die(struct enclave *e, bool at_once, const char *reason);

/* The same with e->lock held. */
void enclave_die_locked(struct enclave *e, bool at_once, const char *reason);

/* Works of an enclave: see ending.c. */
void enclave_silence_work(struct work_struct *work);
void enclave_end_work(struct work_struct *work);

/* Sends INIT to all CPUs that may run the co-kernel. e->lock is held. */
void enclave_silence_locked(struct enclave *e);

/* 0, or why nothing can be sent to the co-kernel: -EBUSY or -ESHUTDOWN. */
int enclave_check_running(const struct enclave *e);

static inline enum pisces_enclave_state enclave_state(const struct enclave *e)
{
	return READ_ONCE(e->state);
}

static inline bool enclave_is_over(const struct enclave *e)
{
	return enclave_state(e) >= PISCES_ENCLAVE_DEAD;
}

/* A CPU is Linux's again that did not come back when its enclave ended. */
void enclaves_cpu_returned(void);

/* Linux goes down: no co-kernel may survive it. Takes no lock if PANIC. */
void enclaves_silence_all(bool panic);

/* That was done: Linux goes down, and no co-kernel may start any more. */
bool enclaves_are_silenced(void);

/* True if any enclave has a CPU. */
bool enclaves_hold_cpus(void);

/* Bytes of memory that it has. */
u64 enclave_memory(const struct enclave *e);

/* Work of enclaves and tasks; empty when the module goes. */
extern struct workqueue_struct *enclaves_queue;

/*
 * PISCES_IOC_CREATE: makes an enclave from a checked request; returns its fd,
 * whose closing ends it, or -errno.
 */
int enclave_fd(const struct pisces_create *request);

/* PISCES_IOC_OPEN: a handle fd on the enclave, or -errno. */
int handle_fd(struct enclave *e);

/* PISCES_IOC_INFO. */
void enclave_describe(struct enclave *e, struct pisces_info *info);

#endif
