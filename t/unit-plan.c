/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plans on machines that nobody here has: which CPUs, how much memory of which
 * NUMA node, which CPUs stay for the proxy, and what is said when it cannot be.
 */
#include <stdlib.h>

#include "libpisces.h"
#include "tap.h"

/* The machines. Files are in t/topologies, the rest is hwloc's synthetic syntax. */
#define TESTBED	  "package:2 [numa(memory=2147483648)] core:2 pu:1"
#define SNC	  "package:2 group:2 [numa(memory=8589934592)] core:4 pu:2"
#define SMT4	  "package:1 [numa(memory=17179869184)] core:4 pu:4"
#define PUS_1024  "package:8 group:2 [numa(memory=68719476736)] core:32 pu:2"
#define PUS_2048  "package:8 group:2 [numa(memory=68719476736)] core:64 pu:2"
#define ONE_CORE  "package:1 [numa(memory=4294967296)] core:1 pu:1"
#define TWO_PUS	  "package:1 [numa(memory=4294967296)] core:1 pu:2"
#define SMT_FILE  "two-sockets-smt.xml"
#define UNEVEN	  "uneven.xml"
#define HBM	  "flat-hbm.xml"
#define OFFLINE	  "offline.xml"
#define NO_MEMORY "memoryless.xml"
#define ODD_EVEN  "interleaved.xml"
#define NO_CPU_0  "no-cpu-0.xml"

static struct pisces_plan plan;
static struct pisces_error error;

/* What make() asks for besides: SMT siblings may be left, cores that others share. */
static bool split_cores;
static const char *shared_cores = "";

/* And CPUs for the system's programs; whether other people have what was not allocated. */
static const char *system_cpus = "";
static bool others;

/* Plans; 0 for CPUS, "" for texts: not asked for, nothing known. */
static int make(const char *machine, unsigned int cpus, const char *memory, const char *allocated,
		const char *allocated_memory)
{
	struct pisces_allocation allocation = {0};
	struct pisces_request request;
	char path[512];

	pisces_request_init(&request);
	request.cpus = cpus;
	request.split_cores = split_cores;
	allocation.others = others;
	if (system_cpus[0] && pisces_cpuset_parse(system_cpus, &allocation.system) < 0)
		return -1;
	if (shared_cores[0] && pisces_cpuset_parse(shared_cores, &allocation.shared) < 0)
		return -1;
	if (memory[0] && pisces_size_parse(memory, &request.memory, &error) < 0)
		return -1;
	if (allocated_memory[0] &&
	    pisces_size_parse(allocated_memory, &allocation.memory, &error) < 0)
		return -1;
	if (allocated[0] && pisces_cpuset_parse(allocated, &allocation.cpus) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s", machine);
	if (strstr(machine, ".xml"))
		snprintf(path, sizeof(path), "%s/t/topologies/%s",
			 getenv("top_srcdir") ? getenv("top_srcdir") : ".", machine);
	memset(&error, 0, sizeof(error));
	return pisces_plan_for(path, &request, &allocation, &plan, &error);
}

/* The plan in a line: "1 2 3 | 0:512 MiB 1:1 GiB | 0", CPUs in the enclave's order. */
static const char *line(void)
{
	static char text[16384];
	char list[4096], size[32];
	size_t used = 0;

	for (unsigned int i = 0; i < plan.cpu_count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%u ",
					 plan.cpus[i].linux_cpu);
	used += (size_t)snprintf(text + used, sizeof(text) - used, "|");
	for (unsigned int i = 0; i < plan.memory_count; i++)
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, " %u:%s", plan.memory[i].node,
			pisces_size_format(plan.memory[i].size, size, sizeof(size)));
	snprintf(text + used, sizeof(text) - used, " | %s",
		 pisces_cpuset_format(&plan.linux_cpus, list, sizeof(list)));
	return text;
}

static const struct {
	const char *what;
	const char *machine;
	unsigned int cpus;
	const char *memory;
	const char *allocated;
	const char *allocated_memory;
	const char *expected;
} good[] = {
	/* The virtual node of the tests. */
	{"one CPU goes where the least is broken", TESTBED, 1, "256M", "", "",
	 "1 | 0:256 MiB | 0,2-3"},
	{"two CPUs on one NUMA node", TESTBED, 2, "256M", "", "", "2 3 | 1:256 MiB | 0-1"},
	{"three CPUs: memory of both nodes, by CPUs", TESTBED, 3, "384M", "", "",
	 "1 2 3 | 0:128 MiB 1:256 MiB | 0"},
	{"two thirds of 256 MiB in 2 MiB pieces", TESTBED, 3, "256M", "", "",
	 "1 2 3 | 0:86 MiB 1:170 MiB | 0"},
	{"all but CPU 0", TESTBED, 0, "256M", "", "", "1 2 3 | 0:86 MiB 1:170 MiB | 0"},
	{"memory is rounded up to 2 MiB", TESTBED, 1, "65M", "", "", "1 | 0:66 MiB | 0,2-3"},
	{"no memory asked: the CPUs' share of their node", TESTBED, 2, "", "", "",
	 "2 3 | 1:1 GiB | 0-1"},
	{"no memory asked: that of the allocation", TESTBED, 2, "", "2-3", "600M",
	 "2 3 | 1:600 MiB | 0"},
	{"less than that of the allocation", TESTBED, 2, "512M", "2-3", "600M",
	 "2 3 | 1:512 MiB | 0"},
	{"an allocation with CPU 0, which stays for the proxy", TESTBED, 0, "256M", "0,2-3", "",
	 "2 3 | 1:256 MiB | 0"},
	{"an allocation across nodes", TESTBED, 0, "256M", "1,3", "",
	 "1 3 | 0:128 MiB 1:128 MiB | 0"},
	{"a part of the allocation: the proxy gets the rest", TESTBED, 2, "256M", "1-3", "",
	 "2 3 | 1:256 MiB | 1"},
	{"all of the allocation: the proxy gets CPU 0's core", TESTBED, 0, "256M", "2-3", "",
	 "2 3 | 1:256 MiB | 0"},

	/* SMT, numbered as Linux does: siblings are n and n + 8. */
	{"a whole core, not CPU 0's", SMT_FILE, 2, "1G", "", "", "1 9 | 0:1 GiB | 0,2-8,10-15"},
	{"three whole cores of one socket", SMT_FILE, 6, "1G", "", "",
	 "1 9 2 10 3 11 | 0:1 GiB | 0,4-8,12-15"},
	{"seven PUs: an eighth, and not the core of CPU 0", SMT_FILE, 7, "1G", "", "",
	 "4 12 5 13 6 14 7 15 | 1:1 GiB | 0-3,8-11"},
	{"one PU: its sibling as well", SMT_FILE, 1, "1G", "", "", "1 9 | 0:1 GiB | 0,2-8,10-15"},
	{"whole cores before parts of cores", SMT_FILE, 3, "1G", "1,9,2,3,11", "",
	 "1 9 3 11 | 0:1 GiB | 2"},
	{"the core of CPU 0 if there is no other", SMT_FILE, 3, "1G", "0,8,1,9", "",
	 "8 1 9 | 0:1 GiB | 0"},
	{"or if it saves a NUMA node", SMT_FILE, 3, "1G", "0,8,1,9,4", "", "8 1 9 | 0:1 GiB | 0,4"},
	{"eight PUs are a whole socket, the other one", SMT_FILE, 8, "1G", "", "",
	 "4 12 5 13 6 14 7 15 | 1:1 GiB | 0-3,8-11"},
	{"a core is not broken, even if it must", SMT_FILE, 3, "1G", "1-3,9-11", "",
	 "1 9 2 10 | 0:1 GiB | 3,11"},
	{"halves of cores, if these were allocated", SMT_FILE, 0, "1G", "4-7", "",
	 "4 5 6 7 | 1:1 GiB | 0,8"},
	{"three of four threads of CPU 0's core come last, together", SMT4, 13, "1G", "", "",
	 "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 | 0:1 GiB | 0"},
	{"twelve do without them", SMT4, 11, "1G", "", "",
	 "4 5 6 7 8 9 10 11 12 13 14 15 | 0:1 GiB | 0-3"},
	{"two of four are four", SMT4, 2, "1G", "1-7", "", "4 5 6 7 | 0:1 GiB | 1-3"},

	/* Sub-NUMA clusters. */
	{"a cluster that is whole", SNC, 8, "1G", "", "",
	 "8 9 10 11 12 13 14 15 | 1:1 GiB | 0-7,16-31"},
	{"two clusters of one socket", SNC, 16, "1G", "", "",
	 "16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 | 2:512 MiB 3:512 MiB | 0-15"},
	{"a node without the memory is passed over", SNC, 2, "9G", "", "", NULL},

	/* NUMA nodes that differ. */
	{"a small node is enough", UNEVEN, 1, "512M", "", "", "1 | 0:512 MiB | 0,2-7"},
	{"a small node has too little memory", UNEVEN, 1, "2G", "", "", "2 | 1:2 GiB | 0-1,3-7"},
	{"memory by CPUs", UNEVEN, 7, "1400M", "", "", "1 2 3 4 5 6 7 | 0:200 MiB 1:1200 MiB | 0"},
	{"the default fits the smaller node", UNEVEN, 0, "", "", "",
	 "1 2 3 4 5 6 7 | 0:512 MiB 1:3 GiB | 0"},
	{"odd and even CPUs: in the order of the nodes", ODD_EVEN, 0, "700M", "", "",
	 "2 4 6 1 3 5 7 | 0:300 MiB 1:400 MiB | 0"},

	/* Memory without CPUs, CPUs without memory. */
	{"memory of nodes without CPUs is not used", HBM, 4, "12G", "", "",
	 "4 5 6 7 | 1:12 GiB | 0-3"},
	{"a node without memory is no place, whoever names no amount", NO_MEMORY, 2, "", "1-5", "",
	 "1 2 | 0:8 GiB | 3-5"},
	{"a node without memory gives none", NO_MEMORY, 7, "1G", "", "",
	 "1 2 3 4 5 6 7 | 0:1 GiB | 0"},

	/* PUs that are offline. */
	{"offline PUs are not taken", OFFLINE, 0, "512M", "", "", "1 2 4 6 7 | 0:512 MiB | 0"},
	{"nor counted, if there are others", OFFLINE, 2, "512M", "2-5", "", "2 4 | 0:512 MiB | 0"},

	/* Without CPU 0 the last one stays. */
	{"CPU 0 is offline", NO_CPU_0, 0, "64M", "", "", "2 3 4 5 6 | 0:64 MiB | 7"},

	/* The least there can be. */
	{"a sibling of CPU 0", TWO_PUS, 0, "64M", "", "", "1 | 0:64 MiB | 0"},
};

/* Where SMT siblings may be left to others. */
static const struct {
	const char *what;
	const char *machine;
	unsigned int cpus;
	const char *allocated;
	const char *expected;
} split[] = {
	{"one PU is one PU", SMT_FILE, 1, "", "1 | 0:64 MiB | 0,2-15"},
	{"seven PUs are seven, and not on the core of CPU 0", SMT_FILE, 7, "",
	 "4 12 5 13 6 14 7 | 1:64 MiB | 0-3,8-11,15"},
	{"a core is broken only if it must be", SMT_FILE, 3, "1-3,9-11",
	 "1 9 2 | 0:64 MiB | 3,10-11"},
	{"a part of a core before a whole one is broken", SMT_FILE, 3, "1,9,2,3,11",
	 "1 9 2 | 0:64 MiB | 3,11"},
	{"half a core is not made of CPU 0's", SMT4, 2, "1-7", "4 5 | 0:64 MiB | 1-3,6-7"},
};

/* Beside other enclaves, which have the siblings of these CPUs. */
static const struct {
	const char *what;
	unsigned int cpus;
	const char *shared;
	const char *online; /* of SMT_FILE, without what the others have */
	const char *expected;
	const char *note;
} beside[] = {
	{"a core of one's own before one that is shared", 2, "1,2", "0-8,11-15",
	 "3 11 | 0:64 MiB | 0-2,4-8,12-15", ""},
	{"one PU is rather a whole core", 1, "1,2", "0-8,11-15", "3 11 | 0:64 MiB | 0-2,4-8,12-15",
	 "2 CPUs, not 1: 11 came along"},
	{"shared cores if there is no other", 4, "1,2", "0-3,11", "1 2 3 11 | 0:64 MiB | 0",
	 "CPU 1 shares its core with another enclave"},
	{"all that is left", 0, "1,2", "1-2", "1 2 | 0:64 MiB | 0,8", "another enclave"},
};

/* A job's, which may share the node with others': where its proxies may run. */
static const struct {
	const char *what;
	const char *machine;
	unsigned int cpus;
	const char *allocated;
	const char *system;
	const char *expected; /* NULL: refused */
	const char *says;     /* in the note, or in the error */
} jobs[] = {
	{"the system's CPU has the proxy", TESTBED, 0, "2-3", "0", "2 3 | 1:64 MiB | 0", ""},
	{"wherever that is", TESTBED, 0, "0-1", "3", "1 | 0:64 MiB | 3", "CPU 0 of the allocation"},
	{"even if a CPU of the job is left", TESTBED, 2, "1-3", "0", "2 3 | 1:64 MiB | 0", ""},
	{"several of them", SMT_FILE, 0, "2-3,10-11", "0,8", "2 10 3 11 | 0:64 MiB | 0,8", ""},
	{"one that is offline is none", OFFLINE, 0, "1-2", "3", "1 | 0:64 MiB | 2",
	 "CPU 2 of the allocation stays with Linux, for the proxy: the enclave has 1 CPU"},
	{"without such a place, a core of the job stays", TESTBED, 0, "1-3", "",
	 "1 2 | 0:32 MiB 1:32 MiB | 3", "CPU 3 of the allocation stays"},
	{"a whole core", SMT_FILE, 0, "2-3,10-11", "", "2 10 | 0:64 MiB | 3,11", "CPU 3,11 of the"},
	{"rather that of CPU 0", SMT_FILE, 0, "8,1,9", "", "1 9 | 0:64 MiB | 8", "CPU 8 of the"},
	{"CPU 0, if the job has it", TESTBED, 0, "0,2-3", "", "2 3 | 1:64 MiB | 0",
	 "CPU 0 of the allocation"},
	{"what is left, if something is", TESTBED, 2, "1-3", "", "2 3 | 1:64 MiB | 1", ""},
	{"of one core, one CPU", SMT_FILE, 0, "3,11", "", "3 | 0:64 MiB | 11", "CPU 11 of the"},
	{"of one CPU, none", TESTBED, 0, "2", "", NULL, "ask for one CPU more"},
	{"nor if all were asked for", TESTBED, 3, "1-3", "", NULL, "ask for at most 2"},
};

static const struct {
	const char *what;
	const char *machine;
	unsigned int cpus;
	const char *memory;
	const char *allocated;
	const char *allocated_memory;
	const char *says[3]; /* parts of the message */
} bad[] = {
	{"one CPU", ONE_CORE, 0, "64M", "", "", {"one CPU", "bring one online"}},
	{"one CPU, asked for", ONE_CORE, 1, "64M", "", "", {"one CPU"}},
	{"CPU 0 alone", TESTBED, 0, "64M", "0", "", {"CPU 0", "CpuSpecList=0"}},
	{"more CPUs than there are", TESTBED, 64, "64M", "", "", {"64 CPUs", "1-3", "at most 3"}},
	{"all CPUs of the machine", TESTBED, 4, "64M", "", "", {"4 CPUs", "at most 3", "CPU 0"}},
	{"more CPUs than allocated", TESTBED, 3, "64M", "2-3", "", {"3 CPUs", "2-3", "at most 2"}},
	{"CPUs that are not there", TESTBED, 0, "64M", "2-9", "", {"4-9", "not online"}},
	{"offline CPUs, all of the allocation",
	 OFFLINE,
	 0,
	 "64M",
	 "2-5",
	 "",
	 {"3,5", "not online"}},
	{"too little memory", TESTBED, 1, "32M", "", "", {"32 MiB", "64 MiB"}},
	{"more memory than there is", TESTBED, 1, "64G", "", "", {"64 GiB", "2 GiB", "at most"}},
	{"more memory than the allocation",
	 TESTBED,
	 2,
	 "2G",
	 "2-3",
	 "600M",
	 {"2 GiB", "600 MiB", "--mem"}},
	{"more memory than one of the nodes has",
	 UNEVEN,
	 7,
	 "8G",
	 "",
	 "",
	 {"8 GiB", "1 GiB on NUMA node 0", "at most 7 GiB"}},
	{"memory of nodes without CPUs", HBM, 4, "17G", "", "", {"17 GiB", "16 GiB"}},
	{"CPUs of a node without memory",
	 NO_MEMORY,
	 0,
	 "1G",
	 "4-7",
	 "",
	 {"NUMA node 1", "no memory"}},
	{"a topology that is none", "moon:cheese", 1, "64M", "", "", {"moon:cheese"}},
	{"a file that is not there",
	 "nowhere.xml",
	 1,
	 "64M",
	 "",
	 "",
	 {"nowhere.xml", "No such file"}},
};

static void check_good(void)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int result = make(good[i].machine, good[i].cpus, good[i].memory, good[i].allocated,
				  good[i].allocated_memory);

		if (!good[i].expected)
			ok(result < 0, "%s: none has it: %s", good[i].what, error.text);
		else if (result < 0)
			ok(false, "%s: %s", good[i].what, error.text);
		else
			is_text(line(), good[i].expected, good[i].what);
	}
}

static void check_smt(void)
{
	split_cores = true;
	for (size_t i = 0; i < sizeof(split) / sizeof(split[0]); i++) {
		if (make(split[i].machine, split[i].cpus, "64M", split[i].allocated, "") < 0)
			ok(false, "split: %s: %s", split[i].what, error.text);
		else
			is_text(line(), split[i].expected, split[i].what);
		is_text(plan.note, "", "  and no note: it was asked for");
	}
	split_cores = false;
	for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
		shared_cores = beside[i].shared;
		if (make(SMT_FILE, beside[i].cpus, "64M", beside[i].online, "") < 0)
			ok(false, "%s: %s", beside[i].what, error.text);
		else
			is_text(line(), beside[i].expected, beside[i].what);
		ok(strstr(plan.note, beside[i].note), "  note: %s", plan.note);
	}
	/* A core of one's own is no use on a node without the memory. */
	shared_cores = "2-7";
	if (make(UNEVEN, 1, "2G", "", "") < 0)
		ok(false, "shared cores beside the memory: %s", error.text);
	else
		is_text(line(), "2 | 1:2 GiB | 0-1,3-7", "shared cores beside the memory");
	shared_cores = "";
}

static void check_jobs(void)
{
	others = true;
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		bool made;

		system_cpus = jobs[i].system;
		made = make(jobs[i].machine, jobs[i].cpus, "64M", jobs[i].allocated, "") == 0;
		if (made && jobs[i].expected)
			is_text(line(), jobs[i].expected, jobs[i].what);
		else
			ok(made == (jobs[i].expected != NULL), "%s: %s", jobs[i].what, error.text);
		ok(strstr(made ? plan.note : error.text, jobs[i].says) &&
			   (jobs[i].says[0] || !plan.note[0]),
		   "  says: %s", made ? plan.note : error.text);
	}
	system_cpus = "";
	others = false;
}

static void check_bad(void)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		bool said = make(bad[i].machine, bad[i].cpus, bad[i].memory, bad[i].allocated,
				 bad[i].allocated_memory) < 0;

		for (int j = 0; j < 3 && bad[i].says[j]; j++)
			said = said && strstr(error.text, bad[i].says[j]);
		ok(said && !strchr(error.text, '\n'), "refused: %s: %s", bad[i].what, error.text);
	}
}

static void check_notes(void)
{
	make(TESTBED, 0, "256M", "0,2-3", "");
	ok(strstr(plan.note, "CPU 0") && strstr(plan.note, "2 CPUs") &&
		   strstr(plan.note, "CpuSpecList=0"),
	   "a note says that CPU 0 stayed: %s", plan.note);
	make(TESTBED, 2, "256M", "0,2-3", "");
	is_text(plan.note, "", "none if as many CPUs as asked for are there all the same");
	make(SMT_FILE, 0, "1G", "4-7", "");
	ok(strstr(plan.note, "shares its core"), "a note says that cores are shared: %s",
	   plan.note);
	ok(strstr(plan.note, "CPU 12 of Linux, which the allocation does not have"),
	   "and that the sibling was not to be had");
	make(SMT_FILE, 3, "1G", "0-15", "");
	ok(strstr(plan.note, "4 CPUs, not 3: 10 came along") && strstr(plan.note, "--smt=split"),
	   "a note says that a sibling came along: %s", plan.note);
	make(SMT_FILE, 0, "1G", "4-7,12-15", "");
	is_text(plan.note, "", "none if whole cores are taken");
}

/*
 * What must hold of any plan. MACHINE has COUNT PUs, THREADS to a core, on NODES nodes
 * of equal size.
 */
static bool holds(const struct pisces_cpuset *allocated, unsigned int asked, uint64_t memory,
		  unsigned int count, unsigned int threads, unsigned int nodes, const char **why)
{
	unsigned int cpus = plan.cpu_count;
	unsigned int on_node[PISCES_MAX_NODES] = {0}, can[PISCES_MAX_NODES] = {0};
	unsigned int used = 0, needed = 0, left = asked, last_node = 0;
	struct pisces_cpuset seen = {0};
	uint64_t sum = 0;

	*why = "as many CPUs as asked for";
	if (split_cores ? cpus != asked : cpus < asked)
		return false;
	for (unsigned int i = 0; i < cpus; i++) {
		unsigned int cpu = plan.cpus[i].linux_cpu, node = plan.cpus[i].node;

		*why = "CPUs of the allocation, each once, never CPU 0";
		if (cpu == 0 || !pisces_cpuset_has(allocated, cpu) || pisces_cpuset_has(&seen, cpu))
			return false;
		pisces_cpuset_add(&seen, cpu);
		*why = "the node that it is on, in order";
		if (node != cpu / (count / nodes) || node < last_node)
			return false;
		last_node = node;
		on_node[node]++;
	}
	*why = "no sibling is left that was allocated, and none came without need";
	for (unsigned int core = 0; core < count / threads && !split_cores; core++) {
		unsigned int has = 0, could = 0;

		for (unsigned int cpu = core * threads; cpu < (core + 1) * threads; cpu++) {
			has += pisces_cpuset_has(&seen, cpu);
			could += cpu > 0 && pisces_cpuset_has(allocated, cpu);
		}
		if (has != 0 && has != could)
			return false;
	}
	if (cpus - asked >= threads)
		return false;
	for (unsigned int i = 0; i < plan.memory_count; i++) {
		*why = "memory in large pages, of nodes that have CPUs of the plan";
		if (plan.memory[i].size == 0 || plan.memory[i].size % PISCES_MEMORY_ALIGN ||
		    on_node[plan.memory[i].node] == 0)
			return false;
		*why = "memory in proportion to CPUs, to a large page";
		sum += plan.memory[i].size;
		if (plan.memory[i].size * cpus + PISCES_MEMORY_ALIGN * cpus <
			    memory * on_node[plan.memory[i].node] ||
		    plan.memory[i].size * cpus >
			    memory * on_node[plan.memory[i].node] + PISCES_MEMORY_ALIGN * cpus)
			return false;
	}
	*why = "memory as asked for, rounded up";
	if (sum != (memory + PISCES_MEMORY_ALIGN - 1) / PISCES_MEMORY_ALIGN * PISCES_MEMORY_ALIGN)
		return false;

	*why = "the proxy has CPUs, and none of the plan's";
	if (pisces_cpuset_count(&plan.linux_cpus) == 0)
		return false;
	for (unsigned int cpu = 0; cpu < PISCES_MAX_CPUS; cpu++) {
		if (pisces_cpuset_has(&plan.linux_cpus, cpu) && pisces_cpuset_has(&seen, cpu))
			return false;
		if (cpu > 0 && pisces_cpuset_has(allocated, cpu))
			can[cpu / (count / nodes)]++;
	}

	*why = "the fewest NUMA nodes";
	for (unsigned int node = 0; node < nodes; node++)
		used += on_node[node] > 0;
	while (left > 0) {
		unsigned int most = 0;

		for (unsigned int node = 1; node < nodes; node++)
			most = can[node] > can[most] ? node : most;
		left -= can[most] < left ? can[most] : left;
		can[most] = 0;
		needed++;
	}
	return used == needed;
}

/* Random allocations and requests, from a fixed seed. */
static void check_properties(const char *machine, unsigned int count, unsigned int threads,
			     unsigned int nodes, int rounds)
{
	const char *why = "";
	bool good_all = true;

	srandom(count);
	for (int round = 0; round < rounds && good_all; round++) {
		struct pisces_cpuset allocated = {0};
		long density = random() % 100 + 1;
		unsigned int can, cpus;
		uint64_t megabytes = 64 + (uint64_t)random() % 512;
		char list[8192], memory[32], first[16384];

		for (unsigned int cpu = 0; cpu < count; cpu++) {
			if (random() % 100 < density)
				pisces_cpuset_add(&allocated, cpu);
		}
		can = pisces_cpuset_count(&allocated) - pisces_cpuset_has(&allocated, 0);
		if (can == 0)
			continue;
		cpus = (unsigned int)random() % can + 1;
		pisces_cpuset_format(&allocated, list, sizeof(list));
		snprintf(memory, sizeof(memory), "%lluM", (unsigned long long)megabytes);
		good_all = make(machine, cpus, memory, list, "") == 0 &&
			   holds(&allocated, cpus, megabytes << 20, count, threads, nodes, &why);
		if (!good_all) {
			printf("# round %d: %u CPUs, %s of %s: %s %s\n", round, cpus, memory, list,
			       why, error.text);
			continue;
		}
		strcpy(first, line());
		good_all = make(machine, cpus, memory, list, "") == 0 && strcmp(first, line()) == 0;
	}
	ok(good_all,
	   "%d random requests on %u PUs, %u NUMA nodes, cores %s: what must hold of a plan holds",
	   rounds, count, nodes, split_cores ? "split" : "kept");
}

int main(void)
{
	check_good();
	check_smt();
	check_jobs();
	check_bad();
	check_notes();

	ok(make(PUS_1024, 0, "16G", "", "") == 0 && plan.cpu_count == 1023 &&
		   plan.memory_count == 16,
	   "1,024 PUs: 1,023 are taken: %s", error.text);
	ok(make(PUS_1024, 64, "16G", "", "") == 0 && plan.cpu_count == 64 && plan.memory_count == 1,
	   "64 PUs of 1,024 are one NUMA node: %s", error.text);
	ok(make(PUS_2048, 0, "16G", "", "") == 0 && plan.cpu_count == 1023,
	   "of a larger machine, those below number 1,024: %s", error.text);

	for (int mode = 0; mode < 2; mode++) {
		split_cores = mode == 1;
		check_properties(TESTBED, 4, 1, 2, 200);
		check_properties(SNC, 32, 2, 4, 300);
		check_properties(SMT4, 16, 4, 1, 300);
		check_properties(PUS_1024, 1024, 2, 16, 20);
	}
	return done();
}
