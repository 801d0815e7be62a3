// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A plugin for QEMU's TCG: what a CPU of the virtual node executes while noise.c computes on it.
 * A detour is what it executes between two instructions of the program's loop. Counted in guest
 * instructions, so the load of the host, which is all that a clock would show, does not matter.
 *
 *   -plugin FILE.so,out=FILE     a line is added to FILE for each run of noise.c
 *
 * QEMU's header is in no package; these are the parts of its API that are used, by its
 * documentation (docs/devel/tcg-plugins.rst), version 1.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "places.h"

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_info; /* not looked at */
struct qemu_plugin_tb;

typedef void (*vcpu_tb_trans_cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*vcpu_udata_cb)(unsigned int vcpu, void *data);
enum { CB_NO_REGS };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, vcpu_tb_trans_cb callback);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, vcpu_udata_cb callback,
					  int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);

EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc,
			       char **argv);

#define CPUS_MOST 64u
#define DETOURS_MOST (1u << 20)

/* Of a CPU; only the thread that is this CPU comes here. */
static struct {
	bool counts;
	uint64_t inside, outside;
	uint64_t detour; /* so far */
	unsigned int detours;
	uint64_t *lengths;
} cpus[CPUS_MOST];

static const char *out;

static int by_length(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void tell(unsigned int cpu)
{
	unsigned int kept = cpus[cpu].detours < DETOURS_MOST ? cpus[cpu].detours : DETOURS_MOST;
	FILE *file = fopen(out, "a");

	if (!file)
		return;
	qsort(cpus[cpu].lengths, kept, sizeof(uint64_t), by_length);
	fprintf(file, "cpu %u inside %" PRIu64 " outside %" PRIu64 " detours %u median %" PRIu64
		" longest %" PRIu64 "\n", cpu, cpus[cpu].inside, cpus[cpu].outside,
		cpus[cpu].detours, kept ? cpus[cpu].lengths[kept / 2] : 0,
		kept ? cpus[cpu].lengths[kept - 1] : 0);
	fclose(file);
}

/* DATA: how many instructions there are in the block. */
static void at_begin(unsigned int cpu, void *data)
{
	(void)data;
	if (cpu >= CPUS_MOST)
		return;
	if (!cpus[cpu].lengths)
		cpus[cpu].lengths = calloc(DETOURS_MOST, sizeof(uint64_t));
	cpus[cpu].counts = cpus[cpu].lengths != NULL;
	cpus[cpu].inside = cpus[cpu].outside = cpus[cpu].detour = 0;
	cpus[cpu].detours = 0;
}

static void in_loop(unsigned int cpu, void *data)
{
	if (cpu >= CPUS_MOST || !cpus[cpu].counts)
		return;
	/* What is executed before the first turn is the call. */
	if (cpus[cpu].detour && cpus[cpu].inside) {
		if (cpus[cpu].detours < DETOURS_MOST)
			cpus[cpu].lengths[cpus[cpu].detours] = cpus[cpu].detour;
		cpus[cpu].detours++;
		cpus[cpu].outside += cpus[cpu].detour;
	}
	cpus[cpu].detour = 0;
	cpus[cpu].inside += (uintptr_t)data;
}

static void elsewhere(unsigned int cpu, void *data)
{
	if (cpu < CPUS_MOST && cpus[cpu].counts)
		cpus[cpu].detour += (uintptr_t)data;
}

static void at_end(unsigned int cpu, void *data)
{
	(void)data;
	if (cpu >= CPUS_MOST || !cpus[cpu].counts)
		return;
	cpus[cpu].counts = false;
	tell(cpu);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	uint64_t address = qemu_plugin_tb_vaddr(tb);
	vcpu_udata_cb callback = elsewhere;

	(void)id;
	if (address >= PLACE_BEGIN && address < PLACE_BEGIN + PLACE_SIZE)
		callback = at_begin;
	else if (address >= PLACE_LOOP && address < PLACE_LOOP + PLACE_SIZE)
		callback = in_loop;
	else if (address >= PLACE_END && address < PLACE_END + PLACE_SIZE)
		callback = at_end;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, callback, CB_NO_REGS,
					     (void *)(uintptr_t)qemu_plugin_tb_n_insns(tb));
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "out=", 4) == 0)
			out = argv[i] + 4;
	}
	if (!out)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
