/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pisces resize: more CPUs or memory for an enclave that runs, or fewer. */
#include "tool.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"usage: pisces resize ENCLAVE [OPTIONS]\n"
	"\n"
	"Gives ENCLAVE (a number or a name), which goes on running, more CPUs or memory, or\n"
	"takes some back for Linux. CPUs come first, then memory, then CPUs go; a step that is\n"
	"refused leaves all as it was before it. Needs root.\n"
	"\n"
	"  --cpus=+N         add N CPUs, near its memory\n"
	"  --cpus=-N         give N CPUs back, those with the highest numbers\n"
	"  --cpus=LIST       add and give back CPUs until it has these, by Linux's numbers\n"
	"  --add-cpus=LIST   add these CPUs\n"
	"  --remove-cpus=LIST  give these CPUs back\n"
	"  --mem=+SIZE       add memory, as 512M or 1.5G\n"
	"  --mem=-SIZE       give memory back that its programs do not use\n"
	"  --mem=SIZE        add memory or give it back until it has so much\n"
	"  --node=N          the NUMA node of that memory (default: that of most of its memory)\n"
	"  --mem-way=WAY     how it is taken: contig, block or remove (default: the module's\n"
	"                    parameter memory_way)\n"
	"  -v, --verbose     say on stderr how long each step took, and what it has then\n";

struct resize {
	const char *cpus; /* as the user wrote it; NULL: not at all */
	const char *memory;
	bool verbose;
	struct pisces_change change;
};

/* A decimal number below LIMIT; false if TEXT is none. */
static bool read_number(const char *text, unsigned long limit, unsigned int *number)
{
	char *end;
	unsigned long value;

	if (!isdigit((unsigned char)*text))
		return false;
	value = strtoul(text, &end, 10);
	if (*end || value >= limit)
		return false;
	*number = (unsigned int)value;
	return true;
}

static bool set_option(int option, struct resize *resize)
{
	struct pisces_request request;
	unsigned int node;

	switch (option) {
	case 'c':
		resize->cpus = optarg;
		return true;
	case 'a':
		return tool_cpu_list("resize", optarg, &resize->change.add_cpus);
	case 'r':
		return tool_cpu_list("resize", optarg, &resize->change.remove_cpus);
	case 'm':
		resize->memory = optarg;
		return true;
	case 'n':
		if (!read_number(optarg, PISCES_MAX_NODES, &node)) {
			tool_usage("resize", "'%s' is not the number of a NUMA node", optarg);
			return false;
		}
		resize->change.node = (int)node;
		return true;
	case 'w':
		pisces_request_init(&request);
		if (!tool_request("resize", &request, "mem-way", optarg))
			return false;
		resize->change.way = request.way;
		return true;
	case 'v':
		resize->verbose = true;
		return true;
	default:
		return false;
	}
}

static void tell_note(const char *note)
{
	if (note[0])
		fprintf(stderr, "enclave: %s\n", note);
}

/* What "--cpus" means for an enclave of *INFO. Returns an exit code. */
static int plan_cpus(const char *text, const struct pisces_info *info, struct pisces_change *change)
{
	struct pisces_cpuset list;
	struct pisces_error error;
	unsigned int count;
	char note[PISCES_NOTE_LEN];

	if (text[0] != '+' && text[0] != '-') {
		if (!tool_cpu_list("resize", text, &list))
			return TOOL_USAGE;
		for (unsigned int i = 0; i < PISCES_CPU_WORDS; i++) {
			change->add_cpus.word[i] |= list.word[i] & ~info->cpus[i];
			change->remove_cpus.word[i] |= info->cpus[i] & ~list.word[i];
		}
		return TOOL_OK;
	}
	if (!read_number(text + 1, PISCES_MAX_CPUS + 1, &count) || count == 0)
		return tool_usage("resize", "'%s' is not a number of CPUs, as +2 or -1, nor a list", text);
	if (text[0] == '+') {
		if (pisces_change_choose(info, count, &change->add_cpus, note, &error) < 0)
			return tool_failed(&error);
		tell_note(note);
		return TOOL_OK;
	}
	if (count >= info->cpu_count) {
		fprintf(stderr,
			"enclave: enclave %" PRIu32 " has %" PRIu32 " CPU%s and needs one as long as "
			"it runs: it can give %" PRIu32 " back\n",
			info->enclave, info->cpu_count, info->cpu_count == 1 ? "" : "s",
			info->cpu_count - 1);
		return TOOL_FAILED;
	}
	for (unsigned int cpu = PISCES_MAX_CPUS; cpu-- > 0 && count > 0;) {
		if (!(info->cpus[cpu / 64] >> (cpu % 64) & 1))
			continue;
		pisces_cpuset_add(&change->remove_cpus, cpu);
		count--;
	}
	return TOOL_OK;
}

/* What "--mem" means for an enclave of *INFO. Returns an exit code. */
static int plan_memory(const char *text, const struct pisces_info *info,
		       struct pisces_change *change)
{
	bool relative = text[0] == '+' || text[0] == '-';
	struct pisces_error error;
	uint64_t bytes;

	if (pisces_size_parse(text + relative, &bytes, &error) < 0)
		return tool_usage("resize", "%s", error.text);
	change->memory = (int64_t)bytes;
	if (text[0] == '-')
		change->memory = -change->memory;
	else if (!relative)
		change->memory -= (int64_t)info->memory;
	return TOOL_OK;
}

/* The parts of a change, in the order in which they are carried out. */
enum part { ADD_CPUS, MEMORY, REMOVE_CPUS, PARTS };

/* Says in TEXT what PART of the change is, in the past; false if there is nothing to do. */
static bool part_of(const struct pisces_change *all, enum part part, struct pisces_change *one,
		    char *text, size_t size)
{
	const struct pisces_cpuset *cpus = part == ADD_CPUS ? &all->add_cpus : &all->remove_cpus;
	char list[128];
	int64_t memory = all->memory;

	*one = (struct pisces_change){.node = all->node, .way = all->way};
	if (part == MEMORY) {
		one->memory = memory;
		snprintf(text, size, "%s of memory %s",
			 pisces_size_format(memory < 0 ? 0 - (uint64_t)memory : (uint64_t)memory,
					    list, sizeof(list)),
			 memory < 0 ? "given back" : "added");
		return memory != 0;
	}
	if (part == ADD_CPUS)
		one->add_cpus = *cpus;
	else
		one->remove_cpus = *cpus;
	snprintf(text, size, "CPU%s %s %s", pisces_cpuset_count(cpus) == 1 ? "" : "s",
		 pisces_cpuset_format(cpus, list, sizeof(list)),
		 part == ADD_CPUS ? "added" : "given back");
	return pisces_cpuset_count(cpus) > 0;
}

static void tell_state(uint32_t enclave)
{
	struct pisces_error error;
	struct pisces_cpuset cpus;
	struct pisces_info info;
	char list[256], memory[32];

	if (pisces_info(enclave, &info, &error) < 0)
		return;
	cpus = pisces_info_cpus(&info);
	fprintf(stderr, "enclave: enclave %" PRIu32 " has CPUs %s and %s of memory\n", enclave,
		pisces_cpuset_format(&cpus, list, sizeof(list)),
		pisces_size_format(info.memory, memory, sizeof(memory)));
}

static int carry_out(uint32_t enclave, const struct resize *resize)
{
	char text[192], note[PISCES_NOTE_LEN], done[512] = "";
	struct pisces_error error;
	int fd = pisces_enclave_open(enclave, &error), result = TOOL_OK;

	if (fd < 0)
		return tool_failed(&error);
	for (enum part part = ADD_CPUS; part < PARTS && result == TOOL_OK; part++) {
		struct pisces_change one;
		uint64_t begin = pisces_now_ns();
		size_t used = strlen(done);

		if (!part_of(&resize->change, part, &one, text, sizeof(text)))
			continue;
		if (pisces_enclave_change(fd, &one, note, &error) < 0) {
			fprintf(stderr, "enclave: %s%s%s\n", error.text, *done ? "; before that: " : "",
				done);
			result = TOOL_FAILED;
			break;
		}
		tell_note(note);
		if (resize->verbose)
			fprintf(stderr, "enclave: %s in %.1f ms\n", text,
				(double)(pisces_now_ns() - begin) / 1e6);
		snprintf(done + used, sizeof(done) - used, "%s%s", used ? ", " : "", text);
	}
	close(fd);
	if (resize->verbose)
		tell_state(enclave);
	return result;
}

int command_resize(int argc, char **argv)
{
	static const struct option options[] = {
		{"cpus", required_argument, NULL, 'c'},
		{"add-cpus", required_argument, NULL, 'a'},
		{"remove-cpus", required_argument, NULL, 'r'},
		{"mem", required_argument, NULL, 'm'},
		{"mem-way", required_argument, NULL, 'w'},
		{"node", required_argument, NULL, 'n'},
		{"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct resize resize = {.change = {.node = -1, .way = PISCES_WAY_DEFAULT}};
	struct pisces_error error;
	struct pisces_info info;
	uint32_t enclave;
	int option, code = TOOL_OK;

	while ((option = tool_option(argv[0], argc, argv, ":vh", options)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return TOOL_OK;
		}
		if (!set_option(option, &resize))
			return TOOL_USAGE;
	}
	if (optind + 1 != argc)
		return tool_usage(argv[0], "takes one enclave, by number or name");
	if (!resize.cpus && !resize.memory && !pisces_cpuset_count(&resize.change.add_cpus) &&
	    !pisces_cpuset_count(&resize.change.remove_cpus))
		return tool_usage(argv[0], "which CPUs or memory? As --cpus=+1 or --mem=+512M");
	/* Until our end, which frees it: what we count from is what there is. */
	if (pisces_node_lock(&error) < 0 || pisces_find(argv[optind], &enclave, &error) < 0 ||
	    pisces_info(enclave, &info, &error) < 0)
		return tool_failed(&error);
	if (resize.cpus)
		code = plan_cpus(resize.cpus, &info, &resize.change);
	if (code == TOOL_OK && resize.memory)
		code = plan_memory(resize.memory, &info, &resize.change);
	return code == TOOL_OK ? carry_out(enclave, &resize) : code;
}
