/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors that are sent through a socket. */
#include "syscall/socket_rights.h"

#include "arch/user.h"
#include "fs/file_table.h"
#include "lib/errno.h"
#include "syscall/pipe.h"

#define LEVEL_SOCKET 1
#define CONTROL_RIGHTS 1

/* struct cmsghdr of the ABI. */
struct user_control {
	uint64_t size; /* with this head */
	int32_t level;
	int32_t type;
};

static int give_numbers(user_addr_t from, uint64_t size)
{
	int error = 0;
	int32_t fd;

	for (; size >= sizeof(fd) && !error; from += sizeof(fd), size -= sizeof(fd)) {
		if (copy_from_user(&fd, from, sizeof(fd)) != 0)
			return -EFAULT;
		error = file_to_linux(fd);
	}
	return error;
}

int socket_give_rights(user_addr_t from, uint64_t size)
{
	struct user_control control;
	uint64_t part;
	int error = 0;

	if (likely(size < sizeof(control) || !file_table_any()))
		return 0;
	for (; size >= sizeof(control) && !error; from += part, size -= part) {
		if (copy_from_user(&control, from, sizeof(control)) != 0)
			return -EFAULT;
		/* What is wrong with it Linux says. */
		if (control.size < sizeof(control) || control.size > size)
			break;
		if (control.level == LEVEL_SOCKET && control.type == CONTROL_RIGHTS)
			error = give_numbers(from + sizeof(control),
					     control.size - sizeof(control));
		part = min_u64(align_up(control.size, 8), size);
	}
	return error;
}
