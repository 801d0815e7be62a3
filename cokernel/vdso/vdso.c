/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vdso/vdso.h"

#include "arch/features.h"
#include "arch/time.h"
#include "boot/boot.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/aspace.h"
#include "mm/direct.h"
#include "mm/page.h"
#include "syscall/random.h"
#include "vdso/data.h"

extern const uint8_t vdso_image_start[], vdso_image_end[];

#define VDSO_PAGES_MOST 4u
#define VDSO_BASE 0x7ff000000000ull /* then at random, 4 GiB up */
#define VDSO_RANDOM_BITS 20

/* The data page, then the image. */
static phys_addr_t pages[1 + VDSO_PAGES_MOST];
static unsigned int image_pages;

static uint8_t *take_page(unsigned int index)
{
	pages[index] = page_alloc(0, boot_block->cpus[0].node, PAGE_ZERO);
	if (pages[index] == PAGE_NONE)
		panic("no memory for the vDSO");
	return phys_to_virt(pages[index]);
}

void vdso_init(void)
{
	size_t size = (size_t)(vdso_image_end - vdso_image_start), at, piece;
	struct vdso_data *data = (void *)take_page(0);

	data->time = time_scale;
	data->has_rdpid = cpu_features.rdpid;
	data->has_rdtscp = cpu_features.rdtscp;
	ASSERT(size <= VDSO_PAGES_MOST * PAGE_SIZE);
	for (at = 0; at < size; at += PAGE_SIZE) {
		piece = size - at < PAGE_SIZE ? size - at : PAGE_SIZE;
		memcpy(take_page(1 + image_pages++), vdso_image_start + at, piece);
	}
}

int64_t vdso_map(struct aspace *aspace)
{
	user_addr_t at = VDSO_BASE + (random_number(VDSO_RANDOM_BITS) << PAGE_SHIFT);
	int64_t result;

	result = aspace_map_kernel(aspace, at, pages, 1, ASPACE_READ);
	if (result < 0)
		return result;
	return aspace_map_kernel(aspace, at + PAGE_SIZE, pages + 1, image_pages,
				 ASPACE_READ | ASPACE_EXEC);
}
