/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files about the program and its machine that must not be Linux's: there they
 * would describe the proxy, and CPUs and memory that are not the enclave's. What
 * there is: tree.h.
 *
 * Such a file is a snapshot, made when it is opened, in a memory file of the proxy:
 * so its descriptor is like any other. A directory is one too, with its entries as
 * getdents64(2) gives them; which descriptors are such directories is known here.
 */
#ifndef CK_FS_OWN_H
#define CK_FS_OWN_H

#include "fs/tree.h"
#include "lib/types.h"

/*
 * The absolute path of NAME, seen from directory DIR, if it can be one of ours; PATH has
 * OWN_PATH_MOST bytes. An empty name is that of DIR itself if EMPTY, and else none.
 */
bool own_path(int dir, const char *name, bool empty, char *path);

/* Opens PATH if it is one of ours: then true, and *RESULT is a descriptor or -errno. */
bool own_open(const char *path, uint32_t flags, int64_t *result);

/* Where the symbolic link PATH leads if it is one of ours, or NULL. */
const char *own_link(const char *path);

/* What NODE, FILE or DIRECTORY, is for stat(2) and statx(2), 144 and 256 bytes. */
void own_stat(const struct tree_node *node, void *stat);
void own_statx(const struct tree_node *node, void *statx);

/*
 * What /proc/cpuinfo is made of, with NUL, for heap_free(): Linux's, which cannot be asked
 * for it while a program with staged I/O runs. NULL: out of memory.
 */
char *own_cpuinfo_template(void);

/* ---- own_dir.c: descriptors that are directories of ours ---- */

/* A descriptor for the directory NODE, or -errno. */
int64_t own_dir_open(const struct tree_node *node, uint32_t flags);

/* Is FD one? Then its path, unless PATH is NULL. */
bool own_dir_path(int fd, char *path);

/* getdents64(2). */
int64_t own_dir_read(int fd, user_addr_t to, uint64_t size);

/* Descriptors FIRST to LAST are about to be closed; TO is now the same as FROM. */
void own_dir_forget(uint32_t first, uint32_t last);
void own_dir_copy(int from, int to);

/* A memory file of the proxy with TEXT in it; FLAGS of open(2). A descriptor or -errno. */
struct text;
int64_t own_make_file(const char *name, const struct text *text, uint32_t flags);

#endif
