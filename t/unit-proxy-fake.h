/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other side of a proxy, for tests: module and co-kernel in one process.
 * The proxy runs as a child; the channel is a shared mapping, a ring of the
 * co-kernel is 8 bytes in a pipe (whose closing is its death), a ring of the
 * proxy an eventfd. All waits have a limit, after which the test ends with a word.
 */
#ifndef UNIT_PROXY_FAKE_H
#define UNIT_PROXY_FAKE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <pisces/channel.h>
#include <pisces/ioctl.h>

#define FAKE_CHANNEL 0x100000ull
#define FAKE_ENCLAVE 7
#define NONE	     PISCES_CHANNEL_NULL

struct fake {
	pid_t pid; /* of the proxy */
	uint8_t *memory;
	uint8_t *data;
	uint64_t data_size;
	struct pisces_ring_end calls;
	struct pisces_ring_end replies;
	int bell;    /* write: rings the proxy */
	int rung;    /* read: the proxy has rung */
	int signals; /* read: signals that came, a struct pisces_signal each */
	int in, out, err; /* the program's standard streams, our ends */
	uint64_t tag;
};

/* How the fake module behaves; set before fake_start(). */
extern int fake_start_error;	 /* of PISCES_IOC_START */
extern int fake_signal_refusals; /* EAGAIN so many times first */

/* Starts a proxy for the program ARGV with ENVIRONMENT (NULL: none). */
void fake_start(struct fake *fake, char *const argv[], char *const environment[]);

/* Starts it, reads the exec block away: ready for calls. */
void fake_start_true(struct fake *fake);

/* Sends any message, as it is; rings if the proxy sleeps. */
void fake_send(struct fake *fake, const struct pisces_message *message);

/* Sends a CALL; returns its tag. */
uint64_t fake_call(struct fake *fake, uint32_t number, uint64_t a, uint64_t b, uint64_t c,
		   uint64_t d, uint64_t e, uint64_t f);
#define CALL6(fake, nr, a, b, c, d, e, f, ...) \
	fake_call(fake, nr, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), \
		  (uint64_t)(e), (uint64_t)(f))
#define CALL(fake, ...) CALL6(fake, __VA_ARGS__, 0, 0, 0, 0, 0, 0)

void fake_cancel(struct fake *fake, uint64_t tag);
void fake_exit(struct fake *fake, uint64_t wait_status);

/* The next REPLY, with its tag. False: none within MS milliseconds. */
bool fake_reply(struct fake *fake, uint64_t *tag, int64_t *result, int ms);

/* The result of call TAG, which must be the next to be answered. */
int64_t fake_result(struct fake *fake, uint64_t tag);

/* Call and result in one. */
#define DO(fake, ...) fake_result(fake, CALL(fake, __VA_ARGS__))

/* Puts TEXT with its NUL at OFFSET of the data area; returns OFFSET. */
uint64_t fake_put(struct fake *fake, uint64_t offset, const char *text);

/* The signal that the proxy forwards next; 0: none within MS milliseconds. */
int fake_signal(struct fake *fake, int ms);
struct pisces_signal fake_signal_info(struct fake *fake, int ms);

/* The co-kernel dies. */
void fake_die(struct fake *fake);

/* Waits for the proxy's end; its wait status. */
int fake_wait(struct fake *fake);

/* Up to SIZE - 1 bytes that have come on FD, NUL-terminated, until it ends. */
char *fake_read_all(int fd, char *text, size_t size);

/* Closes what is ours. */
void fake_close(struct fake *fake);

#endif
