/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A circular doubly linked list, its links inside the members. */
#ifndef CK_LIB_LIST_H
#define CK_LIB_LIST_H

#include "lib/types.h"

struct list {
	struct list *next;
	struct list *prev;
};

#define LIST_INIT(name) { &(name), &(name) }

static inline void list_init(struct list *list)
{
	list->next = list;
	list->prev = list;
}

static inline bool list_empty(const struct list *list)
{
	return list->next == list;
}

static inline void list_insert_between(struct list *item, struct list *prev, struct list *next)
{
	item->prev = prev;
	item->next = next;
	prev->next = item;
	next->prev = item;
}

static inline void list_append(struct list *list, struct list *item)
{
	list_insert_between(item, list->prev, list);
}

static inline void list_prepend(struct list *list, struct list *item)
{
	list_insert_between(item, list, list->next);
}

/* Takes ITEM out; it is then an empty list itself, so removing it twice is harmless. */
static inline void list_remove(struct list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}

#define LIST_ENTRY(ptr, type, member) CONTAINER_OF(ptr, type, member)

#define LIST_FOR_EACH(pos, list) for (pos = (list)->next; pos != (list); pos = pos->next)

/* The same, when the body may remove POS. */
#define LIST_FOR_EACH_SAFE(pos, next_pos, list)                                      \
	for (pos = (list)->next, next_pos = pos->next; pos != (list);                \
	     pos = next_pos, next_pos = pos->next)

#endif
