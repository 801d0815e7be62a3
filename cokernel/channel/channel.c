/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A channel's life, and what of it is not a call. */
#include "channel/channel.h"

#include "arch/cpu.h"
#include "arch/paging.h"
#include "channel/calls.h"
#include "channel/internal.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/direct.h"
#include "mm/heap.h"
#include "task/process.h"
#include "task/thread.h"

struct channel *channel_open(struct process *process, phys_addr_t base, uint64_t size)
{
	struct channel *channel;

	if (size < PISCES_CHANNEL_MIN_SIZE || size > PISCES_CHANNEL_MAX_SIZE ||
	    size % PAGE_SIZE != 0 || base % PAGE_SIZE != 0 || base == 0)
		return NULL;
	channel = heap_alloc_zero(sizeof(*channel));
	if (!channel)
		return NULL;
	if (!paging_map_direct(base, size, true)) {
		heap_free(channel);
		return NULL;
	}
	channel->references = 1;
	channel->process = process;
	channel->task = process->task;
	channel->base = base;
	channel->size = size;
	channel->memory = phys_to_virt(base);
	channel->layout = pisces_channel_layout(size);
	channel->next_tag = 1;
	channel->bell_cpu = this_cpu()->index;
	wait_queue_init(&channel->replies);
	channel_space_init(channel);
	if (!pisces_ring_attach(&channel->calls, (void *)(channel->memory + channel->layout.calls),
				PISCES_CHANNEL_SLOTS) ||
	    !pisces_ring_attach(&channel->answers,
				(void *)(channel->memory + channel->layout.replies),
				PISCES_CHANNEL_SLOTS)) {
		paging_unmap_direct(base, size);
		heap_free(channel);
		return NULL;
	}
	channel_list_add(channel);
	return channel;
}

void channel_put(struct channel *channel)
{
	if (__atomic_fetch_sub(&channel->references, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	paging_unmap_direct(channel->base, channel->size);
	heap_free(channel);
}

void channel_close(struct channel *channel)
{
	/* Another CPU may be looking at the rings; who is last lets go of the memory. */
	channel_list_remove(channel);
	while (__atomic_load_n(&channel->references, __ATOMIC_ACQUIRE) != 1)
		cpu_relax();
	channel_put(channel);
}

/* COUNT strings that lie from AT on within SIZE bytes. Returns the end, 0 if they do not. */
static uint64_t skip_strings(const char *text, uint64_t at, uint64_t size, uint64_t count)
{
	while (count-- > 0) {
		uint64_t length = strnlen(text + at, size - at);

		if (at + length >= size)
			return 0;
		at += length + 1;
	}
	return at;
}

struct pisces_exec *channel_exec_block(struct channel *channel, const char **why)
{
	const struct pisces_exec *shared = (const void *)(channel->memory + channel->layout.data);
	uint32_t size = __atomic_load_n(&shared->size, __ATOMIC_RELAXED);
	struct pisces_exec *exec;
	uint64_t end;

	*why = "the proxy's description of the program is malformed";
	if (size <= sizeof(*exec) || size > channel->layout.data_size)
		return NULL;
	exec = heap_alloc(size);
	if (!exec) {
		*why = "its arguments and environment are too long: at most 1 MiB";
		return NULL;
	}
	/* What is checked is the copy, which the proxy cannot change any more. */
	memcpy(exec, shared, size);
	end = sizeof(*exec);
	if (exec->size == size && exec->argc >= 1)
		end = skip_strings((const char *)exec, end, size,
				   (uint64_t)exec->argc + exec->envc + 1 + exec->named +
					   exec->needed);
	else
		end = 0;
	if (end == 0) {
		heap_free(exec);
		return NULL;
	}
	return exec;
}

void channel_break(struct channel *channel, const char *why)
{
	bool first;

	lock_take(&channel->replies.lock);
	first = !channel->broken && !channel->abandoned;
	channel->broken = true;
	wake_all(&channel->replies);
	lock_drop(&channel->replies.lock);
	lock_take(&channel->space.lock);
	wake_all(&channel->space);
	lock_drop(&channel->space.lock);
	if (!first)
		return;
	print("task %u: %s; its program ends", channel->task, why);
	process_end(channel->process, WAIT_SIGNALED(SIGNAL_KILL));
}

void channel_set_phase(struct channel *channel, enum channel_phase phase)
{
	__atomic_store_n(&channel->phase, phase, __ATOMIC_RELEASE);
}

void channel_abandon(struct channel *channel)
{
	lock_take(&channel->replies.lock);
	channel->abandoned = true;
	wake_all(&channel->replies);
	lock_drop(&channel->replies.lock);
	lock_take(&channel->space.lock);
	wake_all(&channel->space);
	lock_drop(&channel->space.lock);
}

void channel_report(struct channel *channel, const char *line)
{
	struct channel_buffer buffer;
	uint64_t args[6] = { 0 };

	if (channel_buffer_take_report(channel, &buffer) < 0)
		return;
	args[0] = buffer.offset;
	args[1] = min_u64(strlen(line), buffer.size);
	memcpy(buffer.memory, line, args[1]);
	buffer.done = channel_call_mode(channel, PISCES_CALL_REPORT, args, WAIT_CERTAIN) != -EIO;
	channel_buffer_give(channel, &buffer);
}
