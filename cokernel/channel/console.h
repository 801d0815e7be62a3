/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CK_CHANNEL_CONSOLE_H
#define CK_CHANNEL_CONSOLE_H

/* For panic: from now on nobody waits for the console's lock, its holder is stopped. */
void console_break_lock(void);

#endif
