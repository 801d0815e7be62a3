/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which PUs: the fewest NUMA nodes, and on each of them whole cores first. */
#include "plan-parts.h"

/* PUs first to end - 1 of the map are one core. */
struct core {
	uint32_t first;
	uint32_t end;
	unsigned int candidates;
};

/* The core that begins at PU FIRST of the map. */
static struct core core_at(const struct pisces_map *map, const struct pisces_cpuset *candidates,
			   uint32_t first)
{
	struct core core = {.first = first, .end = first};

	while (core.end < map->pu_count && map->pus[core.end].core == map->pus[first].core) {
		if (pisces_cpuset_has(candidates, map->pus[core.end].cpu))
			core.candidates++;
		core.end++;
	}
	return core;
}

/* Takes up to COUNT candidates of CORE that are not chosen yet. Returns how many. */
static unsigned int take(const struct pisces_map *map, const struct pisces_cpuset *candidates,
			 const struct core *core, unsigned int count, struct pisces_cpuset *chosen)
{
	unsigned int taken = 0;

	for (uint32_t i = core->first; i < core->end && taken < count; i++) {
		uint32_t cpu = map->pus[i].cpu;

		if (pisces_cpuset_has(candidates, cpu) && !pisces_cpuset_has(chosen, cpu)) {
			pisces_cpuset_add(chosen, cpu);
			taken++;
		}
	}
	return taken;
}

/*
 * Takes COUNT candidates of NODE, which has as many. Who splits cores would rather
 * have parts of cores than break one; who keeps them whole gets the rest of a core
 * that is broken here, but not that of one of which others have a part.
 */
static void take_of_node(const struct pisces_map *map, const struct pisces_map_node *node,
			 const struct pisces_cpuset *candidates, unsigned int count, bool split,
			 struct pisces_cpuset *chosen)
{
	enum way { WHOLE_CORES, PARTS_OF_CORES, SPLIT_PARTS, SPLIT_CORES, WAYS };
	static const enum way keeping[] = {WHOLE_CORES, SPLIT_CORES, PARTS_OF_CORES, SPLIT_PARTS};
	static const enum way splitting[] = {WHOLE_CORES, PARTS_OF_CORES, SPLIT_PARTS, SPLIT_CORES};
	uint32_t end = node->first + node->count;

	for (int step = 0; step < WAYS; step++) {
		enum way way = split ? splitting[step] : keeping[step];
		struct core core;

		for (uint32_t i = node->first; i < end && count > 0; i = core.end) {
			bool whole, broken = way == SPLIT_PARTS || way == SPLIT_CORES;

			core = core_at(map, candidates, i);
			whole = core.candidates == core.end - core.first;
			if (whole != (way == WHOLE_CORES || way == SPLIT_CORES))
				continue;
			if (core.candidates <= count || broken)
				count -= take(map, candidates, &core, count, chosen);
		}
	}
}

static unsigned int candidates_of(const struct pisces_map *map, const struct pisces_map_node *node,
				  const struct pisces_cpuset *candidates)
{
	unsigned int count = 0;

	for (uint32_t i = node->first; i < node->first + node->count; i++)
		count += pisces_cpuset_has(candidates, map->pus[i].cpu);
	return count;
}

#define ANY_PACKAGE UINT32_MAX

/*
 * The node of PACKAGE that is not USED yet to take next when COUNT are wanted:
 * the smallest that suffices, else the largest. NULL if none has a candidate.
 */
static const struct pisces_map_node *next_node(const struct pisces_map *map,
					       const struct pisces_cpuset *candidates,
					       unsigned int count, uint32_t package,
					       const bool used[PISCES_MAX_NODES])
{
	const struct pisces_map_node *best = NULL;
	unsigned int best_can = 0;

	for (uint32_t n = 0; n < map->node_count; n++) {
		const struct pisces_map_node *node = &map->nodes[n];
		unsigned int can = candidates_of(map, node, candidates);
		bool better;

		if (used[n] || can == 0 || (package != ANY_PACKAGE && node->package != package))
			continue;
		if (can >= count)
			better = best_can < count || can < best_can;
		else
			better = can > best_can;
		if (better) {
			best = node;
			best_can = can;
		}
	}
	return best;
}

/*
 * Takes COUNT candidates of PACKAGE, node after node, into *CHOSEN (may be NULL).
 * Returns on how many nodes they are; 0 if PACKAGE has not so many.
 */
static unsigned int take_nodes(const struct pisces_map *map, const struct pisces_cpuset *candidates,
			       unsigned int count, uint32_t package, bool split,
			       struct pisces_cpuset *chosen)
{
	const struct pisces_map_node *node;
	bool used[PISCES_MAX_NODES] = {false};
	unsigned int nodes = 0;

	while (count > 0 && (node = next_node(map, candidates, count, package, used))) {
		unsigned int can = candidates_of(map, node, candidates);

		if (can > count)
			can = count;
		if (chosen)
			take_of_node(map, node, candidates, can, split, chosen);
		used[node - map->nodes] = true;
		count -= can;
		nodes++;
	}
	return count == 0 ? nodes : 0;
}

/* The node with enough candidates and enough memory that has the fewest to spare; or NULL. */
static const struct pisces_map_node *single_node(const struct pisces_map *map,
						 const struct pisces_cpuset *candidates,
						 unsigned int count, uint64_t memory)
{
	bool poor[PISCES_MAX_NODES] = {false};
	const struct pisces_map_node *node;

	for (uint32_t n = 0; n < map->node_count; n++)
		poor[n] = map->nodes[n].free < memory;
	node = next_node(map, candidates, count, ANY_PACKAGE, poor);
	return node && candidates_of(map, node, candidates) >= count ? node : NULL;
}

/* The package that has COUNT candidates on as few nodes as any, and the fewest to spare. */
static uint32_t single_package(const struct pisces_map *map, const struct pisces_cpuset *candidates,
			       unsigned int count)
{
	unsigned int fewest = take_nodes(map, candidates, count, ANY_PACKAGE, false, NULL);
	uint32_t best = ANY_PACKAGE;
	unsigned int best_can = 0;

	for (uint32_t n = 0; n < map->node_count; n++) {
		uint32_t package = map->nodes[n].package;
		unsigned int can = 0;

		if (take_nodes(map, candidates, count, package, false, NULL) != fewest)
			continue;
		for (uint32_t other = 0; other < map->node_count; other++) {
			if (map->nodes[other].package == package)
				can += candidates_of(map, &map->nodes[other], candidates);
		}
		if (best == ANY_PACKAGE || can < best_can) {
			best = package;
			best_can = can;
		}
	}
	return best;
}

/* COUNT of CANDIDATES. Returns on how many nodes they are. */
static unsigned int choose(const struct pisces_map *map, const struct pisces_cpuset *candidates,
			   unsigned int count, uint64_t memory, bool split,
			   struct pisces_cpuset *chosen)
{
	const struct pisces_map_node *node = single_node(map, candidates, count, memory);

	*chosen = (struct pisces_cpuset){0};
	if (!node)
		return take_nodes(map, candidates, count, single_package(map, candidates, count),
				  split, chosen);
	take_of_node(map, node, candidates, count, split, chosen);
	return 1;
}

void pisces_choose_cpus(const struct pisces_map *map, const struct pisces_cpuset *candidates,
			const struct pisces_cpuset *avoid, unsigned int count, uint64_t memory,
			bool split, struct pisces_cpuset *chosen)
{
	unsigned int nodes = choose(map, candidates, count, memory, split, chosen);
	bool rich = single_node(map, candidates, count, memory) != NULL;
	struct pisces_cpuset others, better;

	for (unsigned int i = 0; i < PISCES_CPU_WORDS; i++)
		others.word[i] = candidates->word[i] & ~avoid->word[i];
	if (pisces_cpuset_count(&others) >= count &&
	    (!rich || single_node(map, &others, count, memory)) &&
	    choose(map, &others, count, memory, split, &better) <= nodes)
		*chosen = better;
}

void pisces_complete_cores(const struct pisces_map *map, const struct pisces_cpuset *candidates,
			   struct pisces_cpuset *chosen, struct pisces_cpuset *added)
{
	struct core core;

	*added = (struct pisces_cpuset){0};
	for (uint32_t i = 0; i < map->pu_count; i = core.end) {
		bool has = false;

		core = core_at(map, candidates, i);
		for (uint32_t j = core.first; j < core.end; j++)
			has = has || pisces_cpuset_has(chosen, map->pus[j].cpu);
		for (uint32_t j = core.first; has && j < core.end; j++) {
			uint32_t cpu = map->pus[j].cpu;

			if (!pisces_cpuset_has(candidates, cpu) || pisces_cpuset_has(chosen, cpu))
				continue;
			pisces_cpuset_add(chosen, cpu);
			pisces_cpuset_add(added, cpu);
		}
	}
}
