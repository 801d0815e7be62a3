/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of enclaves, which takes the time that Linux needs for CPUs and memory. */
#include "internal.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>

#define LIMIT_S 10
#define LOOK_AGAIN_NS 5000000

void pisces_enclave_end(int enclave_fd)
{
	/* Without it the close does all of the work. */
	ioctl(enclave_fd, PISCES_IOC_END);
}

/* No CPUS: any will do. */
static bool has_one_of(const struct pisces_info *info, const struct pisces_cpuset *cpus)
{
	struct pisces_cpuset its = pisces_info_cpus(info);

	return pisces_cpuset_intersects(&its, cpus) ||
	       (info->cpu_count != 0 && pisces_cpuset_count(cpus) == 0);
}

/* The number of an enclave that ends and has one of CPUS; 0: there is none. */
static uint32_t find(const struct pisces_cpuset *cpus)
{
	struct pisces_error ignored;
	struct pisces_info *list;
	uint32_t found = 0;
	int count = pisces_list(&list, &ignored);

	for (int i = 0; i < count && found == 0; i++) {
		if (list[i].state == PISCES_ENCLAVE_ENDING && has_one_of(&list[i], cpus))
			found = list[i].enclave;
	}
	free(list);
	return found;
}

void pisces_await_endings(const struct pisces_cpuset *cpus)
{
	const struct timespec pause = {.tv_nsec = LOOK_AGAIN_NS};
	const uint64_t limit = pisces_now_ns() + LIMIT_S * 1000 * PISCES_MS;
	uint32_t number;

	while ((number = find(cpus)) != 0 && pisces_now_ns() < limit) {
		pisces_doing("waiting for the CPUs of enclave %u, which ends", number);
		pisces_still_doing();
		nanosleep(&pause, NULL);
	}
}
