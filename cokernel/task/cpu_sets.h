/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CK_TASK_CPU_SETS_H
#define CK_TASK_CPU_SETS_H

#include "lib/types.h"

/*
 * CPU has come online. A process whose set was all CPUs of the enclave gets it too, and
 * so do those of its threads whose set was all of that.
 */
void cpu_sets_add(cpu_id_t cpu);

/*
 * CPU is to go: takes it out of all sets. A thread that was bound to it alone gets all of
 * its process, as on Linux. False: a process has no other CPU, and nothing has changed.
 */
bool cpu_sets_remove(cpu_id_t cpu);

#endif
