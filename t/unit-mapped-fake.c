/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/syscall.h>

#include "unit-mapped-fake.h"
#include "unit-mm.h"
#include "unit-mmu.h"

#include "channel/channel.h"
#include "fs/mapped_file.h"
#include "fs/page_cache.h"
#include "fs/staged.h"
#include "lib/print.h"
#include "lib/string.h"
#include "task/process.h"
#include "task/thread.h"
#include "task/turn.h"

static struct process processes[PROCESSES];
static struct thread threads[PROCESSES];
static unsigned int running;

int fake_pwrite_error, fake_error[PROCESSES];
unsigned int fake_pwrites;
uint64_t fake_highest;
char fake_report[512];

/* The one of the co-kernel's string functions that the host's library does not have. */
size_t strlcpy(char *to, const char *from, size_t size)
{
	return (size_t)snprintf(to, size, "%s", from);
}

/* ---- processes ---- */

struct process *process_current(void)
{
	return &processes[running];
}

struct thread *thread_current(void)
{
	return &threads[running];
}

void process_report(struct process *process, const char *format, ...)
{
	va_list args;

	(void)process;
	va_start(args, format);
	vsnprintf(fake_report, sizeof(fake_report), format, args);
	va_end(args);
}

const char *staged_reason(int64_t error, char text[24])
{
	snprintf(text, 24, "error %d", (int)-error);
	return text;
}

void fake_begin(void)
{
	memset(processes, 0, sizeof(processes));
	memset(threads, 0, sizeof(threads));
	memset(fake_error, 0, sizeof(fake_error));
	fake_pwrite_error = 0;
	fake_report[0] = '\0';
	for (unsigned int i = 0; i < PROCESSES; i++) {
		list_init(&processes[i].mapped_files);
		processes[i].uid = 1000;
		processes[i].aspace = aspace_create(0);
		threads[i].process = &processes[i];
	}
	fake_run(0);
}

void fake_run(unsigned int n)
{
	running = n;
	mmu_load(processes[n].aspace);
}

struct aspace *fake_aspace(void)
{
	return processes[running].aspace;
}

void fake_end(unsigned int n)
{
	fake_run(n);
	threads[n].dying = true;
	mapped_files_end(&processes[n]);
	mmu_load(NULL);
	aspace_destroy(processes[n].aspace);
	processes[n].aspace = NULL;
}

void fake_close(void)
{
	for (unsigned int i = 0; i < PROCESSES; i++) {
		if (processes[i].aspace)
			fake_end(i);
	}
}

/* ---- turns: there is one thread ---- */

void turn_init(struct turn *turn)
{
	turn->taken = false;
}

int turn_take(struct turn *turn)
{
	if (turn->taken)
		bail_out("a turn is taken twice");
	turn->taken = true;
	return 0;
}

void turn_take_certain(struct turn *turn)
{
	turn_take(turn);
}

void turn_end(struct turn *turn)
{
	turn->taken = false;
}

/* ---- the channel ---- */

static uint8_t data[1 << 20];
static bool data_taken;

int64_t channel_buffer_take(struct channel *channel, uint64_t size, struct channel_buffer *buffer)
{
	(void)channel;
	if (data_taken)
		bail_out("two buffers at a time");
	data_taken = true;
	/* Small, so that there are several pieces. */
	buffer->size = min_u64(size, 3 * PAGE_SIZE);
	buffer->offset = 0;
	buffer->memory = data;
	return (int64_t)buffer->size;
}

int64_t channel_buffer_take_all(struct channel *channel, uint64_t size,
				struct channel_buffer *buffer)
{
	channel_buffer_take(channel, size, buffer);
	buffer->size = size;
	return (int64_t)size;
}

void channel_buffer_give(struct channel *channel, struct channel_buffer *buffer)
{
	(void)channel;
	(void)buffer;
	data_taken = false;
}

void channel_set_phase(struct channel *channel, enum channel_phase phase)
{
	(void)channel;
	(void)phase;
}

void channel_break(struct channel *channel, const char *why)
{
	(void)channel;
	bail_out("the channel breaks: %s", why);
}

int64_t forward_pread_kernel(int fd, void *to, uint64_t size, uint64_t offset)
{
	(void)fd;
	(void)to;
	(void)size;
	(void)offset;
	bail_out("nobody should ask for this");
}

int64_t channel_call_own(uint32_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
			 uint64_t f)
{
	uint64_t arg[6] = { a, b, c, d, e, f };
	long result;

	if (fake_error[running])
		return fake_error[running];
	switch (nr) {
	case SYS_pwrite64:
		fake_pwrites++;
		if (fake_pwrite_error)
			return fake_pwrite_error;
		if (d + c > fake_highest)
			fake_highest = d + c;
		/* fallthrough */
	case SYS_pread64:
	case SYS_fstat:
	case SYS_openat:
	case SYS_readlinkat:
		arg[1] = (uint64_t)(data + b);
		break;
	default:
		break;
	}
	if (nr == SYS_readlinkat)
		arg[2] = (uint64_t)(data + c);
	result = syscall(nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
	return result < 0 ? -errno : result;
}

int64_t page_cache_map(int fd, user_addr_t address, uint64_t size, uint64_t offset,
		       unsigned int prot, unsigned int flags)
{
	(void)fd;
	(void)address;
	(void)size;
	(void)offset;
	(void)prot;
	(void)flags;
	return FAKE_CACHED;
}
