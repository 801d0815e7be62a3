// SPDX-License-Identifier: GPL-2.0-or-later
/* What a co-kernel has said: a history that outlives it, and the console fd. */

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "enclave.h"
#include "console.h"

int console_init(struct console *console)
{
	spin_lock_init(&console->lock);
	init_waitqueue_head(&console->wait);
	console->text = vzalloc(CONSOLE_HISTORY);
	return console->text ? 0 : -ENOMEM;
}

void console_exit(struct console *console)
{
	vfree(console->text);
}

static void console_append(struct console *console, const char *text, size_t bytes)
{
	unsigned long flags;
	size_t i;

	spin_lock_irqsave(&console->lock, flags);
	for (i = 0; i < bytes; i++)
		console->text[console->written++ & (CONSOLE_HISTORY - 1)] = text[i];
	spin_unlock_irqrestore(&console->lock, flags);
	wake_up_interruptible(&console->wait);
}

bool console_drain(struct enclave *e, unsigned int *budget)
{
	struct pisces_ring_end *ring = &e->shared.console;
	struct pisces_message msg;

	lockdep_assert_held(&e->drain);
	for (;;) {
		switch (pisces_ring_get(ring, &msg)) {
		case PISCES_RING_OK:
			if (msg.type != PISCES_MSG_CONSOLE_TEXT ||
			    msg.length > PISCES_CONSOLE_TEXT_MAX) {
				enclave_die(e, true, "the co-kernel broke the console ring");
				return false;
			}
			console_append(&e->console, (const char *)msg.arg, msg.length);
			break;
		case PISCES_RING_AGAIN:
			if (pisces_ring_may_sleep(ring, 0))
				return false;
			break;
		case PISCES_RING_BROKEN:
			enclave_die(e, true, "the co-kernel broke the console ring");
			return false;
		}
		if (*budget == 0)
			return true;
		--*budget;
	}
}

void console_finish(struct enclave *e)
{
	unsigned long flags;

	spin_lock_irqsave(&e->console.lock, flags);
	e->console.over = true;
	spin_unlock_irqrestore(&e->console.lock, flags);
	wake_up_all(&e->console.wait);
}

/*
 * Copies at most BYTES bytes of the history from *POSITION on to TEXT and moves
 * *POSITION. What has been overwritten is skipped.
 */
static size_t console_copy(struct console *console, u64 *position, char *text, size_t bytes)
{
	unsigned long flags;
	size_t done;

	spin_lock_irqsave(&console->lock, flags);
	if (console->written > CONSOLE_HISTORY)
		*position = max(*position, console->written - CONSOLE_HISTORY);
	bytes = min_t(u64, bytes, console->written - *position);
	for (done = 0; done < bytes; done++)
		text[done] = console->text[(*position)++ & (CONSOLE_HISTORY - 1)];
	spin_unlock_irqrestore(&console->lock, flags);
	return done;
}

#define DUMP_BYTES 2048

void console_dump(struct enclave *e)
{
	char *text = kmalloc(DUMP_BYTES + 1, GFP_KERNEL);
	u64 written = READ_ONCE(e->console.written);
	u64 position = written > DUMP_BYTES ? written - DUMP_BYTES : 0;
	char *rest, *line;
	size_t i, bytes;

	if (!text)
		return;
	bytes = console_copy(&e->console, &position, text, DUMP_BYTES);
	for (i = 0; i < bytes; i++)
		if (text[i] != '\n' && (text[i] < 0x20 || text[i] > 0x7e))
			text[i] = text[i] == '\t' ? ' ' : '.';
	text[bytes] = 0;

	if (!bytes)
		enclave_warn(e, "its console is empty\n");
	else
		enclave_warn(e, "its console ends with:\n");
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			enclave_warn(e, "| %s\n", line);
	kfree(text);
}

/* ---- the console fd ---- */

struct console_reader {
	struct enclave *enclave;
	struct mutex mutex; /* one reader of this fd at a time */
	u64 position;
};

static bool console_has_news(struct console_reader *reader)
{
	struct console *console = &reader->enclave->console;

	return READ_ONCE(console->written) != reader->position || READ_ONCE(console->over);
}

static ssize_t console_read(struct file *file, char __user *buffer, size_t size, loff_t *unused)
{
	struct console_reader *reader = file->private_data;
	struct console *console = &reader->enclave->console;
	char text[256];
	size_t total = 0;
	int ret;

	if (size == 0)
		return 0;
	ret = mutex_lock_interruptible(&reader->mutex);
	if (ret)
		return ret;
	if (!(file->f_flags & O_NONBLOCK))
		ret = wait_event_interruptible(console->wait, console_has_news(reader));
	else if (!console_has_news(reader))
		ret = -EAGAIN;

	while (!ret && total < size) {
		u64 before = reader->position;
		size_t bytes = console_copy(console, &reader->position, text,
					    min(size - total, sizeof(text)));

		if (!bytes)
			break;
		if (copy_to_user(buffer + total, text, bytes)) {
			reader->position = before;
			ret = -EFAULT;
		} else {
			total += bytes;
		}
	}
	mutex_unlock(&reader->mutex);
	return total ? total : ret;
}

static __poll_t console_poll(struct file *file, poll_table *table)
{
	struct console_reader *reader = file->private_data;
	struct console *console = &reader->enclave->console;
	__poll_t events = 0;

	poll_wait(file, &console->wait, table);
	if (console_has_news(reader))
		events |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(console->over))
		events |= EPOLLHUP;
	return events;
}

static int console_release(struct inode *inode, struct file *file)
{
	struct console_reader *reader = file->private_data;

	enclave_put(reader->enclave);
	kfree(reader);
	return 0;
}

static const struct file_operations console_operations = {
	.owner = THIS_MODULE,
	.read = console_read,
	.poll = console_poll,
	.release = console_release,
};

int console_fd(struct enclave *e)
{
	struct console_reader *reader = kzalloc(sizeof(*reader), GFP_KERNEL);
	int fd;

	if (!reader)
		return -ENOMEM;
	mutex_init(&reader->mutex);
	reader->enclave = e;
	enclave_get(e);
	fd = anon_inode_getfd("[pisces-console]", &console_operations, reader,
			      O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		enclave_put(e);
		kfree(reader);
	}
	return fd;
}
