/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What users write: sizes, options, lists of CPUs; and what is said of nonsense. */
#include <stdlib.h>

#include "libpisces.h"
#include "tap.h"

static struct pisces_error error;

/* ---- sizes ---- */

static const struct {
	const char *text;
	uint64_t bytes;
} sizes[] = {
	{"1", 1ull << 20},
	{"512", 512ull << 20},
	{"512M", 512ull << 20},
	{"512m", 512ull << 20},
	{"512MiB", 512ull << 20},
	{"4096K", 4096ull << 10},
	{"2G", 2ull << 30},
	{"1.5g", 3ull << 29},
	{"0.5G", 1ull << 29},
	{"1.25", 5ull << 18},
	{"1T", 1ull << 40},
	{"1.000000000000000000001G", 1ull << 30},
	{"0000000000000000000000000007M", 7ull << 20},
	{"8388607T", 8388607ull << 40},
};

static const char *const no_sizes[] = {
	"",    " ",    "M",   "G1",   "-1",   "-1M",  "+5M",	  " 5M",    "5 M",
	"5M ", "5MM",  "5MB", "5X",   "5.M",  ".5M",  "1..5M",	  "1.5.5M", "0x10",
	"1e3", "lots", "5Mi", "5,5M", "5M\n", "\xff", "infinity", "nan",
};

/* More than 63 bits of bytes, at any step of the way. */
static const char *const too_large[] = {
	"8388608T",
	"9223372036854775808K",
	"18446744073709551615",
	"18446744073709551616",
	"99999999999999999999999999999G",
	"16777216T",
	"8388607.9999999999999T",
};

static void check_sizes(void)
{
	bool good = true;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t bytes = 0;

		pisces_size_parse(sizes[i].text, &bytes, &error);
		is_number((long long)bytes, (long long)sizes[i].bytes, sizes[i].text);
	}
	for (size_t i = 0; i < sizeof(no_sizes) / sizeof(no_sizes[0]); i++) {
		uint64_t bytes = 4711;

		if (pisces_size_parse(no_sizes[i], &bytes, &error) == 0 || bytes != 4711 ||
		    !strstr(error.text, "not a size") || !strstr(error.text, "512M") ||
		    strchr(error.text, '\n')) {
			good = false;
			printf("# '%s' became %llu: %s\n", no_sizes[i], (unsigned long long)bytes,
			       error.text);
		}
	}
	ok(good, "what is no size is refused, with examples: %s", error.text);
	good = true;
	for (size_t i = 0; i < sizeof(too_large) / sizeof(too_large[0]); i++) {
		uint64_t bytes = 4711;
		bool near = strchr(too_large[i], '.') != NULL; /* rounds down below the limit */

		if ((pisces_size_parse(too_large[i], &bytes, &error) == 0) != near ||
		    (!near && (bytes != 4711 || !strstr(error.text, too_large[i])))) {
			good = false;
			printf("# %s became %llu\n", too_large[i], (unsigned long long)bytes);
		}
	}
	ok(good, "sizes that no number holds are refused");
	for (int i = 0; i < 3; i++) {
		static const char *const zero[] = {"0", "0G", "0.0000001K"};
		uint64_t bytes = 0;

		ok(pisces_size_parse(zero[i], &bytes, &error) < 0 &&
			   strstr(error.text, "more than 0"),
		   "%s is no memory: %s", zero[i], error.text);
	}
}

static void check_size_texts(void)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} texts[] = {
		{0, "0 bytes"},
		{1, "1 bytes"},
		{1023, "1023 bytes"},
		{1024, "1 KiB"},
		{512ull << 20, "512 MiB"},
		{3ull << 29, "1.5 GiB"},
		{64ull << 30, "64 GiB"},
		{1200ull << 20, "1200 MiB"},
		{200ull << 20, "200 MiB"},
		{1ull << 40, "1 TiB"},
		{(1ull << 30) + 1, "1.0 GiB"},
		{(2ull << 30) - 1, "1.9 GiB"},
		{UINT64_MAX, "16777215.9 TiB"},
	};
	char text[32], small[4];
	uint64_t bytes;
	bool good = true;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		is_text(pisces_size_format(texts[i].bytes, text, sizeof(text)), texts[i].text,
			texts[i].text);
	is_text(pisces_size_format(512ull << 20, small, sizeof(small)), "512",
		"a text of 4 bytes is not left");
	/* What was asked for exactly must come back exactly, in messages. */
	for (uint64_t mib = 1; mib < 99999 && good; mib++) {
		char *space;

		pisces_size_format(mib << 20, text, sizeof(text));
		space = strchr(text, ' ');
		memmove(space, space + 1, strlen(space));
		good = pisces_size_parse(text, &bytes, &error) == 0 && bytes == mib << 20;
	}
	ok(good, "each whole MiB up to 99,999 is written exactly, and read again: %s", text);
}

/* ---- lists of CPUs ---- */

static void check_cpusets(void)
{
	static const struct {
		const char *list;
		const char *written;
		unsigned int count;
	} lists[] = {
		{"0", "0", 1},
		{"0-2,7", "0-2,7", 4},
		{"7,0-2", "0-2,7", 4},
		{"1,2,3", "1-3", 3},
		{"0-1023", "0-1023", 1024},
		{"1023", "1023", 1},
		{"62-65", "62-65", 4},
		{"5-5", "5", 1},
		{"0-3,2-9", "0-9", 10},
		{"0,2,4,6", "0,2,4,6", 4},
		{"3\n", "3", 1},
	};
	static const char *const wrong[] = {
		"",    "-",	"1-",  "-1",   ",",	 "1,",
		",1",  "1,,2",	"2-1", "1024", "0-1024", "99999999999999999999",
		"a",   "1a",	"1 ",  " 1",   "0x1",	 "1-2-3",
		"1;2", "1\n\n",
	};
	struct pisces_cpuset set, kept;
	char text[4096];
	bool good = true;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (pisces_cpuset_parse(lists[i].list, &set) < 0) {
			ok(false, "'%s' is a list", lists[i].list);
			continue;
		}
		is_text(pisces_cpuset_format(&set, text, sizeof(text)), lists[i].written,
			lists[i].written);
		is_number(pisces_cpuset_count(&set), lists[i].count, "with as many CPUs");
	}
	memset(&set, 0x5a, sizeof(set));
	kept = set;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (pisces_cpuset_parse(wrong[i], &set) == 0 || memcmp(&set, &kept, sizeof(set))) {
			good = false;
			printf("# '%s' was taken for a list\n", wrong[i]);
		}
	}
	ok(good, "what is no list is refused, and leaves the set alone");

	memset(&set, 0, sizeof(set));
	is_text(pisces_cpuset_format(&set, text, sizeof(text)), "", "no CPU, no list");
	pisces_cpuset_add(&set, 1023);
	pisces_cpuset_add(&set, 1024);
	pisces_cpuset_add(&set, UINT32_MAX);
	ok(pisces_cpuset_count(&set) == 1 && pisces_cpuset_has(&set, 1023) &&
		   !pisces_cpuset_has(&set, 1024) && !pisces_cpuset_has(&set, 1087) &&
		   !pisces_cpuset_has(&set, UINT32_MAX),
	   "CPUs above the limit are in no set");

	srandom(1);
	good = true;
	for (int round = 0; round < 2000 && good; round++) {
		struct pisces_cpuset read;

		memset(&set, 0, sizeof(set));
		for (long i = random() % 1500; i > 0; i--)
			pisces_cpuset_add(&set, (unsigned int)random() % PISCES_MAX_CPUS);
		if (pisces_cpuset_count(&set) == 0)
			continue;
		pisces_cpuset_format(&set, text, sizeof(text));
		good = pisces_cpuset_parse(text, &read) == 0 &&
		       memcmp(&read, &set, sizeof(set)) == 0;
	}
	ok(good, "random sets are written and read again");

	pisces_cpuset_parse("0,2,4,6,8,10,12,14,16", &set);
	good = true;
	for (size_t size = 0; size < 24; size++) {
		char *tight = malloc(size ? size : 1);

		tight[0] = 'x';
		pisces_cpuset_format(&set, tight, size);
		good = good && (size == 0 ? tight[0] == 'x' : strlen(tight) < size);
		if (size >= 8 && size <= 21)
			good = good && strstr(tight, "...");
		free(tight);
	}
	ok(good, "a list that does not fit ends in dots, inside the room that it has");
}

/* ---- options ---- */

static bool takes(const char *option, const char *value, struct pisces_request *request)
{
	return pisces_request_set(request, option, value, &error) == 0;
}

static void check_options(void)
{
	static const struct {
		const char *option;
		const char *value;
		const char *says;
	} wrong[] = {
		{"kind", "moon", "moon"},
		{"kind", "LWK", "LWK"},
		{"kind", "", "lwk"},
		{"kind", "vm", "not in this release"},
		{"cpus", "0", "1 to 1024"},
		{"cpus", "1025", "1 to 1024"},
		{"cpus", "-1", "-1"},
		{"cpus", "", "number of CPUs"},
		{"cpus", "two", "two"},
		{"cpus", "2x", "2x"},
		{"cpus", "1.5", "1.5"},
		{"cpus", "99999999999999999999", "1 to 1024"},
		{"mem", "lots", "lots"},
		{"mem", "0", "more than 0"},
		{"name", "", "1 to 63"},
		{"name", "a b", "letters"},
		{"name", "a/b", "letters"},
		{"name", "12", "number"},
		{"name", "a#b", "#"},
		{"cmdline", "one # two", "#"},
		{"cmdline", "two\nlines", "ASCII"},
		{"io", "sideways", "forward or staged"},
		{"io", "", "forward or staged"},
		{"stage", "", "empty"},
		{"stage", "/a,,/b", "empty path"},
		{"stage", ",/a", "empty path"},
		{"stage", "/a,", "empty path"},
		{"stage", "/a#b", "#"},
		{"stage", "/a\nb", "control character"},
		{"device", "0000:01:00.0", "not in this release"},
		{"image", "linux.img", "not in this release"},
		{"colour", "green", "no option 'colour'"},
		{"", "", "no option"},
	};
	struct pisces_request request, before;
	char text[600];
	bool good = true;

	pisces_request_init(&request);
	ok(request.kind == PISCES_KIND_LWK && request.cpus == 0 && request.memory == 0 &&
		   request.name[0] == '\0' && request.cmdline[0] == '\0' && !request.image,
	   "a fresh request is lwk with all of the allocation");
	ok(takes("kind", "none", &request) && request.kind == PISCES_KIND_NONE, "kind=none");
	ok(takes("kind", "lwk", &request) && request.kind == PISCES_KIND_LWK, "kind=lwk");
	ok(takes("cpus", "1024", &request) && request.cpus == 1024, "cpus=1024");
	ok(takes("cpus", "0002", &request) && request.cpus == 2, "cpus=0002");
	ok(takes("mem", "1.5G", &request) && request.memory == 3ull << 29, "mem=1.5G");
	ok(takes("name", "Sim_1.a:b-c", &request) && !strcmp(request.name, "Sim_1.a:b-c"),
	   "name=Sim_1.a:b-c");
	ok(takes("cmdline", "verbose crash=panic", &request) &&
		   !strcmp(request.cmdline, "verbose crash=panic"),
	   "cmdline with spaces");

	ok(pisces_request_check(&request, &error) == 0, "these go together");
	ok(takes("stage", "/data,input", &request) && !strcmp(request.stage, "/data,input"),
	   "stage=/data,input");
	ok(pisces_request_check(&request, &error) != 0 && strstr(error.text, "io=staged"),
	   "but not without io=staged: %s", error.text);
	ok(takes("io", "staged", &request) && request.io == PISCES_IO_STAGED &&
		   pisces_request_check(&request, &error) == 0,
	   "io=staged");
	ok(takes("io", "forward", &request) && request.io == PISCES_IO_FORWARD, "io=forward");

	before = request;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		error.text[0] = '\0';
		if (takes(wrong[i].option, wrong[i].value, &request) ||
		    !strstr(error.text, wrong[i].says) || strchr(error.text, '\n') ||
		    memcmp(&request, &before, sizeof(request))) {
			good = false;
			printf("# %s=%s: %s\n", wrong[i].option, wrong[i].value, error.text);
		}
	}
	ok(good, "wrong values are refused by name, and leave the request as it was");

	memset(text, 'x', sizeof(text));
	text[63] = '\0';
	ok(takes("name", text, &request), "a name of 63 characters");
	text[63] = 'x';
	text[64] = '\0';
	ok(!takes("name", text, &request), "not of 64: %s", error.text);
	text[64] = 'x';
	text[255] = '\0';
	ok(takes("cmdline", text, &request), "a command line of 255 characters");
	text[255] = 'x';
	text[256] = '\0';
	ok(!takes("cmdline", text, &request), "not of 256: %s", error.text);
	text[256] = 'x';
	text[599] = '\0';
	good = !takes("kind", text, &request) && !takes("cpus", text, &request) &&
	       !takes("mem", text, &request) && !takes(text, "1", &request) &&
	       !takes("name", text, &request);
	ok(good && strlen(error.text) < sizeof(error.text) - 1,
	   "values of 599 characters do not flood messages");
}

/* ---- who gets which CPUs ---- */

static void check_shares(void)
{
	bool good = true;

	for (unsigned int cpus = 1; cpus <= 64; cpus++) {
		for (unsigned int tasks = 1; tasks <= 130; tasks++) {
			unsigned int next = 0, least = UINT32_MAX, most = 0, on[64] = {0};

			for (unsigned int task = 0; task < tasks; task++) {
				unsigned int first, count;

				pisces_task_share(cpus, tasks, task, &first, &count);
				if (count == 0 || first + count > cpus)
					good = false;
				if (tasks <= cpus && first != next)
					good = false;
				next = first + count;
				least = count < least ? count : least;
				most = count > most ? count : most;
				for (unsigned int i = first; i < first + count && i < 64; i++)
					on[i]++;
			}
			if (most - least > 1 || (tasks <= cpus && next != cpus))
				good = false;
			for (unsigned int i = 0; i < cpus; i++) {
				unsigned int each = tasks / cpus;

				if (tasks > cpus && (on[i] < each || on[i] > each + 1))
					good = false;
			}
		}
	}
	ok(good,
	   "CPUs are shared out evenly, each to one task if there are enough, none left over");
}

int main(void)
{
	check_sizes();
	check_size_texts();
	check_cpusets();
	check_options();
	check_shares();
	return done();
}
