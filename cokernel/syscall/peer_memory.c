/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * process_vm_readv(2) and process_vm_writev(2): MPI libraries move large messages so from the
 * memory of one rank into that of another.
 *
 * By way of a buffer of our own: while one program's memory is looked at, a fault in the
 * other's would have to wait for locks of both.
 */
#include "lib/string.h"
#include "mm/aspace.h"
#include "mm/heap.h"
#include "mm/local.h"
#include "syscall/handlers.h"
#include "syscall/vector.h"
#include "task/process.h"
#include "task/thread.h"

#define PIECE 0x8000u /* bytes that are moved at once */

struct transfer {
	struct aspace *peer;
	bool writing; /* to the peer */
	uint8_t *buffer;
};

/* What is left of a vector. */
struct place {
	const struct vector *at, *end;
	uint64_t skip; /* bytes of AT that are done */
};

/* Bytes that lie together there; 0: that was all. */
static uint64_t left_at(struct place *place)
{
	while (place->at < place->end && place->skip == place->at->size) {
		place->at++;
		place->skip = 0;
	}
	return place->at < place->end ? place->at->size - place->skip : 0;
}

static user_addr_t address_of(const struct place *place)
{
	return place->at->base + place->skip;
}

static int move_piece(const struct transfer *transfer, user_addr_t here, user_addr_t there,
		      uint64_t size)
{
	int error;

	if (transfer->writing) {
		error = copy_from_user(transfer->buffer, here, size);
		if (!error)
			error = aspace_write_peer(transfer->peer, there, transfer->buffer, size);
	} else {
		error = aspace_read_peer(transfer->peer, transfer->buffer, there, size);
		if (!error)
			error = copy_to_user(here, transfer->buffer, size);
	}
	return error == -EACCES ? -EFAULT : error;
}

static uint64_t left_of_page(user_addr_t address)
{
	return PAGE_SIZE - address % PAGE_SIZE;
}

/* Bytes, up to the page where it cannot go on, or -errno. */
static int64_t move(const struct transfer *transfer, struct place *here, struct place *there)
{
	uint64_t done = 0, size;
	int error = 0;

	while ((size = min_u64(min_u64(left_at(here), left_at(there)), PIECE)) != 0 &&
	       !thread_current()->dying) {
		user_addr_t from = address_of(here), to = address_of(there);

		mm_turn(0);
		error = move_piece(transfer, from, to, size);
		if (error) {
			/* As much as there is of it */
			size = min_u64(size, min_u64(left_of_page(from), left_of_page(to)));
			error = move_piece(transfer, from, to, size);
		}
		if (error)
			break;
		here->skip += size;
		there->skip += size;
		done += size;
	}
	return done > 0 ? (int64_t)done : error;
}

/* The process of thread TID with a reference, if the running one may reach into it. 0 or -errno. */
static int find_peer(tid_t tid, struct process **peer)
{
	struct thread *thread = thread_find(tid);
	int error = 0;

	if (!thread)
		return -ESRCH;
	if (!thread->process || !thread->process->aspace)
		error = -ESRCH;
	else if (!process_may_reach(thread->process))
		error = -EPERM;
	else
		process_get(*peer = thread->process);
	thread_put(thread);
	return error;
}

static int64_t transfer(const struct syscall_args *args, const struct vector *here,
			const struct vector *there, bool writing)
{
	struct transfer transfer = { .writing = writing, .buffer = heap_alloc(PIECE) };
	struct place mine = { here, here + args->a[2], 0 };
	struct place its = { there, there + args->a[4], 0 };
	struct process *peer;
	int64_t result = transfer.buffer ? find_peer((tid_t)args->a[0], &peer) : -ENOMEM;

	if (!result) {
		transfer.peer = peer->aspace;
		result = move(&transfer, &mine, &its);
		process_put(peer);
	}
	heap_free(transfer.buffer);
	return result;
}

static int64_t call(const struct syscall_args *args, bool writing)
{
	struct vector *here, *there;
	uint64_t mine, its;
	int64_t result;

	if (args->a[5] != 0)
		return -EINVAL;
	result = vector_load(args->a[1], args->a[2], &here, &mine);
	if (result)
		return result;
	/* As Linux has it: who wants nothing is not asked of whom. */
	if (mine != 0) {
		result = vector_load(args->a[3], args->a[4], &there, &its);
		if (!result) {
			if (its != 0)
				result = transfer(args, here, there, writing);
			heap_free(there);
		}
	}
	heap_free(here);
	return result;
}

int64_t syscall_process_vm_readv(const struct syscall_args *args)
{
	return call(args, false);
}

int64_t syscall_process_vm_writev(const struct syscall_args *args)
{
	return call(args, true);
}
