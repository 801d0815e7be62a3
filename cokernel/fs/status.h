/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Linux says about a descriptor of the proxy's. From a thread that may sleep. */
#ifndef CK_FS_STATUS_H
#define CK_FS_STATUS_H

#include "lib/types.h"

/* struct stat of the ABI. */
struct user_stat {
	uint64_t device;
	uint64_t inode;
	uint64_t links;
	uint32_t mode;
	uint32_t uid, gid;
	uint32_t pad;
	uint64_t device_of_node;
	int64_t size;
	int64_t block_size;
	int64_t blocks; /* of 512 bytes */
	uint64_t accessed, accessed_nsec;
	uint64_t modified, modified_nsec;
	uint64_t changed, changed_nsec;
	int64_t unused[3];
};
_Static_assert(sizeof(struct user_stat) == 144, "struct stat of the ABI");

/* Of its mode. */
#define MODE_TYPE 0170000u
#define MODE_REGULAR 0100000u

/* Of open(2) and fcntl(F_GETFL). */
#define OPEN_ACCESS 3u
#define OPEN_READ_ONLY 0u
#define OPEN_WRITE_ONLY 1u
#define OPEN_READ_WRITE 2u
#define OPEN_CREATE 0100u
#define OPEN_EXCLUSIVE 0200u
#define OPEN_TRUNCATE 01000u
#define OPEN_APPEND 02000u
#define OPEN_CLOSE_ON_EXEC 02000000u

/* fstat(2): 0 or -errno. */
int file_status(int fd, struct user_stat *status);

/* Writes *STATUS to the program as a struct statx. 0 or -EFAULT. */
int status_tell_statx(const struct user_stat *status, user_addr_t to);

/* fcntl(F_GETFL): flags or -errno. */
int64_t file_flags(int fd);

#endif
