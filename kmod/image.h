/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A co-kernel image on its way into an enclave's memory. */
#ifndef PISCES_KMOD_IMAGE_H
#define PISCES_KMOD_IMAGE_H

#include <linux/types.h>
#include <pisces/boot.h>

struct enclave;

#define IMAGE_MAX 0x4000000ull /* 64 MiB */

/*
 * Copies the image of BYTES bytes at ADDRESS of user space to a memory
 * range of the enclave, sets image_base and image_bytes, and gives its checked
 * header at *HEADER. -EPROTO: another ABI or build id; -ENOEXEC: not an image;
 * -ENOMEM: no range can hold it; -EFBIG, -EFAULT, -EINTR.
 */
int image_load(struct enclave *e, u64 address, u64 bytes, struct pisces_image_header *header);

/* Clears what image_load() has put there. */
void image_unload(struct enclave *e);

#endif
