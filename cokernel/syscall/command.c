/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ioctl(2) and fcntl(2): what the last argument is depends on the command. */
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <asm/unistd_64.h>
#include <linux/fcntl.h>

#include <linux/sockios.h>

#include "channel/channel.h"
#include "fs/mapped_file.h"
#include "fs/memory_file.h"
#include "fs/own.h"
#include "lib/string.h"
#include "syscall/describe.h"
#include "syscall/handlers.h"
#include "syscall/own_file.h"
#include "syscall/pipe.h"
#include "task/process.h"
#include "task/thread.h"

struct command {
	uint32_t number;
	uint8_t kind; /* enum argument_kind */
	uint16_t size;
};

/* Sizes of the kernel's structures. */
#define TERMIOS 36
#define TERMIOS2 44
#define TERMIO 18
#define WINSIZE 8
#define FLOCK 32
#define IFREQ 40

/*
 * The terminal's structure has padding that not every ioctl fills, and a program
 * sees what it had there: so even those that only write are sent what it has.
 */
static const struct command ioctl_commands[] = {
	{ TCGETS, ARG_INOUT_OPTIONAL, TERMIOS },
	{ TCSETS, ARG_IN, TERMIOS },
	{ TCSETSW, ARG_IN, TERMIOS },
	{ TCSETSF, ARG_IN, TERMIOS },
	{ TCGETA, ARG_INOUT_OPTIONAL, TERMIO },
	{ TCSETA, ARG_IN, TERMIO },
	{ TCSETAW, ARG_IN, TERMIO },
	{ TCSETAF, ARG_IN, TERMIO },
	{ TCGETS2, ARG_INOUT_OPTIONAL, TERMIOS2 },
	{ TCSETS2, ARG_IN, TERMIOS2 },
	{ TCSETSW2, ARG_IN, TERMIOS2 },
	{ TCSETSF2, ARG_IN, TERMIOS2 },
	{ TIOCGPGRP, ARG_OUT, 4 },
	{ TIOCSPGRP, ARG_IN, 4 },
	{ TIOCGSID, ARG_OUT, 4 },
	{ TIOCGWINSZ, ARG_OUT, WINSIZE },
	{ TIOCSWINSZ, ARG_IN, WINSIZE },
	{ TIOCOUTQ, ARG_OUT, 4 },
	{ FIONREAD, ARG_OUT, 4 },
	{ FIONBIO, ARG_IN, 4 },
	{ FIOASYNC, ARG_IN, 4 },
	{ FIOQSIZE, ARG_OUT, 8 },
	{ SIOCGIFNAME, ARG_INOUT_OPTIONAL, IFREQ },
	{ SIOCGIFFLAGS, ARG_INOUT_OPTIONAL, IFREQ },
	{ SIOCGIFADDR, ARG_INOUT_OPTIONAL, IFREQ },
	{ SIOCGIFDSTADDR, ARG_INOUT_OPTIONAL, IFREQ },
	{ SIOCGIFBRDADDR, ARG_INOUT_OPTIONAL, IFREQ },
	{ SIOCGIFNETMASK, ARG_INOUT_OPTIONAL, IFREQ },
	{ SIOCGIFMETRIC, ARG_INOUT_OPTIONAL, IFREQ },
	{ SIOCGIFMTU, ARG_INOUT_OPTIONAL, IFREQ },
	{ SIOCGIFHWADDR, ARG_INOUT_OPTIONAL, IFREQ },
	{ SIOCGIFINDEX, ARG_INOUT_OPTIONAL, IFREQ },
	{ SIOCATMARK, ARG_OUT, 4 },
	{ TCSBRK, ARG_VALUE, 0 },
	{ TCSBRKP, ARG_VALUE, 0 },
	{ TCXONC, ARG_VALUE, 0 },
	{ TCFLSH, ARG_VALUE, 0 },
	{ FIONCLEX, ARG_VALUE, 0 },
	{ FIOCLEX, ARG_VALUE, 0 },
};

static const struct command fcntl_commands[] = {
	{ F_DUPFD, ARG_VALUE, 0 },
	{ F_DUPFD_CLOEXEC, ARG_VALUE, 0 },
	{ F_GETFD, ARG_VALUE, 0 },
	{ F_SETFD, ARG_VALUE, 0 },
	{ F_GETFL, ARG_VALUE, 0 },
	{ F_SETFL, ARG_VALUE, 0 },
	{ F_GETLK, ARG_INOUT_OPTIONAL, FLOCK },
	{ F_SETLK, ARG_IN, FLOCK },
	{ F_SETLKW, ARG_IN, FLOCK },
	{ F_OFD_GETLK, ARG_INOUT_OPTIONAL, FLOCK },
	{ F_OFD_SETLK, ARG_IN, FLOCK },
	{ F_OFD_SETLKW, ARG_IN, FLOCK },
	{ F_SETPIPE_SZ, ARG_VALUE, 0 },
	{ F_GETPIPE_SZ, ARG_VALUE, 0 },
	{ F_GET_SEALS, ARG_VALUE, 0 },
	{ F_ADD_SEALS, ARG_VALUE, 0 },
};

static int64_t send_command(uint32_t call, const struct command *command, const uint64_t values[6])
{
	const struct description description = {
		call,
		{ [2] = { .kind = command->kind, .size = command->size } },
	};
	const uint64_t sent[6] = { values[0], command->number, values[2] };

	return describe_call(&description, sent);
}

/* A command that is not in a table: ERROR, if FD is a descriptor. */
static int64_t unknown(uint64_t fd, int error)
{
	int64_t flags = channel_call_own(__NR_fcntl, fd, F_GETFD, 0, 0, 0, 0);

	return flags < 0 ? flags : error;
}

/* struct ifconf of the ABI. */
struct interfaces {
	int32_t size;
	uint32_t pad;
	user_addr_t at;
};
#define INTERFACES_MOST 0x8000u

/* The list of network interfaces: the structure is sent with what it refers to behind it. */
static int64_t list_interfaces(const struct syscall_args *args)
{
	struct channel *channel = process_current()->channel;
	struct interfaces user, sent;
	struct channel_buffer buffer;
	uint64_t room;
	int64_t result;

	if (copy_from_user(&user, args->a[2], sizeof(user)) != 0)
		return -EFAULT;
	room = user.at && user.size > 0 ? min_u64((uint32_t)user.size, INTERFACES_MOST) : 0;
	result = channel_buffer_take_all(channel, sizeof(sent) + room, &buffer);
	if (result < 0)
		return result;
	sent = (struct interfaces){ .size = (int32_t)room };
	sent.at = room ? buffer.offset + sizeof(sent) : PISCES_CHANNEL_NULL;
	memcpy(buffer.memory, &sent, sizeof(sent));
	result = channel_call_own(__NR_ioctl, args->a[0], SIOCGIFCONF, buffer.offset, 0, 0, 0);
	memcpy(&sent, buffer.memory, sizeof(sent));
	user.size = sent.size;
	room = sent.size > 0 ? min_u64((uint32_t)sent.size, room) : 0;
	if (result >= 0 &&
	    (copy_to_user(user.at, buffer.memory + sizeof(sent), room) != 0 ||
	     copy_to_user(args->a[2], &user.size, sizeof(user.size)) != 0))
		result = -EFAULT;
	channel_buffer_give(channel, &buffer);
	return result;
}

/* Is it about a pipe, and has been done here? Then *RESULT. */
static bool asks_pipe(const struct syscall_args *args,
		      bool (*ask)(struct open_file *end, uint32_t command, uint64_t argument,
				  int64_t *result),
		      int64_t *result)
{
	struct open_file *end = pipe_end((int)args->a[0]);
	bool done;

	if (likely(!end))
		return false;
	done = ask(end, (uint32_t)args->a[1], args->a[2], result);
	open_file_put(end);
	return done;
}

int64_t syscall_ioctl(const struct syscall_args *args)
{
	const struct command *command;
	int64_t result;

	if ((uint32_t)args->a[1] == SIOCGIFCONF)
		return list_interfaces(args);
	if (asks_pipe(args, pipe_ioctl, &result))
		return result;
	for (command = ioctl_commands; command < ioctl_commands + ARRAY_SIZE(ioctl_commands);
	     command++) {
		if (command->number != (uint32_t)args->a[1])
			continue;
		result = send_command(__NR_ioctl, command, args->a);
		if (command->number == FIONBIO && result == 0)
			pipe_blocking_is((int)args->a[0], args->a[2]);
		return result;
	}
	/* What a descriptor says to a command that it does not know. */
	return unknown(args->a[0], -ENOTTY);
}

int64_t syscall_fcntl(const struct syscall_args *args)
{
	const struct command *command;
	int64_t result;

	if (asks_pipe(args, pipe_fcntl, &result))
		return result;
	for (command = fcntl_commands; command < fcntl_commands + ARRAY_SIZE(fcntl_commands);
	     command++) {
		if (command->number != (uint32_t)args->a[1])
			continue;
		if (command->number == F_SETLK || command->number == F_SETLKW)
			mapped_file_keep_locks();
		result = send_command(__NR_fcntl, command, args->a);
		if (command->number == F_SETFL && result == 0)
			pipe_flags_are((int)args->a[0], args->a[2]);
		if (command->number != F_DUPFD && command->number != F_DUPFD_CLOEXEC)
			return result;
		result = file_copied((int)args->a[0], result);
		if (result >= 0)
			own_dir_copy((int)args->a[0], (int)result);
		return result;
	}
	return unknown(args->a[0], -EINVAL);
}
