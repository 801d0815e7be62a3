/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first bytes of the image file. */
#include <pisces/boot.h>
#include <pisces/build_id.h>

#include "boot/image.h"

static const struct pisces_image_header header
	__attribute__((section(".image_header"), used)) = {
		.magic = PISCES_IMAGE_MAGIC,
		.abi = PISCES_ABI_VERSION,
		.header_size = sizeof(struct pisces_image_header),
		.build_id = PISCES_BUILD_ID,
		.virtual_base = (uint64_t)image_start,
		.entry = (uint64_t)image_entry,
		.file_size = (uint64_t)image_file_size,
		.memory_size = (uint64_t)image_memory_size,
	};
