/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What there is of /proc and /sys that is the enclave's own: one table of paths, in
 * which % stands for a number. Files are written when they are opened; directories
 * follow from the table. Below /sys/devices/system/cpu and .../node nothing of Linux
 * is seen; of /proc only the files of the table are ours.
 */
#ifndef CK_FS_TREE_H
#define CK_FS_TREE_H

#include "lib/types.h"

struct text;

/* Longest path of ours, with NUL. */
#define OWN_PATH_MOST 128u

#define TREE_NUMBERS 2u

/* What a % counts. */
enum tree_number {
	TREE_CPU = 1, /* Linux's number of a CPU of the enclave */
	TREE_NODE,    /* Linux's number of a NUMA node with CPUs or memory in it */
	TREE_CACHE,   /* a cache of a CPU */
	TREE_THREAD,  /* tid of a thread of the program */
};

struct tree_entry {
	const char *path;
	/* NULL: there is no such file here, whatever Linux has. NUMBER: those of the path. */
	void (*write)(struct text *text, const uint32_t number[TREE_NUMBERS]);
	uint8_t kind[TREE_NUMBERS]; /* enum tree_number, in the order of the path */
};

extern const struct tree_entry tree_table[];
extern const unsigned int tree_entries;

enum tree_found {
	TREE_OTHER,  /* not ours: Linux has it, or has it not */
	TREE_ABSENT, /* ours, and not there */
	TREE_FILE,
	TREE_DIRECTORY,
};

struct tree_node {
	enum tree_found found;
	const struct tree_entry *entry; /* FILE */
	uint32_t number[TREE_NUMBERS];
	char path[OWN_PATH_MOST]; /* as in the table, numbers filled in, no / at its end */
};

/* PATH, absolute, with no NUL in the first OWN_PATH_MOST bytes: OTHER. */
void tree_find(const char *path, struct tree_node *node);

/*
 * The same where nothing of Linux is seen (fs/stage.h): what leads to our files is ours,
 * and what is not there is ABSENT, with its PATH as the table would have it.
 */
void tree_find_alone(const char *path, struct tree_node *node);

/*
 * FN for each name in DIRECTORY, numbers in rising order; DIRECTORY tells whether it
 * is one. Names can come more than once.
 */
void tree_for_each(const struct tree_node *directory,
		   void (*fn)(const char *name, bool is_directory, void *argument),
		   void *argument);

/* Is there a NUMBER of this KIND? tree_number.c. */
bool tree_number_exists(uint8_t kind, uint32_t number);

/* The first that is FROM or more; UINT32_MAX: there is none. */
uint32_t tree_number_next(uint8_t kind, uint32_t from);

#endif
