/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The channel of a task: the memory that a proxy and the co-kernel share. It
 * belongs to Linux; the proxy maps it whole at offset 0 of its task fd.
 *
 *   page 0           struct pisces_channel
 *   calls            ring, enclave to proxy
 *   replies          ring, proxy to enclave
 *   data             bulk data of calls
 *
 * Layout and sizes follow from the channel's size by pisces_channel_layout(),
 * which each side computes for itself; nobody reads an offset from shared
 * memory. The data area is handed out by the co-kernel: what a call refers to is
 * the proxy's to read or fill from CALL until it has sent REPLY.
 *
 * Before TASK_START the proxy puts the exec block at the start of the data area.
 */
#ifndef PISCES_CHANNEL_H
#define PISCES_CHANNEL_H

#include <pisces/ring.h>
#include <pisces/types.h>

#define PISCES_CHANNEL_MIN_SIZE 0x10000ull  /* 64 KiB */
#define PISCES_CHANNEL_MAX_SIZE 0x400000ull /* 4 MiB: one page block of Linux's allocator */
#define PISCES_CHANNEL_SLOTS 64u

/*
 * Calls of one task that may be on their way at a time. Below the slots of the
 * rings, so that neither side ever finds a ring full that is not broken.
 */
#define PISCES_CHANNEL_CALLS 48u

/* A NULL pointer among the arguments of a call, since offset 0 is a valid one. */
#define PISCES_CHANNEL_NULL UINT64_MAX

struct pisces_channel_layout {
	uint64_t calls;
	uint64_t replies;
	uint64_t data;
	uint64_t data_size;
};

/* SIZE: bytes of the channel, PISCES_CHANNEL_MIN_SIZE to _MAX_SIZE, whole pages. */
static inline struct pisces_channel_layout pisces_channel_layout(uint64_t size)
{
	struct pisces_channel_layout at;

	at.calls = 0x1000;
	at.replies = 0x3000;
	at.data = 0x5000;
	at.data_size = size - at.data;
	return at;
}

_Static_assert(sizeof(struct pisces_ring) + PISCES_CHANNEL_SLOTS * sizeof(struct pisces_message) <=
		       0x2000,
	       "a ring of a channel has two pages");

/*
 * What sendmsg and recvmsg have for a struct msghdr: their second argument is the
 * offset of this, and their third the bytes from there to the end of the data. Of
 * name and control, a size of 0 means that there is none. The proxy reads the sizes
 * once, and after recvmsg writes those that there were, and the flags.
 */
#define PISCES_SOCKET_NAME_MOST 128u
#define PISCES_SOCKET_CONTROL_MOST 0xf00u

struct pisces_socket_message {
	uint32_t name_size;
	uint32_t control_size;
	uint32_t flags; /* of recvmsg's answer */
	uint32_t unused;
	uint8_t name[PISCES_SOCKET_NAME_MOST];
	uint8_t control[PISCES_SOCKET_CONTROL_MOST]; /* 8-byte aligned, as cmsghdrs are */
	uint8_t data[];
};
PISCES_ASSERT_SIZE(struct pisces_socket_message, 0xf90);

/* How a program's calls on files are served. */
enum pisces_io {
	PISCES_IO_FORWARD = 0, /* by the proxy, on Linux, as they come */
	PISCES_IO_STAGED = 1,  /* inside: files are copied in before and out after the program */
};

/*
 * What to run. Behind it, at strings, the NUL-terminated strings one after the
 * other: argc arguments, envc environment entries, then the path of the program
 * as it is to appear in AT_EXECFN. The program itself is read by pread64 calls
 * on descriptor program_fd of the proxy.
 *
 * With staged I/O there follow `named` paths that the user has named, which must be there
 * and are copied in with all that is below them, and `needed` absolute paths of files that
 * the program needs to begin (its interpreters and libraries), which are copied if they
 * are there. In forward I/O there are none of either.
 */
struct pisces_exec {
	uint32_t size; /* of this structure and all strings */
	uint32_t argc; /* at least 1 */
	uint32_t envc;
	int32_t program_fd;
	uint64_t stack_limit; /* RLIMIT_STACK of the user in bytes */
	uint16_t umask;
	uint16_t io; /* enum pisces_io */
	uint16_t named;
	uint16_t needed;
	uint32_t descriptor_limit; /* RLIMIT_NOFILE of the user, soft */
	uint32_t descriptor_most;  /* and hard */
	uint64_t ignored; /* signals that begin ignored, bit n-1: signal n */
	uint64_t blocked; /* and blocked, in the first thread */
	char strings[];
};
PISCES_ASSERT_SIZE(struct pisces_exec, 56);

#endif
