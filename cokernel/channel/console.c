/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The console: text for the ring that Linux reads. With "debugcon" on the command
 * line also for I/O port 0xe9, which virtual machines can show.
 */
#include <pisces/ring.h>

#include "arch/x86.h"
#include "boot/boot.h"
#include "channel/console.h"
#include "channel/control.h"
#include "lib/lock.h"
#include "lib/print.h"
#include "lib/string.h"

#define DEBUG_PORT 0xe9

static struct lock lock = LOCK_INIT;
static bool lock_broken;
static bool to_port;
static struct pisces_ring_end ring;

void console_init(void)
{
	char value[8];

	to_port = boot_option("debugcon", value, sizeof(value)) != NULL;
	if (boot_block->console.size < pisces_ring_bytes(boot_block->console_slots) ||
	    !pisces_ring_attach(&ring, boot_area(boot_block->console), boot_block->console_slots))
		panic("the console is not a ring of %u slots", boot_block->console_slots);
}

void console_break_lock(void)
{
	__atomic_store_n(&lock_broken, true, __ATOMIC_RELEASE);
}

/* One message. False: no room for it, or a peer that has broken its side. */
static bool put(const char *text, size_t size)
{
	struct pisces_message msg = {
		.type = PISCES_MSG_CONSOLE_TEXT,
		.length = (uint16_t)size,
	};

	memcpy(msg.arg, text, size);
	return pisces_ring_put(&ring, &msg) == PISCES_RING_OK;
}

static void write_to_port(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		out8(DEBUG_PORT, (uint8_t)text[i]);
}

void console_write(const char *text, size_t size)
{
	bool locked = !__atomic_load_n(&lock_broken, __ATOMIC_ACQUIRE);

	if (locked)
		lock_take(&lock);
	if (to_port)
		write_to_port(text, size);
	while (ring.ring != NULL && size > 0) {
		size_t part = min_u64(size, PISCES_CONSOLE_TEXT_MAX);

		if (!put(text, part)) {
			boot_status->console_lost += size;
			break;
		}
		text += part;
		size -= part;
	}
	if (ring.ring != NULL && pisces_ring_must_wake(&ring))
		linux_ring();
	if (locked)
		lock_drop(&lock);
}
