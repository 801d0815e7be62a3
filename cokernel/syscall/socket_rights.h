/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors that are sent through a socket: SCM_RIGHTS. */
#ifndef CK_SYSCALL_SOCKET_RIGHTS_H
#define CK_SYSCALL_SOCKET_RIGHTS_H

#include "lib/types.h"

/*
 * The control data of a message, SIZE bytes of the program, is about to be sent: another
 * process, too, has the pipes that are in it then, so they become Linux's. 0 or -errno.
 */
int socket_give_rights(user_addr_t from, uint64_t size);

#endif
