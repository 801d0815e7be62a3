/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linux's memory blocks, as sysfs shows them. */
#include "blocks.h"
#include "internal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCKS_DIR "/sys/devices/system/memory"

int pisces_write_text(const char *path, const char *text)
{
	size_t length = strlen(text);
	int fd = open(path, O_WRONLY | O_CLOEXEC), why;
	ssize_t written;

	if (fd < 0)
		return -1;
	written = write(fd, text, length);
	why = written < 0 ? errno : EIO;
	close(fd);
	if (written == (ssize_t)length)
		return 0;
	errno = why;
	return -1;
}

uint64_t pisces_block_size(void)
{
	char text[32], *end;
	unsigned long long size;

	if (pisces_read_text(BLOCKS_DIR "/block_size_bytes", text, sizeof(text)) < 0)
		return 0;
	size = strtoull(text, &end, 16);
	return *end || size < PISCES_MEMORY_ALIGN || (size & (size - 1)) ? 0 : size;
}

int pisces_block_set(uint64_t number, const char *state)
{
	char path[96];

	snprintf(path, sizeof(path), BLOCKS_DIR "/memory%" PRIu64 "/state", number);
	return pisces_write_text(path, state);
}

/* 0: do not try it; 1: may be had; 2: of the Movable zone. */
static int worth(unsigned long number)
{
	char path[96], text[64];

	snprintf(path, sizeof(path), BLOCKS_DIR "/memory%lu/state", number);
	if (pisces_read_text(path, text, sizeof(text)) < 0 || strcmp(text, "online") != 0)
		return 0;
	/* Of a block that is online: the one zone that it is in; "none" if these are two. */
	snprintf(path, sizeof(path), BLOCKS_DIR "/memory%lu/valid_zones", number);
	if (pisces_read_text(path, text, sizeof(text)) < 0)
		return 1;
	if (strncmp(text, "none", 4) == 0 || strcmp(text, "DMA") == 0)
		return 0;
	return strncmp(text, "Movable", 7) == 0 ? 2 : 1;
}

struct candidate {
	uint32_t number;
	int worth;
};

static int better_first(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->worth != y->worth)
		return y->worth - x->worth;
	return x->number < y->number ? 1 : -1;
}

int pisces_blocks_online(uint32_t node, uint32_t **list)
{
	struct candidate *found = NULL;
	size_t count = 0, room = 0;
	struct dirent *entry;
	char path[96];
	DIR *dir;

	*list = NULL;
	snprintf(path, sizeof(path), "/sys/devices/system/node/node%" PRIu32, node);
	dir = opendir(path);
	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		char *end;
		unsigned long number;
		int how;

		if (strncmp(entry->d_name, "memory", 6) != 0 ||
		    !isdigit((unsigned char)entry->d_name[6]))
			continue;
		number = strtoul(entry->d_name + 6, &end, 10);
		how = *end || number > UINT32_MAX ? 0 : worth(number);
		if (!how)
			continue;
		if (count == room) {
			struct candidate *more;

			room = room ? 2 * room : 64;
			more = realloc(found, room * sizeof(*found));
			if (!more)
				goto out;
			found = more;
		}
		found[count++] = (struct candidate){.number = (uint32_t)number, .worth = how};
	}
	if (count) {
		qsort(found, count, sizeof(*found), better_first);
		*list = malloc(count * sizeof(**list));
	}
out:
	closedir(dir);
	for (size_t i = 0; *list && i < count; i++)
		(*list)[i] = found[i].number;
	free(found);
	if (count && !*list) {
		errno = ENOMEM;
		return -1;
	}
	return (int)count;
}
