/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stage: the file system of programs that run with staged I/O, in the enclave's
 * memory. One tree of directories, regular files (fs/memory_file.h), symbolic links and
 * devices for all tasks of one user; it begins with what was copied in (stage_in.h),
 * and what has changed in it is copied out (stage_out.h). Another user has a tree of
 * his own: what is in it is what his proxies said, and they may lie.
 *
 * A node is held by references: one of each entry, open file and working directory. All
 * of the tree is changed and looked at in the stage's turn (stage_enter()), within which
 * nobody waits for Linux or touches a program's memory. Functions here are called in
 * that turn unless they say otherwise.
 */
#ifndef CK_FS_STAGE_H
#define CK_FS_STAGE_H

#include "fs/status.h"
#include "lib/list.h"
#include "lib/types.h"
#include "task/turn.h"

struct memory_file;
struct stage_log;

/* As Linux: characters of a path with NUL, of a name without; links in one path. */
#define STAGE_PATH_MOST 4096u
#define STAGE_NAME_MOST 255u
#define STAGE_LINKS_MOST 40u

/* Entries of one directory: beyond it, ENOSPC. */
#define STAGE_ENTRIES_MOST 131072u

/* st_dev of everything in a stage, a device that Linux has no file system on. */
#define STAGE_DEVICE_NUMBER 0xff02u

/* Of a node's mode. */
#define MODE_DIRECTORY 0040000u
#define MODE_CHARACTER 0020000u
#define MODE_PIPE 0010000u
#define MODE_LINK 0120000u
#define MODE_BITS 07777u

enum stage_device {
	STAGE_NO_DEVICE,
	STAGE_NULL,
	STAGE_ZERO,
	STAGE_FULL,
	STAGE_RANDOM,
	STAGE_OUTPUT, /* a standard stream: kept in a log */
	STAGE_PIPE,   /* what is read and written is in fs/pipe.h */
};

/* By what a file of Linux is known to be the same as before. All 0: it is not of Linux. */
struct stage_origin {
	uint64_t device, inode, size;
	uint64_t modified, modified_nsec;
};

struct stage_node {
	uint32_t references;
	uint32_t mode; /* with type */
	uint32_t uid, gid;
	uint32_t links; /* entries */
	uint64_t inode;
	nsec_t accessed, changed; /* CLOCK_REALTIME */
	nsec_t modified; /* of a regular file: that of FILE */
	struct stage_origin origin;
	bool dirty;   /* to be copied out: it is not on Linux as it is here */
	tid_t claimed; /* pid of the process that is copying it out; 0: none */
	bool filled;  /* FILE: its contents have been copied in */
	uint64_t round; /* of copying in, that it is to be filled in */

	/* Regular file. */
	struct memory_file *file; /* with a reference */
	uint32_t writers;	  /* open files that can write, atomic */

	/* Symbolic link. */
	char *target;

	/* Device. */
	enum stage_device device;
	struct stage_log *log; /* OUTPUT: of the process that has it open */
	uint32_t stream;

	/* Directory. */
	struct stage_node *parent; /* with a reference; NULL: the root */
	struct stage_entry *entry; /* by which it is known; NULL: the root, or removed */
	struct list entries;	   /* in the order in which they came */
	uint32_t count;
	uint64_t last_cookie;
	bool on_linux; /* it came from there */
	bool partial;  /* Linux has more in it than is here */
	bool private;  /* what is made in it stays here */

	/* Of the enclave's own /proc and /sys (stage_own.c): its path, on the heap. */
	char *own;
};

struct stage_entry {
	struct list link; /* in its directory */
	struct list hash_link;
	struct stage_node *directory;
	struct stage_node *node; /* with a reference */
	uint64_t cookie; /* rises within a directory: where getdents64(2) goes on */
	uint32_t hash;
	bool on_linux; /* there, this name is this node */
	char name[];
};

/* What is to be removed on Linux, since it was removed here. */
struct stage_gone {
	struct list link; /* in the stage's list, in the order of the removals */
	struct list hash_link;
	uint32_t hash;
	bool is_directory;
	char path[];
};

#define STAGE_BUCKETS 1024u

struct stage {
	struct list link; /* in the list of all */
	uint32_t references;
	bool kept;
	uint32_t uid;
	struct turn turn;
	struct turn copying; /* of who copies in: one at a time, longer than a turn */
	struct stage_node *root;
	uint64_t last_inode;
	uint64_t last_round; /* under COPYING */
	struct list gone; /* struct stage_gone; directories from Linux never move, so paths hold */
	struct list gone_buckets[STAGE_BUCKETS]; /* the same, by path */
	struct list buckets[STAGE_BUCKETS]; /* all entries, by directory and name */
};

/* Who looks at a stage, and from where: one of each process. */
struct stage_view {
	struct stage *stage;
	struct stage_node *directory; /* working directory, with a reference */
	uint32_t uid, gid;
	uint32_t mask; /* umask(2) */
	uint32_t group_count;
	uint32_t *groups;
};

/* ---- stage.c: the stages of the enclave. Not in a turn. ---- */

/* That of user UID with a reference, made if there is none. NULL: out of memory. */
struct stage *stage_get(uint32_t uid);
/*
 * It stays until the enclave ends, whoever puts it: a task may begin when all others have
 * ended, and goes on with what they have left.
 */
void stage_keep(struct stage *stage);
/* The last one frees all: no file of it is open any more. */
void stage_put(struct stage *stage);

void stage_enter(struct stage *stage);
void stage_leave(struct stage *stage);

/* ---- stage_node.c ---- */

/* A node without a name, with one reference. NULL: out of memory. MODE with type. */
struct stage_node *stage_node_create(struct stage *stage, uint32_t mode, uint32_t uid,
				     uint32_t gid);
void stage_node_get(struct stage_node *node);
/* Also without the turn: the last one has nothing to do with the tree any more. */
void stage_node_put(struct stage_node *node);

/* The target of link NODE; the path of directory NODE in /proc or /sys. False: out of memory. */
bool stage_link_set(struct stage_node *node, const char *target);
bool stage_own_set(struct stage_node *node, const char *path);

static inline bool stage_is_directory(const struct stage_node *node)
{
	return (node->mode & MODE_TYPE) == MODE_DIRECTORY;
}

static inline bool stage_is_link(const struct stage_node *node)
{
	return (node->mode & MODE_TYPE) == MODE_LINK;
}

/* Also a standard stream. */
static inline bool stage_is_pipe(const struct stage_node *node)
{
	return (node->mode & MODE_TYPE) == MODE_PIPE;
}

void stage_node_status(const struct stage_node *node, struct user_stat *status);

/* May VIEW's owner do with NODE what WANTED says: 4 read, 2 write, 1 execute or pass? */
bool stage_allows(const struct stage_view *view, const struct stage_node *node,
		  uint32_t wanted);

bool stage_has_group(const struct stage_view *view, uint32_t gid);

/* ---- stage_tree.c: entries ---- */

struct stage_entry *stage_find(struct stage *stage, const struct stage_node *directory,
			       const char *name);

/*
 * NAME in DIRECTORY is NODE from now on, of which it takes a reference of its own. 0,
 * -ENOMEM, -ENOSPC. There is no such name yet.
 */
int stage_add(struct stage *stage, struct stage_node *directory, const char *name,
	      struct stage_node *node, bool on_linux);

/*
 * Takes ENTRY away. If Linux has the name, that it is gone is noted in *NOTE, which
 * stage_note() has made before: then nothing can fail any more.
 */
void stage_remove(struct stage *stage, struct stage_entry *entry, struct stage_gone *note);

/* The path of DIRECTORY; its length. -ENOENT: it was removed; -ENAMETOOLONG: SIZE is too small. */
int64_t stage_path(const struct stage_node *directory, char *path, uint64_t size);

/* Takes all entries of the tree apart. */
void stage_clear(struct stage *stage);

/* FNV-1a over TEXT, begun with HASH. */
static inline uint32_t stage_hash(uint32_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 0x01000193u;
	return hash;
}

/* ---- stage_gone.c: what was removed ---- */

/* What stage_remove() of ENTRY needs, NULL if nothing; for heap_free(). 0 or -errno. */
int stage_note(const struct stage_entry *entry, struct stage_gone **note);
void stage_gone_add(struct stage *stage, struct stage_gone *note);
/* Out of the stage: the caller has it, for heap_free(). */
void stage_gone_take(struct stage_gone *note);

/* The first note of PATH as a directory or as something else; NULL: there is none. */
struct stage_gone *stage_gone_find(struct stage *stage, const char *path, bool is_directory);
/* Was PATH removed here and not on Linux yet? */
bool stage_is_gone(struct stage *stage, const char *path);

/* ---- stage_reconcile.c ---- */

/*
 * Linux has NEW, a node without a name, under PATH, which is NAME in DIRECTORY. *NODE is
 * what is there from now on, with a reference: NEW, unless it is here already or was changed
 * here; NULL: it was removed here. 0, -ENOMEM, -ENOSPC.
 */
int stage_reconcile(struct stage *stage, struct stage_node *directory, const char *name,
		    const char *path, struct stage_node *new, struct stage_node **node);

/* ---- stage_walk.c ---- */

struct stage_place {
	struct stage_node *directory; /* that has the last name, with a reference */
	struct stage_node *node; /* what is there, with a reference; NULL: nothing */
	bool slash;		 /* the path ended in one: only a directory will do */
	unsigned int dots;	 /* 1 or 2: PATH ends in . or .. */
	char name[STAGE_NAME_MOST + 1]; /* the last name; "": PATH ends in . or .. or is / */
};

#define STAGE_FOLLOW 1u /* also a symbolic link that is the last name */

/*
 * Where PATH leads, seen from directory FROM. That there is nothing under the last name
 * is no error. 0, -ENOENT, -ENOTDIR, -EACCES, -ELOOP, -ENAMETOOLONG, -ENOMEM.
 */
int stage_walk(const struct stage_view *view, struct stage_node *from, const char *path,
	       unsigned int flags, struct stage_place *place);
void stage_place_put(struct stage_place *place);

/* ---- stage_own.c: /proc and /sys. As stage_find(), but a node with a reference or NULL. ---- */

struct stage_node *stage_own_find(const struct stage_view *view,
				  const struct stage_node *directory, const char *name);
/* Is it the one whose names are the open files, /proc/self/fd? */
bool stage_own_has_descriptors(const struct stage_node *directory);
/* FN for each name in the own directory DIRECTORY. */
void stage_own_list(const struct stage_node *directory,
		    void (*fn)(const char *name, bool is_directory, void *argument),
		    void *argument);
/* Its contents as they are now: a file with a reference; NULL: out of memory. Not in a turn. */
struct memory_file *stage_own_read(const struct stage_node *node);

#endif
