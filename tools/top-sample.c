/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking at enclaves again and again, for pisces top. */
#include "top.h"

#include <stdlib.h>
#include <time.h>

static void look_at(const struct pisces_info *info, struct top_enclave *enclave)
{
	const uint32_t number = info->enclave;
	struct pisces_error ignored;

	enclave->info = *info;
	/* One that has not booted has no status. */
	enclave->status = pisces_status(number, &enclave->cpu_count, &ignored);
	if (!enclave->status)
		enclave->cpu_count = 0;
	enclave->places = calloc(PISCES_MAX_CPUS, sizeof(*enclave->places));
	if (enclave->places)
		enclave->place_count =
			pisces_places(number, enclave->places, PISCES_MAX_CPUS, &ignored);
}

int top_look(uint32_t number, struct top_sample *sample, struct pisces_error *error)
{
	struct pisces_info one, *all = NULL;
	const struct pisces_info *list = &one;
	struct timespec now;
	int count = 1;

	*sample = (struct top_sample){0};
	if (number) {
		if (pisces_info(number, &one, error) < 0)
			return -1;
	} else {
		count = pisces_list(&all, error);
		if (count < 0)
			return -1;
		list = all;
	}
	sample->enclaves = calloc((size_t)count + 1, sizeof(*sample->enclaves));
	if (!sample->enclaves) {
		snprintf(error->text, sizeof(error->text), "no memory for %d enclaves", count);
		free(all);
		return -1;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	sample->when_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	for (int i = 0; i < count; i++)
		look_at(&list[i], &sample->enclaves[i]);
	sample->count = (unsigned int)count;
	free(all);
	return 0;
}

void top_forget(struct top_sample *sample)
{
	for (unsigned int i = 0; i < sample->count; i++) {
		free(sample->enclaves[i].status);
		free(sample->enclaves[i].places);
	}
	free(sample->enclaves);
	*sample = (struct top_sample){0};
}

static void add_cpu(const struct pisces_cpu_status *cpu, struct top_counters *sum)
{
	sum->calls += cpu->syscalls;
	sum->forwarded += cpu->forwarded;
	sum->interrupts += cpu->interrupts;
	sum->faults += cpu->page_faults;
	sum->beats += cpu->heartbeat;
}

/* Returns whether there is anything to count. */
static bool count(const struct top_enclave *enclave, int cpu, struct top_counters *sum)
{
	*sum = (struct top_counters){0};
	if (!enclave->status || cpu >= (int)enclave->cpu_count)
		return false;
	for (unsigned int i = 0; i < enclave->cpu_count; i++) {
		if (cpu < 0 || (unsigned int)cpu == i)
			add_cpu(&enclave->status->cpu[i], sum);
	}
	return true;
}

/* A CPU that has come back begins again at 0. */
static uint64_t rate(uint64_t before, uint64_t now, uint64_t ns)
{
	if (now < before || ns == 0)
		return 0;
	return (uint64_t)((double)(now - before) * 1e9 / (double)ns + 0.5);
}

struct top_rates top_rates(const struct top_sample *before, const struct top_sample *now,
			   unsigned int index, int cpu)
{
	struct top_rates rates = {0};
	struct top_counters old, new;
	uint64_t ns = now->when_ns - before->when_ns;

	for (unsigned int i = 0; i < before->count; i++) {
		if (before->enclaves[i].info.enclave != now->enclaves[index].info.enclave)
			continue;
		rates.known = count(&before->enclaves[i], cpu, &old) &&
			      count(&now->enclaves[index], cpu, &new);
		if (!rates.known)
			break;
		rates.per_second = (struct top_counters){
			.calls = rate(old.calls, new.calls, ns),
			.forwarded = rate(old.forwarded, new.forwarded, ns),
			.interrupts = rate(old.interrupts, new.interrupts, ns),
			.faults = rate(old.faults, new.faults, ns),
			.beats = rate(old.beats, new.beats, ns),
		};
	}
	return rates;
}

int top_linux_cpu(const struct top_enclave *enclave, unsigned int index)
{
	if ((int)index >= enclave->place_count)
		return -1;
	return (int)enclave->places[index].linux_cpu;
}
