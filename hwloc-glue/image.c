/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The co-kernel's image file: read whole, and checked before anything is taken. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pisces/build_id.h>

#define IMAGE_MAX (64ull << 20)

static int read_all(int fd, unsigned char *bytes, size_t size)
{
	size_t got = 0;

	while (got < size) {
		ssize_t count = read(fd, bytes + got, size - got);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -1;
		if (count == 0) {
			errno = EIO;
			return -1;
		}
		got += (size_t)count;
	}
	return 0;
}

static int check(const char *path, struct pisces_image *image, struct pisces_error *error)
{
	struct pisces_image_header *header = &image->header;

	if (image->size < sizeof(*header))
		return pisces_fail(error, "%.200s has %zu bytes: not an image of a co-kernel", path,
				   image->size);
	memcpy(header, image->bytes, sizeof(*header));
	header->build_id[sizeof(header->build_id) - 1] = '\0';
	if (header->magic != PISCES_IMAGE_MAGIC)
		return pisces_fail(error, "%.200s is not an image of a co-kernel", path);
	if (header->abi != PISCES_ABI_VERSION || strcmp(header->build_id, PISCES_BUILD_ID) != 0)
		return pisces_fail(error,
				   "the co-kernel %.200s is of build %s, this program of build %s: "
				   "install both from one build",
				   path, header->build_id, PISCES_BUILD_ID);
	if (header->header_size < sizeof(*header) || header->file_size > image->size ||
	    header->memory_size < header->file_size || header->memory_size >= IMAGE_MAX ||
	    header->virtual_base % PISCES_MEMORY_ALIGN != 0 ||
	    header->entry - header->virtual_base >= header->file_size)
		return pisces_fail(error,
				   "%.200s is damaged: its header and its %zu bytes do not fit "
				   "together; install it again",
				   path, image->size);
	return 0;
}

int pisces_image_open(const char *path, struct pisces_image *image, struct pisces_error *error)
{
	struct stat file;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int result = -1;

	memset(image, 0, sizeof(*image));
	if (fd < 0)
		return pisces_fail(error, "the co-kernel %.200s on node %s cannot be opened: %s",
				   path, pisces_node_name(), strerror(errno));
	if (fstat(fd, &file) < 0 || !S_ISREG(file.st_mode) || file.st_size <= 0 ||
	    (uint64_t)file.st_size >= IMAGE_MAX) {
		pisces_fail(error, "%.200s is not an image of a co-kernel", path);
	} else {
		image->size = (size_t)file.st_size;
		image->bytes = malloc(image->size);
		if (!image->bytes)
			pisces_fail(error, "no memory to read the co-kernel %.200s", path);
		else if (read_all(fd, image->bytes, image->size) < 0)
			pisces_fail(error, "the co-kernel %.200s cannot be read: %s", path,
				    strerror(errno));
		else
			result = check(path, image, error);
	}
	close(fd);
	if (result < 0)
		pisces_image_close(image);
	return result;
}

void pisces_image_close(struct pisces_image *image)
{
	free(image->bytes);
	image->bytes = NULL;
	image->size = 0;
}
