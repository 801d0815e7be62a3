/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A co-kernel that dies on purpose, for tests of what is left when it does. Armed by
 * "crash=HOW" on the command line, pulled by a program with system call 0x7000.
 */
#ifndef CK_ARCH_CRASH_H
#define CK_ARCH_CRASH_H

#define CRASH_SYSCALL 0x7000u

/*
 * HOW: "panic"; "fault", a wild pointer; "stack", an endless recursion;
 * "hang-irqs-off", this CPU loops and answers nothing but INIT; "silent", all CPUs
 * stop without a word; "deaf", they do so and say that they are idle. Returns if no crash is on the command line.
 */
void crash_test(void);

#endif
