/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a process with staged I/O: what it has written goes to Linux. */
#include <asm/unistd_64.h>

#include "arch/user.h"
#include "channel/channel.h"
#include "fs/abi_poll.h"
#include "fs/stage_log.h"
#include "fs/staged.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/aspace.h"
#include "mm/heap.h"
#include "task/process.h"
#include "task/thread.h"

/* Waits until STREAM of the proxy takes more: it may be one that does not block. */
static int64_t wait_for(uint32_t stream)
{
	const struct poll_entry entry = { .fd = (int32_t)stream, .events = POLL_OUT };
	struct channel *channel = process_current()->channel;
	struct channel_buffer buffer;
	int64_t result = channel_buffer_take_all(channel, sizeof(entry), &buffer);

	if (result < 0)
		return result;
	memcpy(buffer.memory, &entry, sizeof(entry));
	result = channel_call_own(__NR_poll, buffer.offset, 1, UINT64_MAX, 0, 0, 0);
	channel_buffer_give(channel, &buffer);
	return result < 0 ? result : 0;
}

/* The streams are gathered into pieces as large as the channel has them. */
struct output {
	struct channel_buffer buffer;
	uint64_t used;
	uint32_t stream;
	int64_t error; /* the first one, */
	uint32_t failed; /* of this stream */
};

static int64_t write_out(struct output *output)
{
	uint64_t done = 0;
	int64_t bytes;

	while (done < output->used) {
		bytes = channel_call_own(__NR_write, output->stream, output->buffer.offset + done,
					 output->used - done, 0, 0, 0);
		if (bytes == -EAGAIN)
			bytes = wait_for(output->stream);
		else if (bytes == 0 || bytes > (int64_t)(output->used - done))
			bytes = -EIO;
		if (bytes < 0)
			return bytes;
		done += (uint64_t)bytes;
	}
	output->used = 0;
	return 0;
}

static int flush(struct output *output)
{
	int64_t error = output->used ? write_out(output) : 0;

	output->used = 0;
	if (error && !output->error) {
		output->error = error;
		output->failed = output->stream;
	}
	/* That one stream is closed is no reason to keep the other. */
	return error == -EIO ? -EIO : 0;
}

static int add_output(uint32_t stream, const void *bytes, uint64_t size, void *argument)
{
	struct output *output = argument;
	uint64_t piece;
	int error = 0;

	if (stream != output->stream)
		error = flush(output);
	output->stream = stream;
	for (; size > 0 && !error; size -= piece) {
		piece = min_u64(size, output->buffer.size - output->used);
		memcpy(output->buffer.memory + output->used, bytes, piece);
		bytes = (const uint8_t *)bytes + piece;
		output->used += piece;
		if (output->used == output->buffer.size)
			error = flush(output);
	}
	return error;
}

static bool write_streams(struct process *process, struct stage_log *log)
{
	struct output output = { 0 };
	char text[24];

	if (channel_buffer_take(process->channel, CHANNEL_PIECE, &output.buffer) < 0)
		return false;
	if (stage_log_read(log, add_output, &output) == 0)
		flush(&output);
	channel_buffer_give(process->channel, &output.buffer);
	if (output.error)
		process_report(process, "cannot write the program's standard %s: %s",
			       output.failed == 1 ? "output" : "error",
			       staged_reason(output.error, text));
	return output.error == 0;
}

void staged_end(struct process *process)
{
	struct staged *staged = process->staged;

	if (!staged->started)
		return;
	/* What the program had open and mapped is not any more. */
	for (int fd = 0; (unsigned int)fd < process->file_table.room; fd++)
		file_table_close(fd);
	aspace_unmap(process->aspace, 0, USER_END);
	if (process->orphan)
		return;
	channel_set_phase(process->channel, CHANNEL_LAST);
	if (!write_streams(process, staged->log))
		staged->failed = true;
	if (!stage_out(process, &staged->view))
		staged->failed = true;
}

void staged_free(struct process *process)
{
	struct staged *staged = process->staged;

	if (!staged)
		return;
	process->staged = NULL;
	stage_node_put(staged->program);
	stage_node_put(staged->view.directory);
	stage_log_destroy(staged->log);
	heap_free(staged->view.groups);
	heap_free(staged->cpuinfo);
	if (staged->view.stage)
		stage_put(staged->view.stage);
	heap_free(staged);
}
