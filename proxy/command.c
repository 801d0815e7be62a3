/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioctl(2) and fcntl(2): which commands are executed, and what the last argument
 * of each is. A command that is not here gets what a descriptor gives that does
 * not know it.
 */
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stddef.h>

#include "call.h"
#include "descriptor.h"

struct command {
	uint32_t number;
	uint16_t size; /* bytes of the structure that the argument refers to; 0: a value */
	bool blocks; /* also where only the file is another machine's or program's */
};

/* Sizes of the kernel's structures. */
#define TERMIOS	 36
#define TERMIOS2 44
#define TERMIO	 18
#define WINSIZE	 8
#define FLOCK	 32
#define IFREQ	 40

static const struct command ioctl_commands[] = {
	{ TCGETS, TERMIOS, true },
	{ TCSETS, TERMIOS, false },
	{ TCSETSW, TERMIOS, true },
	{ TCSETSF, TERMIOS, true },
	{ TCGETA, TERMIO, true },
	{ TCSETA, TERMIO, false },
	{ TCSETAW, TERMIO, true },
	{ TCSETAF, TERMIO, true },
	{ TCGETS2, TERMIOS2, true },
	{ TCSETS2, TERMIOS2, false },
	{ TCSETSW2, TERMIOS2, true },
	{ TCSETSF2, TERMIOS2, true },
	{ TCSBRK, 0, true },
	{ TCSBRKP, 0, true },
	{ TCXONC, 0, true },
	{ TCFLSH, 0, false },
	{ TIOCGPGRP, 4, false },
	{ TIOCSPGRP, 4, false },
	{ TIOCGSID, 4, false },
	{ TIOCGWINSZ, WINSIZE, true },
	{ TIOCSWINSZ, WINSIZE, false },
	{ TIOCOUTQ, 4, false },
	{ FIONREAD, 4, true },
	{ FIONBIO, 4, false },
	{ FIOASYNC, 4, false },
	{ SIOCGIFNAME, IFREQ, false },
	{ SIOCGIFFLAGS, IFREQ, false },
	{ SIOCGIFADDR, IFREQ, false },
	{ SIOCGIFDSTADDR, IFREQ, false },
	{ SIOCGIFBRDADDR, IFREQ, false },
	{ SIOCGIFNETMASK, IFREQ, false },
	{ SIOCGIFMETRIC, IFREQ, false },
	{ SIOCGIFMTU, IFREQ, false },
	{ SIOCGIFHWADDR, IFREQ, false },
	{ SIOCGIFINDEX, IFREQ, false },
	{ SIOCATMARK, 4, false },
	{ FIONCLEX, 0, false },
	{ FIOCLEX, 0, false },
	{ FIOQSIZE, 8, false },
	{ 0 },
};

#ifndef F_OFD_GETLK
#define F_OFD_GETLK  36
#define F_OFD_SETLK  37
#define F_OFD_SETLKW 38
#endif

static const struct command fcntl_commands[] = {
	{ F_DUPFD, 0, false },
	{ F_DUPFD_CLOEXEC, 0, false },
	{ F_GETFD, 0, false },
	{ F_SETFD, 0, false },
	{ F_GETFL, 0, false },
	{ F_SETFL, 0, false },
	{ F_GETLK, FLOCK, true },
	{ F_SETLK, FLOCK, true },
	{ F_SETLKW, FLOCK, true },
	{ F_OFD_GETLK, FLOCK, true },
	{ F_OFD_SETLK, FLOCK, true },
	{ F_OFD_SETLKW, FLOCK, true },
	{ F_SETPIPE_SZ, 0, false },
	{ F_GETPIPE_SZ, 0, false },
	{ F_GET_SEALS, 0, false },
	{ F_ADD_SEALS, 0, false },
	/* Last: F_DUPFD is command 0, so the table cannot end with one. */
	{ UINT32_MAX, 0, false },
};

static int prepare(struct call *call, const struct channel *channel,
		   const struct pisces_message *message, const struct command *command)
{
	int fd = (int)message->arg[0];

	if (descriptor_is_hidden(fd))
		return -EBADF;
	call->arg[0] = fd;
	call->arg[1] = (long)command->number;
	call->may_block = command->blocks;
	if (command->size != 0)
		return call_argument(&call->arg[2], channel, message->arg[2], command->size);
	call->arg[2] = (long)message->arg[2];
	return 0;
}

int call_prepare_ioctl(struct call *call, const struct channel *channel,
		       const struct pisces_message *message)
{
	const struct command *command;

	if ((uint32_t)message->arg[1] == SIOCGIFCONF)
		return call_prepare_ifconf(call, channel, message);
	for (command = ioctl_commands; command->number != 0; command++)
		if (command->number == (uint32_t)message->arg[1])
			return prepare(call, channel, message, command);
	return -ENOTTY;
}

int call_prepare_fcntl(struct call *call, const struct channel *channel,
		       const struct pisces_message *message)
{
	const struct command *command;

	for (command = fcntl_commands; command->number != UINT32_MAX; command++)
		if (command->number == (uint32_t)message->arg[1])
			return prepare(call, channel, message, command);
	return -EINVAL;
}
