/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control fd: /dev/pisces, which makes enclaves and tells about them. */
#ifndef PISCES_KMOD_CONTROL_FD_H
#define PISCES_KMOD_CONTROL_FD_H

/* Last: who opens it finds all else ready. 0 or -errno. */
int control_fd_init(void);
void control_fd_exit(void);

#endif
