/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which CPUs the cpusets of cgroup v1 had before enclaves took them. A note outlives its
 * enclave and holds this module, until user space has put the CPUs back.
 */
#ifndef PISCES_KMOD_NOTES_H
#define PISCES_KMOD_NOTES_H

#include <linux/types.h>
#include <pisces/ioctl.h>

/* PISCES_IOC_CPUSET_NOTE. -ENOSPC: the enclave has too many. */
int notes_add(u32 enclave, const struct pisces_cpuset_note *request);

/* Enclave ENCLAVE has taken LINUX_CPU: what it has noted of that CPU is valid now. */
void notes_taken(u32 enclave, u32 linux_cpu);

/* The enclave ends; what it has noted and not taken is forgotten. */
void notes_release(u32 enclave);

/* True if a CPU that is online again should be put back. */
bool notes_wait(void);

/* PISCES_IOC_CPUSET_NEXT and PISCES_IOC_CPUSET_DONE. */
int notes_next(struct pisces_cpuset_note *request);
int notes_done(const struct pisces_cpuset_note *request);

#endif
