/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System V shared memory inside the enclave: segments are objects that tasks find by
 * a key or a number. As on Linux one lasts until it is removed and nobody has it
 * attached; here also no longer than the enclave.
 */
#ifndef CK_FS_SEGMENT_H
#define CK_FS_SEGMENT_H

#include "lib/types.h"

struct object;

/* struct shmid64_ds of the ABI. */
struct segment_status {
	int32_t key;
	uint32_t uid, gid, creator_uid, creator_gid;
	uint32_t mode;
	uint16_t sequence;
	uint16_t pad;
	uint64_t unused[2];
	uint64_t size;
	int64_t attached, detached, changed; /* seconds */
	int32_t creator_pid, last_pid;
	uint64_t attaches;
	uint64_t unused2[2];
};
_Static_assert(sizeof(struct segment_status) == 112, "struct shmid64_ds of the ABI");

/* shmget(2): the number of a segment, or -errno. FLAGS: IPC_CREAT, IPC_EXCL, mode. */
int64_t segment_get(int32_t key, uint64_t size, uint32_t flags);

/*
 * The object of segment ID with a reference, if the running process may use it so;
 * notes that it attaches it. 0 or -errno.
 */
int segment_attach(int32_t id, bool write, struct object **object, uint64_t *size);

/* The running process has detached OBJECT: if it is a segment's, notes that. */
void segment_detached(const struct object *object);

/*
 * shmctl(2). STATUS of INDEX counts segments; returns their number as SHM_STAT does, with ANY
 * as SHM_STAT_ANY: also of those that the running process may not read.
 */
int segment_status(int32_t id, struct segment_status *status);
int64_t segment_status_at(unsigned int index, bool any, struct segment_status *status);
int segment_set(int32_t id, uint32_t uid, uint32_t gid, uint32_t mode);
int segment_remove(int32_t id);

/* How many there are, bytes of all, and bytes that have pages; the highest index. */
int segment_usage(unsigned int *count, uint64_t *bytes, uint64_t *resident);

#endif
