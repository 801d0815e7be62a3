/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The queues of pending signals; all under process->lock. */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "task/signal.h"

/* Real-time signals that may wait in one queue. */
#define QUEUE_MOST 1024u

/* Those that an instruction causes: it would cause them again if others came first. */
#define FAULTS                                                                          \
	(SIGNAL_BIT(SIGNAL_SEGV) | SIGNAL_BIT(SIGNAL_BUS) | SIGNAL_BIT(SIGNAL_ILL) |     \
	 SIGNAL_BIT(SIGNAL_TRAP) | SIGNAL_BIT(SIGNAL_FPE) | SIGNAL_BIT(SIGNAL_SYS))

void signal_queue_init(struct signal_queue *queue)
{
	queue->set = 0;
	queue->count = 0;
	queue->spare_used = false;
	list_init(&queue->entries);
}

static struct signal_entry *new_entry(struct signal_queue *queue)
{
	struct signal_entry *entry = heap_alloc(sizeof(*entry));

	if (!entry && !queue->spare_used) {
		queue->spare_used = true;
		entry = &queue->spare;
	}
	return entry;
}

static void free_entry(struct signal_queue *queue, struct signal_entry *entry)
{
	list_remove(&entry->link);
	queue->count--;
	if (entry == &queue->spare)
		queue->spare_used = false;
	else
		heap_free(entry);
}

void signal_queue_drop(struct signal_queue *queue, signal_set_t set)
{
	struct list *pos, *next;
	struct signal_entry *entry;

	queue->set &= ~set;
	LIST_FOR_EACH_SAFE(pos, next, &queue->entries) {
		entry = LIST_ENTRY(pos, struct signal_entry, link);
		if (set & SIGNAL_BIT(entry->info.signo))
			free_entry(queue, entry);
	}
}

void signal_queue_clear(struct signal_queue *queue)
{
	signal_queue_drop(queue, ~0ull);
}

int signal_queue_add(struct signal_queue *queue, const struct signal_info *info)
{
	bool merged = info->signo < SIGNAL_REALTIME;
	struct signal_entry *entry;

	if (merged && (queue->set & SIGNAL_BIT(info->signo)))
		return 0;
	entry = queue->count < QUEUE_MOST || merged ? new_entry(queue) : NULL;
	if (entry) {
		entry->info = *info;
		list_append(&queue->entries, &entry->link);
		queue->count++;
	} else if (!merged && info->code != SIGNAL_CODE_USER) {
		return -EAGAIN;
	}
	/* Without an entry it comes all the same, but nothing is known of it: as kill(2) has it. */
	queue->set |= SIGNAL_BIT(info->signo);
	return 1;
}

static struct signal_entry *find_entry(struct signal_queue *queue, int signal)
{
	struct list *pos;
	struct signal_entry *entry;

	LIST_FOR_EACH(pos, &queue->entries) {
		entry = LIST_ENTRY(pos, struct signal_entry, link);
		if (entry->info.signo == signal)
			return entry;
	}
	return NULL;
}

int signal_queue_take(struct signal_queue *queue, signal_set_t set, struct signal_info *info)
{
	signal_set_t ready = queue->set & set;
	struct signal_entry *entry;
	int signal;

	if (!ready)
		return 0;
	signal = __builtin_ctzll(ready & FAULTS ? ready & FAULTS : ready) + 1;
	entry = find_entry(queue, signal);
	if (entry) {
		*info = entry->info;
		free_entry(queue, entry);
	} else {
		memset(info, 0, sizeof(*info));
		info->signo = signal;
	}
	if (!find_entry(queue, signal))
		queue->set &= ~SIGNAL_BIT(signal);
	return signal;
}
