/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "channel.h"
#include "descriptor.h"
#include "ending.h"
#include "exec_block.h"
#include "message.h"
#include "program.h"
#include "serve.h"
#include "signals.h"
#include "stage.h"
#include "worker.h"

/* How long START waits for room in the ring: 10 s. */
#define START_TRIES 1000u
#define START_PAUSE_MS 10

void run(struct task *task, int argc, char *const argv[], char *const environment[])
{
	struct channel channel;
	struct program program;
	struct stage stage;
	unsigned int tries = 0;
	uint64_t needed;
	int signal_fd;
	int error;

	program_open(&program, argc, argv);
	program.fd = descriptor_move(program.fd);

	stage_open(&stage, &program);
	error = channel_open(&channel, task);
	if (error)
		message_fail(EXIT_ENCLAVE, "cannot map the channel to enclave %u: %s",
			     task->enclave, strerror(-error));
	if (exec_block_write(channel.data, channel.data_size, &program, &stage,
			     environment, task->enclave, &needed))
		message_fail(EXIT_CANNOT_RUN, "cannot run %s: its arguments and environment "
			     "have %llu KiB, of %llu KiB that can be handed to an enclave",
			     argv[0], (unsigned long long)needed >> 10,
			     (unsigned long long)channel.data_size >> 10);

	signal_fd = signals_open();
	if (signal_fd < 0)
		message_fail(EXIT_ENCLAVE, "signalfd: %s", strerror(-signal_fd));
	worker_open(&channel);

	/* Many tasks may start before the co-kernel has read what was asked of it. */
	do {
		error = task->ops->start(task);
	} while (error == -EAGAIN && tries++ < START_TRIES && poll(NULL, 0, START_PAUSE_MS) == 0);
	if (error)
		message_fail(EXIT_ENCLAVE, "cannot start %s in enclave %u: %s", argv[0],
			     task->enclave, strerror(-error));
	ending_like(serve(&channel, signal_fd));
}
