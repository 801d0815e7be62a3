/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory files: memfd_create(2) and the files of /dev/shm. Their contents are an
 * object of the co-kernel, so that tasks of the enclave share them by mapping. The
 * descriptor is an empty memory file of the proxy's, so that its number, and what
 * dup(2), close(2) and the limit of descriptors do, are as with any other; the table
 * of descriptors (fs/file_table.h) says which are ours.
 */
#ifndef CK_FS_MEMORY_FILE_H
#define CK_FS_MEMORY_FILE_H

#include "fs/status.h"
#include "lib/types.h"
#include "task/turn.h"

struct object;
struct pipe;
struct stage_node;

struct memory_file {
	uint32_t references;
	struct turn turn; /* of who reads, writes or resizes */
	struct object *object;
	uint64_t inode;
	uint32_t mode, uid, gid;
	uint32_t links; /* names in /dev/shm */
	nsec_t modified; /* CLOCK_REALTIME */
};

/* What a descriptor and its copies have in common. */
struct open_file {
	uint32_t references;
	struct memory_file *file; /* NULL: a directory or device of a stage, or */
	struct pipe *pipe;	  /* an end of a pipe (fs/pipe.h) */
	uint32_t flags; /* of open(2) */
	uint64_t position; /* under the file's turn */
	struct stage_node *node; /* of a stage (fs/stage_open.h), or NULL */
	void (*release)(struct open_file *open); /* with the last reference; or NULL */
};

/* An empty one of the running process's, with one reference. NULL: out of memory. */
struct memory_file *memory_file_create(uint32_t mode);
void memory_file_get(struct memory_file *file);
void memory_file_put(struct memory_file *file);

/* May the running process open it so? FLAGS of open(2). */
bool memory_file_allows(const struct memory_file *file, uint32_t flags);

/* May it read and execute it? */
bool memory_file_allows_execution(const struct memory_file *file);

/* Takes over a reference to FILE, which may be NULL; given back on failure. NULL: out of memory. */
struct open_file *open_file_create(struct memory_file *file, uint32_t flags);
void open_file_get(struct open_file *open);
void open_file_put(struct open_file *open);

/*
 * As pread(2) and pwrite(2) with an OFFSET that is not negative, or read(2) and write(2)
 * with FILE_POSITION, to and from the running program's memory.
 */
#define FILE_POSITION UINT64_MAX
int64_t open_file_read(struct open_file *open, user_addr_t to, uint64_t size, uint64_t offset);
int64_t open_file_write(struct open_file *open, user_addr_t from, uint64_t size,
			uint64_t offset);

struct vector;

/*
 * Several PARTS (syscall/vector.h) in one turn, so that nobody gets between them; from OFFSET
 * on, or by the position. Bytes up to the first that could not be moved, or -errno if none.
 */
int64_t open_file_read_parts(struct open_file *open, const struct vector *parts, uint64_t count,
			     uint64_t offset);
int64_t open_file_write_parts(struct open_file *open, const struct vector *parts,
			      uint64_t count, uint64_t offset);

/* Of FILE for the loader, wherever it is read to: the co-kernel's memory, or the program's. */
int64_t memory_file_read(struct memory_file *file, void *to, uint64_t size, uint64_t offset);
int64_t memory_file_read_user(struct memory_file *file, user_addr_t to, uint64_t size,
			      uint64_t offset);

/* The other way, without a change of the time. 0, or -ENOMEM. */
int memory_file_write(struct memory_file *file, const void *from, uint64_t size, uint64_t offset);

/* lseek(2), ftruncate(2), fallocate(2). */
int64_t open_file_seek(struct open_file *open, int64_t offset, unsigned int whence);
int64_t open_file_resize(struct open_file *open, int64_t size);
int64_t open_file_allocate(struct open_file *open, uint32_t mode, int64_t offset, int64_t size);

/* mmap(2). FLAGS of aspace_map(). */
int64_t open_file_map(struct open_file *open, user_addr_t address, uint64_t size,
		      uint64_t offset, unsigned int prot, unsigned int flags);

void memory_file_status(const struct memory_file *file, struct user_stat *status);

#endif
