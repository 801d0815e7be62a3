/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The proxy's end is the program's: what waits for the one learns of the other.
 */
#ifndef PROXY_ENDING_H
#define PROXY_ENDING_H

/* Asks the kernel to kill the proxy when its parent, the skin, dies. */
void ending_with_parent(void);

/* Exits with the code, or dies by the signal, of wait status STATUS. Leaves no core. */
_Noreturn void ending_like(int status);

#endif
