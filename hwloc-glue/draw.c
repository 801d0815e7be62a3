/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drawings: the machine by lstopo, with each enclave in a colour of its own. */
#include "draw-lstopo.h"
#include "internal.h"
#include "topology.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEGEND_LINE 1024

/* lstopo's words for the colours of a box: those of enclave INDEX, light, black on it. */
static void style_of(unsigned int index, char *style, size_t size)
{
	/* Steps of the golden angle: no two of the first few hundred are the same. */
	unsigned int hue = (200 + index * 137508 / 1000) % 360;
	unsigned int low = index / 8 % 2 ? 165 : 120, span = 255 - low;
	unsigned int rising = low + span * (hue % 60) / 60, falling = low + 255 - rising;
	const unsigned int colours[6][3] = {
		{255, rising, low}, {falling, 255, low}, {low, 255, rising},
		{low, falling, 255}, {rising, low, 255}, {255, low, falling},
	};
	const unsigned int *colour = colours[hue / 60];

	snprintf(style, size, "Background=#%02x%02x%02x;Text=#000000;Text2=#000000", colour[0],
		 colour[1], colour[2]);
}

/* Its letter: A to Z, then A1 to Z1 and so on. */
static void letter_of(unsigned int index, char *letter, size_t size)
{
	if (index < 26)
		snprintf(letter, size, "%c", 'A' + (int)index);
	else
		snprintf(letter, size, "%c%u", 'A' + (int)(index % 26), index / 26);
}

/* An object of an enclave gets its colour, and its letter where a type's name would be. */
static int mark(hwloc_obj_t object, unsigned int index, bool letter)
{
	char style[80], text[16];

	style_of(index, style, sizeof(style));
	letter_of(index, text, sizeof(text));
	if (hwloc_obj_add_info(object, "lstopoStyle", style) < 0)
		return -1;
	if (!letter)
		return 0;
	free(object->subtype);
	object->subtype = strdup(text);
	return object->subtype ? 0 : -1;
}

/* Does SET have all PUs of OBJECT? */
static bool has_all(const struct pisces_cpuset *set, hwloc_obj_t object)
{
	int cpu = -1;

	while ((cpu = hwloc_bitmap_next(object->cpuset, cpu)) >= 0) {
		if (cpu >= (int)PISCES_MAX_CPUS || !pisces_cpuset_has(set, (unsigned int)cpu))
			return false;
	}
	return true;
}

static int mark_type(hwloc_topology_t topology, hwloc_obj_type_t type,
		     const struct pisces_drawn *drawn, unsigned int index)
{
	hwloc_obj_t object = NULL;

	while ((object = hwloc_get_next_obj_by_type(topology, type, object))) {
		if (has_all(&drawn->cpus, object) &&
		    mark(object, index, type == HWLOC_OBJ_PU) < 0)
			return -1;
	}
	return 0;
}

/* A box inside of each NUMA node that gives it memory. */
static int mark_memory(hwloc_topology_t topology, const struct pisces_drawn *drawn,
		       unsigned int index)
{
	char text[96], letter[16], size[32];
	hwloc_obj_t node = NULL, box;

	letter_of(index, letter, sizeof(letter));
	while ((node = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, node))) {
		if (node->os_index >= PISCES_MAX_NODES || drawn->memory[node->os_index] == 0)
			continue;
		snprintf(text, sizeof(text), "%s: %s", letter,
			 pisces_size_format(drawn->memory[node->os_index], size, sizeof(size)));
		box = hwloc_topology_insert_misc_object(topology, node, text);
		if (!box || mark(box, index, false) < 0)
			return -1;
	}
	return 0;
}

static char *legend_line(const struct pisces_drawn *drawn, unsigned int index)
{
	char *line = malloc(LEGEND_LINE), letter[16], list[256], size[32];
	const char *comma = "";
	uint64_t sum = 0;
	size_t used;

	if (!line)
		return NULL;
	letter_of(index, letter, sizeof(letter));
	for (unsigned int node = 0; node < PISCES_MAX_NODES; node++)
		sum += drawn->memory[node];
	used = (size_t)snprintf(line, LEGEND_LINE, "%s = enclave %s%s%s: CPUs %s; %s", letter,
				drawn->name, drawn->job[0] ? " of job " : "", drawn->job,
				pisces_cpuset_format(&drawn->cpus, list, sizeof(list)),
				pisces_size_format(sum, size, sizeof(size)));
	for (unsigned int node = 0; node < PISCES_MAX_NODES && used < LEGEND_LINE; node++) {
		if (drawn->memory[node] == 0)
			continue;
		used += (size_t)snprintf(
			line + used, LEGEND_LINE - used, "%s %s of NUMA node %u",
			comma[0] ? comma : ":",
			pisces_size_format(drawn->memory[node], size, sizeof(size)), node);
		comma = ",";
	}
	return line;
}

/* Colours in TOPOLOGY, lines in LEGEND (COUNT + 1 of them, zeroed). */
static int mark_all(hwloc_topology_t topology, const struct pisces_drawn *drawn,
		    unsigned int count, char **legend)
{
	for (unsigned int i = 0; i < count; i++) {
		if (mark_type(topology, HWLOC_OBJ_PU, &drawn[i], i) < 0 ||
		    mark_type(topology, HWLOC_OBJ_CORE, &drawn[i], i) < 0 ||
		    mark_memory(topology, &drawn[i], i) < 0)
			return -1;
		legend[i] = legend_line(&drawn[i], i);
		if (!legend[i])
			return -1;
	}
	legend[count] = strdup(count ? "All without a letter is Linux's"
				     : "No enclave: all is Linux's");
	return legend[count] ? 0 : -1;
}

static int draw_on(hwloc_topology_t topology, const struct pisces_drawn *drawn,
		   unsigned int count, const char *file, struct pisces_error *error)
{
	char **legend = calloc(count + 1, sizeof(*legend));
	char *xml = NULL;
	int length = 0, result = -1;

	if (!legend || mark_all(topology, drawn, count, legend) < 0)
		pisces_fail(error, "no memory for a drawing of %u enclaves", count);
	else if (hwloc_topology_export_xmlbuffer(topology, &xml, &length, 0) < 0)
		pisces_fail(error, "hwloc does not write this topology as XML");
	else
		/* Its length counts the final NUL. */
		result = pisces_lstopo(xml, (size_t)length - 1, legend, count + 1, file, error);
	if (xml)
		hwloc_free_xmlbuffer(topology, xml);
	for (unsigned int i = 0; legend && i <= count; i++)
		free(legend[i]);
	free(legend);
	return result;
}

int pisces_draw(const char *description, const struct pisces_drawn *drawn, unsigned int count,
		const char *file, struct pisces_error *error)
{
	hwloc_topology_t topology = description ? pisces_topology_for(description, error)
						: pisces_topology_whole(drawn, count, error);
	int result;

	if (!topology)
		return -1;
	result = draw_on(topology, drawn, count, file, error);
	hwloc_topology_destroy(topology);
	return result;
}

void pisces_drawn_plan(const struct pisces_plan *plan, const char *name, struct pisces_drawn *drawn)
{
	memset(drawn, 0, sizeof(*drawn));
	snprintf(drawn->name, sizeof(drawn->name), "%s", name);
	for (unsigned int i = 0; i < plan->cpu_count; i++)
		pisces_cpuset_add(&drawn->cpus, plan->cpus[i].linux_cpu);
	for (unsigned int i = 0; i < plan->memory_count; i++)
		drawn->memory[plan->memory[i].node] += plan->memory[i].size;
}

static void drawn_info(const struct pisces_info *info, struct pisces_drawn *drawn)
{
	memset(drawn, 0, sizeof(*drawn));
	memcpy(drawn->name, info->name, sizeof(drawn->name));
	if (info->job)
		snprintf(drawn->job, sizeof(drawn->job), "%" PRIu32 ".%" PRIu32, info->job,
			 info->step);
	drawn->cpus = pisces_info_cpus(info);
	memcpy(drawn->memory, info->node_memory, sizeof(drawn->memory));
	memcpy(drawn->gone, info->node_blocks, sizeof(drawn->gone));
}

int pisces_drawn_here(struct pisces_drawn **drawn, struct pisces_error *error)
{
	struct pisces_info *list = NULL;
	int count = 0;

	/* Without a module nothing was taken; with a strange one nobody can say. */
	if (pisces_module_is_there()) {
		count = pisces_list(&list, error);
		if (count < 0)
			return -1;
	}
	*drawn = calloc((size_t)count + 1, sizeof(**drawn));
	if (!*drawn) {
		free(list);
		return pisces_fail(error, "no memory for a drawing of %d enclaves", count);
	}
	for (int i = 0; i < count; i++)
		drawn_info(&list[i], &(*drawn)[i]);
	free(list);
	return count;
}
