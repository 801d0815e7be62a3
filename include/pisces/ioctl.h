/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /dev/pisces and the file descriptors that come from it.
 *
 *   control fd   open("/dev/pisces"): make an enclave, look at the others
 *   enclave fd   from PISCES_IOC_CREATE: owns the enclave. Closing the last
 *                reference destroys it and gives all back to Linux. poll(2):
 *                POLLHUP when the co-kernel has died. pread(2): the memory of an
 *                enclave that was booted, and the shared area, at its physical
 *                address; EFAULT outside of it.
 *   handle fd    from PISCES_IOC_OPEN: all that an enclave fd can, but it owns
 *                nothing: the enclave may end while it is open.
 *   task fd      from PISCES_IOC_TASK: the right to run one program. Closing the
 *                last reference kills that program. mmap(2): the channel.
 *                read(2): 8 bytes, the number of rings since the last read, as an
 *                eventfd; poll(2): POLLIN when there are any, POLLHUP when the
 *                enclave is gone, its co-kernel has died or has let go of the task
 *                (empty the ring of calls first).
 *   console fd   from PISCES_IOC_CONSOLE: read(2) gives what the co-kernel has
 *                said so far and then what it goes on to say; 0 when it is over.
 *
 * Errors are those of ioctl(2), and: EPERM without CAP_SYS_ADMIN; EPROTO for
 * another ABI or build id; ESHUTDOWN when the enclave has died; EBUSY in a state
 * that does not allow it. Unknown flags and non-zero unused fields are EINVAL.
 * Those of single calls stand with them.
 */
#ifndef PISCES_IOCTL_H
#define PISCES_IOCTL_H

#include <pisces/abi.h>
#include <pisces/types.h>
#ifndef __KERNEL__
#include <sys/ioctl.h>
#endif

#define PISCES_DEVICE "/dev/pisces"
#define PISCES_IOC_MAGIC 0xb6

/* ---- control fd ---- */

struct pisces_version {
	uint32_t abi;
	uint32_t unused;
	char build_id[PISCES_BUILD_ID_LEN];
};

/* Which module is this? Needs no right but to have opened the device. */
#define PISCES_IOC_VERSION _IOR(PISCES_IOC_MAGIC, 0x00, struct pisces_version)

struct pisces_create {
	uint32_t abi;	/* PISCES_ABI_VERSION */
	uint32_t flags; /* 0 */
	char build_id[PISCES_BUILD_ID_LEN];
	char name[PISCES_NAME_LEN]; /* [A-Za-z0-9._:-]+; "" takes the number */
	uint32_t job;		    /* of Slurm; for people and for reclaim; 0 if none */
	uint32_t step;
	uint32_t uid; /* whose program will run */
	uint32_t unused;
};

/* Makes an empty enclave. Returns its fd, close-on-exec. Needs CAP_SYS_ADMIN. */
#define PISCES_IOC_CREATE _IOW(PISCES_IOC_MAGIC, 0x01, struct pisces_create)

struct pisces_list {
	uint32_t capacity; /* in: entries at `enclaves` */
	uint32_t count;	   /* out: enclaves there are; only the first `capacity` are stored */
	uint64_t enclaves; /* in: address of uint32_t[], enclave numbers */
	uint32_t flags;	   /* PISCES_LIST_... */
	uint32_t unused;
};

/* Also those that died and are GONE, of which the last few are remembered. */
#define PISCES_LIST_GONE 1u

#define PISCES_IOC_LIST _IOWR(PISCES_IOC_MAGIC, 0x02, struct pisces_list)

enum pisces_enclave_state {
	PISCES_ENCLAVE_NEW = 0,	    /* resources can be added */
	PISCES_ENCLAVE_BOOTING = 1,
	PISCES_ENCLAVE_RUNNING = 2,
	PISCES_ENCLAVE_DEAD = 3,    /* the co-kernel died; reason says why */
	PISCES_ENCLAVE_ENDING = 4,  /* its owner has ended it: all is on its way back to Linux */
	PISCES_ENCLAVE_GONE = 5,    /* all is back; reason and console are kept for a while */
};

struct pisces_range_info {
	uint64_t base;
	uint64_t size;
	uint32_t node;
	uint32_t way; /* enum pisces_memory_way */
};

struct pisces_info {
	uint32_t enclave; /* in: number */
	uint32_t state;	  /* enum pisces_enclave_state */
	char name[PISCES_NAME_LEN];
	char reason[PISCES_REASON_LEN];
	uint32_t job;
	uint32_t step;
	uint32_t uid;
	int32_t owner_pid; /* process that made it */
	uint32_t tasks;
	uint32_t irq; /* of Linux, as in /proc/interrupts */
	uint32_t cpu_count;
	uint32_t range_count; /* all there are; `ranges` holds at most PISCES_INFO_RANGES */
	uint64_t memory;      /* bytes */
	uint64_t age_ns;
	uint64_t silent_ns; /* for how long a CPU in the co-kernel has given no sign of life */
	uint64_t cpus[PISCES_CPU_WORDS]; /* by Linux CPU number */
	uint64_t node_memory[PISCES_MAX_NODES]; /* bytes of each NUMA node; of these */
	uint64_t node_blocks[PISCES_MAX_NODES]; /* bytes by the ways block and remove */
#define PISCES_INFO_RANGES 32
	struct pisces_range_info ranges[PISCES_INFO_RANGES];
};

/*
 * ENOENT: there is no such enclave (also of STATUS and CONSOLE). INFO, CONSOLE and OPEN
 * find those that are GONE, too. Who is neither the enclave's user nor has CAP_SYS_ADMIN
 * learns neither addresses nor the reason of a death.
 */
#define PISCES_IOC_INFO _IOWR(PISCES_IOC_MAGIC, 0x03, struct pisces_info)

struct pisces_get_status {
	uint32_t enclave; /* in */
	uint32_t size;	  /* in: bytes at `status`; out: bytes of the status area */
	uint64_t status;  /* in: address; filled with a copy of struct pisces_status */
};

/* EBUSY: it was not booted yet; EPERM: it is another user's. */
#define PISCES_IOC_STATUS _IOWR(PISCES_IOC_MAGIC, 0x04, struct pisces_get_status)

struct pisces_get_console {
	uint32_t enclave;
	uint32_t unused;
};

/* Returns a console fd, close-on-exec. Needs CAP_SYS_ADMIN or the enclave's uid. */
#define PISCES_IOC_CONSOLE _IOW(PISCES_IOC_MAGIC, 0x05, struct pisces_get_console)

struct pisces_open {
	uint32_t enclave;
	uint32_t unused;
};

/* Returns a handle fd, close-on-exec. Needs CAP_SYS_ADMIN. ENOENT: no such enclave. */
#define PISCES_IOC_OPEN _IOW(PISCES_IOC_MAGIC, 0x06, struct pisces_open)

enum pisces_block_state {
	PISCES_BLOCK_RESERVED = 0, /* an enclave is about to take it; it may be offline already */
	PISCES_BLOCK_TAKEN = 1,	   /* an enclave's */
	PISCES_BLOCK_OFFLINE = 2,  /* back, but offline until user space brings it online */
	PISCES_BLOCK_REMOVED = 3,  /* could not be added to Linux again: PISCES_IOC_RECLAIM */
};

/* One memory block of Linux (ways `block` and `remove`). */
struct pisces_block {
	uint64_t base;
	uint64_t size; /* bytes: Linux's block size */
	uint32_t state; /* enum pisces_block_state */
	uint32_t node;
	uint32_t enclave; /* number; 0 when its enclave is gone */
	uint32_t movable; /* 1: it was in the Movable zone and should go there again */
};

struct pisces_blocks {
	uint32_t capacity; /* in: entries at `blocks` */
	uint32_t count;	   /* out: blocks there are; only the first `capacity` are stored */
	uint64_t blocks;   /* in: address of struct pisces_block[] */
};

/* The memory blocks that are not Linux's as they were. Needs CAP_SYS_ADMIN. */
#define PISCES_IOC_BLOCKS _IOWR(PISCES_IOC_MAGIC, 0x07, struct pisces_blocks)

/*
 * Tries once more to give Linux what could not be given back. Safe at any time. Needs
 * CAP_SYS_ADMIN. EAGAIN: some of it still could not.
 */
#define PISCES_IOC_RECLAIM _IO(PISCES_IOC_MAGIC, 0x08)

/*
 * CPUs that a cpuset of cgroup v1 had before an enclave took them. Linux takes a CPU
 * that goes offline out of each cpuset and never puts it back: so whoever takes CPUs
 * notes them with the enclave, and `pisces reclaim` adds them again.
 */
struct pisces_cpuset_note {
	uint32_t id;	  /* out */
	uint32_t enclave; /* out: number; 0 when it is gone */
	char path[256];	  /* of the cgroup, absolute, NUL-terminated */
	uint64_t cpus[PISCES_CPU_WORDS]; /* by Linux CPU number */
};

/* Stores the first note whose id is above NOTE.id, all of them in order. ENOENT: no more. */
#define PISCES_IOC_CPUSET_NEXT _IOWR(PISCES_IOC_MAGIC, 0x09, struct pisces_cpuset_note)

/* These CPUs of note `id` have been put back: forgets them, and with the last one the note. */
#define PISCES_IOC_CPUSET_DONE _IOW(PISCES_IOC_MAGIC, 0x0a, struct pisces_cpuset_note)

#define PISCES_NO_CPU 0xffffffffu

/* Where a CPU is in the machine, which Linux forgets of one that it gave away. */
struct pisces_place {
	uint32_t linux_cpu; /* PISCES_NO_CPU: the one of this place has left the enclave */
	uint32_t node;	  /* of NUMA, Linux's number */
	uint32_t package; /* Linux's number */
	uint32_t core;	  /* SMT siblings have the same; unique in the machine */
};

struct pisces_places {
	uint32_t enclave;  /* in: its CPUs, in its order; 0: all of the machine, by number */
	uint32_t capacity; /* in: entries at `places` */
	uint32_t count;	   /* out: CPUs there are; only the first `capacity` are stored */
	uint32_t unused;
	uint64_t places; /* in: address of struct pisces_place[] */
};

/* Of all of the machine: also CPUs that are offline. ENOENT: there is no such enclave. */
#define PISCES_IOC_PLACES _IOWR(PISCES_IOC_MAGIC, 0x0b, struct pisces_places)

/* ---- enclave fd and handle fd ---- */

struct pisces_add_cpu {
	uint32_t linux_cpu; /* online, not CPU 0, not the last one */
	uint32_t unused;
};

/*
 * Takes a CPU away from Linux. It appears in the boot block in order of adding.
 * A running enclave starts it at once, for all of its tasks. EINVAL: no such CPU, or
 * CPU 0; ENODEV: it is offline; EBUSY: an enclave has it, or it is the last one;
 * ENOSPC: the enclave cannot have more; ETIMEDOUT: it did not come up; and what the
 * co-kernel says (ENOMEM).
 */
#define PISCES_IOC_ADD_CPU _IOW(PISCES_IOC_MAGIC, 0x20, struct pisces_add_cpu)

enum pisces_memory_way {
	PISCES_MEMORY_CONTIG = 0, /* alloc_contig_range: finest; struct pages stay */
	PISCES_MEMORY_BLOCK = 1,  /* memory blocks offlined by user space */
	PISCES_MEMORY_REMOVE = 2, /* and removed from Linux's direct map */
};

struct pisces_add_memory {
	uint64_t size; /* bytes, a multiple of PISCES_MEMORY_ALIGN */
	uint32_t node; /* of NUMA, as Linux numbers it; memory of no other node is taken */
	uint32_t way;  /* enum pisces_memory_way */
	uint64_t available; /* out, with ENOMEM: bytes that could have been had */
	uint64_t base; /* block, remove: of the memory block, and `size` is that of one; contig: 0 */
};

/*
 * Takes all of it, in as few ranges as there are, or nothing. A running enclave gets
 * it at once. Way contig: the CPUs on which the caller may run, those of the node if there are
 * any, work on it together. Way block: the block was reserved and is offline by now (else EBUSY).
 * Way remove: the block is online; EBUSY: Linux cannot free it; EOPNOTSUPP: Linux maps
 * it in a larger page, and cannot remove a part of that. EINVAL: it is not one block of
 * that node.
 */
#define PISCES_IOC_ADD_MEMORY _IOWR(PISCES_IOC_MAGIC, 0x21, struct pisces_add_memory)

struct pisces_reserve_block {
	uint64_t base;
	uint64_t size; /* Linux's block size */
};

/*
 * Says that this enclave is about to take a memory block (way block): it may go
 * offline, and is brought online again if the enclave ends before it has taken it.
 * Blocks that it has reserved before and that are still online are forgotten by this.
 * EBUSY: an enclave has it already, or it is not back from one; EINVAL: it is not an
 * online memory block, or has Linux's own description of it inside (memmap_on_memory);
 * ENOMEM: Linux needs that memory itself.
 * If Linux has not emptied it by PISCES_OFFLINE_LIMIT_S, taking it offline fails with EINTR
 * as if a signal had come; way remove says EBUSY then.
 */
#define PISCES_OFFLINE_LIMIT_S 20u
#define PISCES_IOC_RESERVE_BLOCK \
	_IOW(PISCES_IOC_MAGIC, 0x25, struct pisces_reserve_block)

struct pisces_remove_cpu {
	uint32_t linux_cpu;
	uint32_t unused;
};

/*
 * Gives a CPU of a running enclave back to Linux. ENOENT: it is not this enclave's;
 * EBUSY: it is its last one, or a task has no other; ETIMEDOUT: the co-kernel does
 * not answer (which ends it).
 */
#define PISCES_IOC_REMOVE_CPU _IOW(PISCES_IOC_MAGIC, 0x26, struct pisces_remove_cpu)

struct pisces_remove_memory {
	uint64_t size; /* bytes, a multiple of PISCES_MEMORY_ALIGN */
	uint32_t node;
	uint32_t unused;
	uint64_t available; /* out, with EBUSY: bytes that could have been given back */
};

/* Gives memory of a running enclave back to Linux: all of it or nothing. */
#define PISCES_IOC_REMOVE_MEMORY _IOWR(PISCES_IOC_MAGIC, 0x27, struct pisces_remove_memory)

struct pisces_snapshot {
	uint32_t count;	    /* in: entries at `registers`; out: CPUs, by index of adding */
	uint32_t unused;
	uint64_t registers; /* address of struct pisces_registers[] */
};

/*
 * Asks all CPUs of the enclave for their registers, by NMI, waits up to a second, and
 * stores what there is. The enclave goes on. Of a dead one: those it died with.
 * EBUSY: it was not booted yet; ESHUTDOWN: it has ended, and had not died.
 */
#define PISCES_IOC_SNAPSHOT _IOWR(PISCES_IOC_MAGIC, 0x28, struct pisces_snapshot)

/* Where the memory of an enclave is that was booted: for reading it by pread(2). */
struct pisces_layout {
	uint32_t capacity; /* in: entries at `ranges` */
	uint32_t count;	   /* out: ranges there are; only the first `capacity` are stored */
	uint64_t ranges;   /* in: address of struct pisces_range_info[] */
	uint64_t image_base; /* physical, of the co-kernel's image, inside a range, */
	uint64_t image_size;
	uint64_t image_virtual; /* and where the co-kernel runs it */
	uint64_t shared_base; /* physical, of the shared area, which is in no range */
	uint64_t shared_size;
};

/* EBUSY: it was not booted yet; ESHUTDOWN: it is gone. */
#define PISCES_IOC_LAYOUT _IOWR(PISCES_IOC_MAGIC, 0x2a, struct pisces_layout)

/* Notes a cpuset of cgroup v1 for later (see above). `id` and `enclave` are 0. */
#define PISCES_IOC_CPUSET_NOTE _IOW(PISCES_IOC_MAGIC, 0x29, struct pisces_cpuset_note)

struct pisces_boot {
	uint64_t image; /* address of the image file's bytes */
	uint64_t image_size;
	char cmdline[PISCES_CMDLINE_LEN];
	uint64_t boot_ns;   /* out: from this call to all CPUs being up, */
	uint64_t launch_ns; /* of these: from the first INIT to all CPUs having arrived */
};

/*
 * Boots the co-kernel on all CPUs; returns when it is ready. ETIMEDOUT or
 * ESHUTDOWN if it did not come up: the console and PISCES_IOC_INFO say why.
 * ENOEXEC: not an image; EFBIG: above 64 MiB; ENOMEM: no range can hold it; ENXIO:
 * no page below 1 MiB to start CPUs with; EINTR: the caller is being killed.
 */
#define PISCES_IOC_BOOT _IOWR(PISCES_IOC_MAGIC, 0x22, struct pisces_boot)

struct pisces_task {
	uint32_t flags;	       /* 0 */
	uint32_t channel_size; /* bytes wanted; 0: the default. out: what it got */
	uint32_t uid;	       /* the program's identity, as it will see it */
	uint32_t gid;
	uint32_t id; /* out: the task's number in the enclave */
	uint32_t unused;
	uint64_t cpus[PISCES_CPU_WORDS]; /* CPUs for the task, by index of adding */
};

/* Makes a task fd, close-on-exec. ENOSPC: there are PISCES_MAX_TASKS. */
#define PISCES_IOC_TASK _IOWR(PISCES_IOC_MAGIC, 0x23, struct pisces_task)

struct pisces_own_info {
	uint32_t enclave; /* out: the number of the enclave of this fd */
	uint32_t task;	  /* out: the task's number, on a task fd; else UINT32_MAX */
	uint32_t channel_size; /* out: bytes of the task's channel, on a task fd; else 0 */
	uint32_t unused;
};

/* On an enclave fd or a task fd: whose is it? */
#define PISCES_IOC_WHO _IOR(PISCES_IOC_MAGIC, 0x24, struct pisces_own_info)

/*
 * On an enclave fd, not on a handle (EPERM): begins the end that its last close would, and does
 * not wait for it; the last close does. From here on the state is ENDING, and what else the fd
 * can do is refused (ESHUTDOWN).
 */
#define PISCES_IOC_END _IO(PISCES_IOC_MAGIC, 0x2b)

/* ---- task fd ---- */

/*
 * Starts the program whose exec block is in the channel, once. The caller is
 * the proxy: its pid is the program's pid. EAGAIN: the control ring is full, try
 * again; EBUSY: it was started before; ENXIO: none of its CPUs is the enclave's any more.
 */
#define PISCES_IOC_START _IO(PISCES_IOC_MAGIC, 0x40)

/* Rings the CPU that waits for replies. */
#define PISCES_IOC_BELL _IO(PISCES_IOC_MAGIC, 0x41)

/*
 * Waits awake, for up to PISCES_LINGER_US, for a message behind the first ARG that ever
 * were in the ring of calls: the proxy sleeps in poll(2) only when this was in vain. It
 * ends at once where waiting would be at the cost of others. 0: a message is there;
 * ETIME: none has come; EBUSY: other threads want this CPU; EINTR: there is a signal, also
 * a blocked one; ESHUTDOWN: nothing will come any more. After all but 0: poll(2).
 */
#define PISCES_IOC_LINGER _IO(PISCES_IOC_MAGIC, 0x43)
#define PISCES_LINGER_US 100u

/*
 * What is known of a signal, as siginfo_t has it. VALUE: what sigqueue(3) sent with it; of
 * SIGCHLD, the status of the child.
 */
struct pisces_signal {
	uint32_t signal; /* 1..64 */
	int32_t code;	 /* si_code */
	int32_t pid;	 /* of who sent it */
	uint32_t uid;
	uint64_t value;
};
PISCES_ASSERT_SIZE(struct pisces_signal, 24);

/*
 * Sends the program a signal; real-time signals (32 and above) are queued there, 1,024 of
 * them, the others merged with one that is pending already. EAGAIN: the control ring is full, try again; EBUSY:
 * it was not started yet; ESRCH: it has ended.
 */
#define PISCES_IOC_SIGNAL _IOW(PISCES_IOC_MAGIC, 0x42, struct pisces_signal)

#endif
