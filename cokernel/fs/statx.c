/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stat(2) tells, as statx(2) does. */
#include <linux/stat.h>

#include "arch/user.h"
#include "fs/status.h"
#include "lib/string.h"

static struct statx_timestamp stamp(uint64_t seconds, uint64_t nsec)
{
	return (struct statx_timestamp){ .tv_sec = (int64_t)seconds, .tv_nsec = (uint32_t)nsec };
}

int status_tell_statx(const struct user_stat *status, user_addr_t to)
{
	struct statx more;

	memset(&more, 0, sizeof(more));
	more.stx_mask = STATX_BASIC_STATS;
	more.stx_blksize = (uint32_t)status->block_size;
	more.stx_nlink = (uint32_t)status->links;
	more.stx_uid = status->uid;
	more.stx_gid = status->gid;
	more.stx_mode = (uint16_t)status->mode;
	more.stx_ino = status->inode;
	more.stx_size = (uint64_t)status->size;
	more.stx_blocks = (uint64_t)status->blocks;
	more.stx_atime = stamp(status->accessed, status->accessed_nsec);
	more.stx_mtime = stamp(status->modified, status->modified_nsec);
	more.stx_ctime = stamp(status->changed, status->changed_nsec);
	more.stx_rdev_major = (uint32_t)(status->device_of_node >> 8);
	more.stx_rdev_minor = (uint32_t)(status->device_of_node & 0xff);
	more.stx_dev_major = (uint32_t)(status->device >> 8 & 0xfff);
	more.stx_dev_minor = (uint32_t)(status->device & 0xff);
	return copy_to_user(to, &more, sizeof(more));
}
