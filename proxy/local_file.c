/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "local_file.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/*
 * File systems without a disk have a device whose major number is 0; these of them are in
 * this machine's memory or on its disks all the same.
 */
static const char *const local_types[] = { "tmpfs", "ramfs", "overlay", "btrfs", "zfs", "bcachefs" };

/* What was found out of devices with major number 0, by minor number. */
#define KNOWN_MOST 16u

static struct {
	unsigned int minor;
	bool local;
} known[KNOWN_MOST];
static unsigned int known_count;

static bool is_local_type(const char *type)
{
	size_t i;

	for (i = 0; i < sizeof(local_types) / sizeof(local_types[0]); i++) {
		if (strcmp(type, local_types[i]) == 0)
			return true;
	}
	return false;
}

/*
 * From /proc/self/mountinfo: "36 35 0:27 ROOT POINT OPTIONS [...] - TYPE SOURCE OPTIONS".
 * Files in subvolumes of btrfs and in the lower layers of an overlay have devices that are
 * not mounted; what comes from elsewhere has that of its mount.
 */
static bool look_up(unsigned int minor)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	bool is_mounted = false, local = false;
	char line[4096], type[32];

	if (!mounts)
		return false;
	while (!is_mounted && fgets(line, sizeof(line), mounts)) {
		const char *rest = strstr(line, " - ");
		unsigned int found, major;

		is_mounted = rest && sscanf(line, "%*u %*u %u:%u", &major, &found) == 2 &&
			     major == 0 && found == minor &&
			     sscanf(rest, " - %31s", type) == 1;
		local = is_mounted && is_local_type(type);
	}
	fclose(mounts);
	return local || !is_mounted;
}

static bool is_local_device(unsigned int minor)
{
	unsigned int i;
	bool local;

	for (i = 0; i < known_count; i++) {
		if (known[i].minor == minor)
			return known[i].local;
	}
	local = look_up(minor);
	if (known_count < KNOWN_MOST) {
		known[known_count].minor = minor;
		known[known_count++].local = local;
	}
	return local;
}

/* What Linux knows by itself: no question to a server. */
static bool look(int fd, struct statx *file)
{
	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_NLINK,
		     file) == 0;
}

static bool is_local(const struct statx *file)
{
	return (S_ISREG(file->stx_mode) || S_ISDIR(file->stx_mode) || S_ISLNK(file->stx_mode)) &&
	       (file->stx_dev_major != 0 || is_local_device(file->stx_dev_minor));
}

bool local_file_now(int fd)
{
	struct statx file;

	return look(fd, &file) && is_local(&file);
}

bool local_file_closes(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	struct statx file;

	return flags >= 0 && (flags & O_ACCMODE) == O_RDONLY && look(fd, &file) &&
	       is_local(&file) && file.stx_nlink > 0;
}

/*
 * The descriptors that were found to be local files. What an open one is changes only by
 * calls of the program, which all come through here. Only the main thread begins such a
 * change, so as long as it finds none it may ask and keep the answer: none begins meanwhile.
 */
#define KEPT_MOST 1024

static uint8_t kept[KEPT_MOST / 8];
static unsigned int changes; /* that have begun and not ended */

bool local_file(int fd)
{
	bool keep = fd >= 0 && fd < KEPT_MOST;
	bool local;

	if (keep && (kept[fd / 8] >> fd % 8 & 1))
		return true;
	keep = keep && __atomic_load_n(&changes, __ATOMIC_ACQUIRE) == 0;
	local = local_file_now(fd);
	if (local && keep)
		kept[fd / 8] |= (uint8_t)(1u << fd % 8);
	return local;
}

void local_file_begin_change(void)
{
	__atomic_fetch_add(&changes, 1, __ATOMIC_RELAXED);
	memset(kept, 0, sizeof(kept));
}

void local_file_end_change(void)
{
	__atomic_fetch_sub(&changes, 1, __ATOMIC_RELEASE);
}
