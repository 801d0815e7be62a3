/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stat(2) says of files and directories of ours. */
#include <asm/stat.h>
#include <linux/stat.h>

#include "arch/time.h"
#include "fs/own.h"
#include "lib/string.h"

/* A number that no device of Linux has. */
#define DEVICE_MAJOR 0u
#define DEVICE_MINOR 0xfffffu

static uint32_t mode_of(const struct tree_node *node)
{
	return node->found == TREE_DIRECTORY ? S_IFDIR | 0555 : S_IFREG | 0444;
}

/* As in /sys, where a file's size is a page whatever is in it, and in /proc, where it is 0. */
static uint32_t size_of(const struct tree_node *node)
{
	return node->found == TREE_FILE && node->path[1] == 's' ? PAGE_SIZE : 0;
}

/* The same path has the same number, FNV-1a. */
static uint64_t inode_of(const struct tree_node *node)
{
	uint64_t hash = 0xcbf29ce484222325ull;
	const char *at;

	for (at = node->path; *at; at++)
		hash = (hash ^ (uint8_t)*at) * 0x100000001b3ull;
	return hash >> 32 | 1;
}

void own_stat(const struct tree_node *node, void *to)
{
	nsec_t now = time_realtime();
	struct stat stat;

	memset(&stat, 0, sizeof(stat));
	stat.st_dev = DEVICE_MINOR;
	stat.st_ino = inode_of(node);
	stat.st_nlink = node->found == TREE_DIRECTORY ? 2 : 1;
	stat.st_mode = mode_of(node);
	stat.st_size = size_of(node);
	stat.st_blksize = PAGE_SIZE;
	stat.st_atime = stat.st_mtime = stat.st_ctime = now / NSEC_PER_SEC;
	memcpy(to, &stat, sizeof(stat));
}

void own_statx(const struct tree_node *node, void *to)
{
	int64_t now = (int64_t)(time_realtime() / NSEC_PER_SEC);
	struct statx statx;

	memset(&statx, 0, sizeof(statx));
	statx.stx_mask = STATX_BASIC_STATS;
	statx.stx_dev_major = DEVICE_MAJOR;
	statx.stx_dev_minor = DEVICE_MINOR;
	statx.stx_ino = inode_of(node);
	statx.stx_nlink = node->found == TREE_DIRECTORY ? 2 : 1;
	statx.stx_mode = (uint16_t)mode_of(node);
	statx.stx_size = size_of(node);
	statx.stx_blksize = PAGE_SIZE;
	statx.stx_atime.tv_sec = statx.stx_mtime.tv_sec = statx.stx_ctime.tv_sec = now;
	memcpy(to, &statx, sizeof(statx));
}
