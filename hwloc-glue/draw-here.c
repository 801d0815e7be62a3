/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * This machine, with the CPUs that Linux gave away. Linux forgets where these are
 * and hwloc cannot put a PU into a topology: so the module says where all CPUs are,
 * and hwloc loads a topology made of that.
 */
#include "internal.h"
#include "topology.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct machine {
	struct pisces_place places[PISCES_MAX_CPUS]; /* ordered by package, node, core, CPU */
	unsigned int count;
	bool nodes[PISCES_MAX_NODES]; /* that are there, with or without CPUs */
	uint64_t memory[PISCES_MAX_NODES];
	unsigned int objects; /* written so far */
};

static int compare(const void *left, const void *right)
{
	const struct pisces_place *a = left, *b = right;

	if (a->package != b->package)
		return a->package < b->package ? -1 : 1;
	if (a->node != b->node)
		return a->node < b->node ? -1 : 1;
	if (a->core != b->core)
		return a->core < b->core ? -1 : 1;
	return a->linux_cpu < b->linux_cpu ? -1 : a->linux_cpu > b->linux_cpu;
}

/* The CPUs that are Linux's or an enclave's; not those that are just offline. */
static int read_cpus(struct machine *machine, const struct pisces_drawn *drawn, unsigned int count,
		     struct pisces_error *error)
{
	struct pisces_cpuset there;
	char text[4096];
	int places = pisces_places(0, machine->places, PISCES_MAX_CPUS, error);

	if (places < 0)
		return -1;
	if (pisces_read_text("/sys/devices/system/cpu/online", text, sizeof(text)) < 0 ||
	    pisces_cpuset_parse(text, &there) < 0)
		return pisces_fail(error, "/sys/devices/system/cpu/online cannot be read");
	for (unsigned int i = 0; i < count; i++) {
		for (unsigned int word = 0; word < PISCES_CPU_WORDS; word++)
			there.word[word] |= drawn[i].cpus.word[word];
	}
	for (int i = 0; i < places; i++) {
		const struct pisces_place *place = &machine->places[i];

		if (place->node < PISCES_MAX_NODES && place->linux_cpu < PISCES_MAX_CPUS &&
		    pisces_cpuset_has(&there, place->linux_cpu))
			machine->places[machine->count++] = *place;
	}
	if (machine->count == 0)
		return pisces_fail(error, "the module knows no CPU of node %s", pisces_node_name());
	qsort(machine->places, machine->count, sizeof(machine->places[0]), compare);
	return 0;
}

/* What Linux has on each node, and what of it is gone. */
static void read_memory(struct machine *machine, const struct pisces_drawn *drawn,
			unsigned int count)
{
	char path[64], text[4096];

	for (unsigned int node = 0; node < PISCES_MAX_NODES; node++) {
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%u/meminfo", node);
		if (pisces_read_text(path, text, sizeof(text)) < 0 &&
		    (node != 0 || pisces_read_text("/proc/meminfo", text, sizeof(text)) < 0))
			continue;
		machine->nodes[node] = true;
		machine->memory[node] = pisces_meminfo_bytes(text, "MemTotal:");
		for (unsigned int i = 0; i < count; i++)
			machine->memory[node] += drawn[i].gone[node];
	}
	for (unsigned int i = 0; i < machine->count; i++)
		machine->nodes[machine->places[i].node] = true;
}

/* Begins an object with the CPUs of places FIRST to END - 1; NODES: its nodeset. */
static void begin(FILE *xml, struct machine *machine, const char *type, int64_t index,
		  unsigned int first, unsigned int end, hwloc_const_bitmap_t nodes)
{
	hwloc_bitmap_t cpus = hwloc_bitmap_alloc();
	char *cpuset = NULL, *nodeset = NULL;

	for (unsigned int i = first; cpus && i < end; i++)
		hwloc_bitmap_set(cpus, machine->places[i].linux_cpu);
	if (!cpus || hwloc_bitmap_asprintf(&cpuset, cpus) < 0 ||
	    hwloc_bitmap_asprintf(&nodeset, nodes) < 0) {
		/* What comes of this is no topology, and hwloc will say so. */
		fputs("<no-memory>", xml);
	} else {
		fprintf(xml, "<object type=\"%s\" gp_index=\"%u\"", type, ++machine->objects);
		if (index >= 0)
			fprintf(xml, " os_index=\"%" PRId64 "\"", index);
		fprintf(xml, " cpuset=\"%s\" complete_cpuset=\"%s\" nodeset=\"%s\""
			     " complete_nodeset=\"%s\"",
			cpuset, cpuset, nodeset, nodeset);
		if (machine->objects == 1)
			fprintf(xml, " allowed_cpuset=\"%s\" allowed_nodeset=\"%s\"", cpuset,
				nodeset);
	}
	free(cpuset);
	free(nodeset);
	hwloc_bitmap_free(cpus);
}

static void end_object(FILE *xml)
{
	fputs("</object>\n", xml);
}

static void write_node(FILE *xml, struct machine *machine, uint32_t node, unsigned int first,
		       unsigned int end)
{
	hwloc_bitmap_t nodes = hwloc_bitmap_alloc();

	if (!nodes)
		return;
	hwloc_bitmap_only(nodes, node);
	begin(xml, machine, "NUMANode", node, first, end, nodes);
	fprintf(xml, " local_memory=\"%" PRIu64 "\">", machine->memory[node]);
	end_object(xml);
	hwloc_bitmap_free(nodes);
}

/* A node of the machine itself: with all CPUs, or a node that has none. */
static void write_outside(FILE *xml, struct machine *machine, uint32_t node)
{
	bool has_cpus = false;

	for (unsigned int i = 0; i < machine->count; i++)
		has_cpus = has_cpus || machine->places[i].node == node;
	write_node(xml, machine, node, 0, has_cpus ? machine->count : 0);
}

static void write_cores(FILE *xml, struct machine *machine, unsigned int first, unsigned int end,
			hwloc_const_bitmap_t nodes)
{
	unsigned int next;

	for (unsigned int core = first; core < end; core = next) {
		for (next = core; next < end; next++) {
			if (machine->places[next].core != machine->places[core].core)
				break;
		}
		begin(xml, machine, "Core", machine->places[core].core, core, next, nodes);
		fputs(">\n", xml);
		for (unsigned int i = core; i < next; i++) {
			begin(xml, machine, "PU", machine->places[i].linux_cpu, i, i + 1, nodes);
			fputs(">", xml);
			end_object(xml);
		}
		end_object(xml);
	}
}

/* Has only package PACKAGE CPUs of NODE? */
static bool is_inside(const struct machine *machine, uint32_t node, uint32_t package)
{
	for (unsigned int i = 0; i < machine->count; i++) {
		if (machine->places[i].node == node && machine->places[i].package != package)
			return false;
	}
	return true;
}

static void write_package(FILE *xml, struct machine *machine, unsigned int first,
			  unsigned int end)
{
	const struct pisces_place *places = machine->places;
	hwloc_bitmap_t all = hwloc_bitmap_alloc(), one = hwloc_bitmap_alloc();
	unsigned int next;
	bool several;

	for (unsigned int i = first; all && i < end; i++)
		hwloc_bitmap_set(all, places[i].node);
	if (!all || !one)
		goto out;
	several = hwloc_bitmap_weight(all) > 1;
	begin(xml, machine, "Package", places[first].package, first, end, all);
	fputs(">\n", xml);
	for (unsigned int i = first; i < end; i = next) {
		for (next = i; next < end && places[next].node == places[i].node; next++)
			;
		hwloc_bitmap_only(one, places[i].node);
		if (several) {
			begin(xml, machine, "Group", -1, i, next, one);
			fputs(" kind=\"1\">\n", xml);
		}
		if (is_inside(machine, places[i].node, places[i].package))
			write_node(xml, machine, places[i].node, i, next);
		write_cores(xml, machine, i, next, one);
		if (several)
			end_object(xml);
	}
	end_object(xml);
out:
	hwloc_bitmap_free(one);
	hwloc_bitmap_free(all);
}

static void write_machine(FILE *xml, struct machine *machine)
{
	hwloc_bitmap_t nodes = hwloc_bitmap_alloc();
	bool outside[PISCES_MAX_NODES];
	unsigned int next;

	if (!nodes)
		return;
	for (unsigned int node = 0; node < PISCES_MAX_NODES; node++) {
		if (machine->nodes[node])
			hwloc_bitmap_set(nodes, node);
	}
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	      "<!DOCTYPE topology SYSTEM \"hwloc2.dtd\">\n<topology version=\"2.0\">\n",
	      xml);
	begin(xml, machine, "Machine", 0, 0, machine->count, nodes);
	fputs(">\n", xml);
	hwloc_bitmap_free(nodes);

	/* Nodes without CPUs, and nodes larger than a package, belong to the machine. */
	memcpy(outside, machine->nodes, sizeof(outside));
	for (unsigned int i = 0; i < machine->count; i++) {
		if (is_inside(machine, machine->places[i].node, machine->places[i].package))
			outside[machine->places[i].node] = false;
	}
	for (unsigned int node = 0; node < PISCES_MAX_NODES; node++) {
		if (outside[node])
			write_outside(xml, machine, node);
	}
	for (unsigned int i = 0; i < machine->count; i = next) {
		for (next = i; next < machine->count; next++) {
			if (machine->places[next].package != machine->places[i].package)
				break;
		}
		write_package(xml, machine, i, next);
	}
	end_object(xml);
	fputs("</topology>\n", xml);
}

static hwloc_topology_t load(const char *xml, size_t length, struct pisces_error *error)
{
	hwloc_topology_t topology = pisces_topology_new(error);

	if (!topology)
		return NULL;
	if (hwloc_topology_set_xmlbuffer(topology, xml, (int)length + 1) == 0 &&
	    hwloc_topology_load(topology) == 0)
		return topology;
	pisces_fail(error, "hwloc does not understand where the CPUs of node %s are",
		    pisces_node_name());
	hwloc_topology_destroy(topology);
	return NULL;
}

hwloc_topology_t pisces_topology_whole(const struct pisces_drawn *drawn, unsigned int count,
				       struct pisces_error *error)
{
	hwloc_topology_t topology = NULL;
	struct machine *machine;
	char *text = NULL;
	size_t length = 0;
	FILE *xml;

	if (!pisces_module_is_there())
		return pisces_topology_here(error);
	machine = calloc(1, sizeof(*machine));
	if (!machine || !(xml = open_memstream(&text, &length))) {
		pisces_fail(error, "no memory for a drawing");
		free(machine);
		return NULL;
	}
	if (read_cpus(machine, drawn, count, error) == 0) {
		read_memory(machine, drawn, count);
		write_machine(xml, machine);
		if (fclose(xml) == 0)
			topology = load(text, length, error);
		else
			pisces_fail(error, "no memory for a drawing");
	} else {
		fclose(xml);
	}
	free(text);
	free(machine);
	return topology;
}
