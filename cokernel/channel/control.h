/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control rings and the console ring: what the co-kernel and the module say to each other. */
#ifndef CK_CHANNEL_CONTROL_H
#define CK_CHANNEL_CONTROL_H

#include "lib/types.h"

void control_init(void);

/*
 * Serves all messages that have come; any CPU. When it returns, another CPU may
 * still be serving them, in order; and the ring asks to be rung for the next.
 */
void control_poll(void);

/* An idle CPU wants to halt and takes the bell. False: something has come. */
bool control_may_sleep(cpu_id_t cpu);

/* A CPU leaves its idle loop: if it had the bell, another one gets it. */
void control_bell_away(cpu_id_t cpu);

/*
 * A CPU has parked, and a bell may have gone to it in vain: this CPU takes the bell and
 * serves what has come.
 */
void control_take_bell(void);

void control_send_ready(void);

/* The answer to a change, with bytes that MEMORY_REMOVE could have had; and one piece of it. */
void control_send_changed(uint64_t tag, int error, uint64_t bytes);
void control_send_given(uint64_t tag, phys_addr_t base, uint64_t size);
void control_send_panic(void); /* may be called in any state, also with locks held elsewhere */
void control_send_task_ended(uint32_t task, int wait_status);

/* STOP has come: every CPU parks as soon as it gets here. */
bool control_stopping(void);
void control_check_stop(void);

/* Parks this CPU, which leaves a running enclave. */
__noreturn void control_park_alone(void);

void console_init(void);
/* Bytes for the console; what does not fit is lost and counted. Never waits. */
void console_write(const char *text, size_t size);

#endif
