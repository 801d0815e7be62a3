/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slurm's headers, and all that differs between its versions.
 */
#ifndef SPANK_COMPAT_H
#define SPANK_COMPAT_H

#include <stdint.h>
#include <sys/types.h>

#include <slurm/spank.h>

/*
 * From 23.11 on a plugin may put words before the program, also with
 * --multi-prog; before, only the word that is executed can be replaced, and
 * with --multi-prog not even that.
 */
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(23, 11, 0)
#define COMPAT_HAS_PREPEND 1
#else
#define COMPAT_HAS_PREPEND 0
#endif

/*
 * Step ids above this are of Slurm's own: batch script, extern, interactive. Not
 * by slurm.h, which some versions have in a form that our warnings refuse.
 */
#define STEP_ID_MAX 0xfffffff0u

/*
 * A hook that fails returns this in all versions: positive numbers are ignored up
 * to 24.11.
 */
#define HOOK_FAILED (-1)

/*
 * In slurmstepd: Slurm's own numbers of cores ("0-3") as Linux's CPU numbers.
 * Not part of the SPANK interface: may be missing.
 */
extern int xcpuinfo_abs_to_mac(char *abstract, char **machine) __attribute__((weak));

/* A copy that Slurm can free; and how much is logged. The same holds for them. */
extern char *slurm_xstrdup(const char *text) __attribute__((weak));
extern int slurm_get_log_level(void) __attribute__((weak));

/* The level of srun -v. */
#define LOG_LEVEL_OF_V 4

#endif
