/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the proxy runs and what it tells the co-kernel of it: PATH, scripts,
 * permissions, arguments and environment.
 */
#include "unit-proxy-fake.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "hwloc-glue/libpisces.h"
#include "tap.h"

static char dir[] = "/tmp/unit-proxy.XXXXXX";

static void make_file(const char *name, const char *content, mode_t mode)
{
	FILE *file = fopen(name, "w");

	if (file) {
		fputs(content, file);
		fclose(file);
	}
	chmod(name, mode);
}

/* The I-th string of the exec block: arguments, then environment, then AT_EXECFN. */
static const char *string(const struct fake *fake, unsigned int i)
{
	const struct pisces_exec *block = (const void *)fake->data;
	const char *text = block->strings, *end = (const char *)block + block->size;

	while (text < end && i-- > 0)
		text += strlen(text) + 1;
	return text < end ? text : NULL;
}

static bool has_environment(const struct fake *fake, const char *entry)
{
	const struct pisces_exec *block = (const void *)fake->data;
	unsigned int i;

	for (i = 0; i < block->envc; i++)
		if (strcmp(string(fake, block->argc + i), entry) == 0)
			return true;
	return false;
}

static const char *execfn(const struct fake *fake)
{
	const struct pisces_exec *block = (const void *)fake->data;

	return string(fake, block->argc + block->envc);
}

static bool started(struct fake *fake)
{
	struct pollfd wait = { .fd = fake->signals, .events = POLLIN };
	struct pisces_signal none;

	return poll(&wait, 1, 30000) == 1 && read(fake->signals, &none, sizeof(none)) > 0;
}

static void test_exec_block(void)
{
	char *argv[] = { "ours", "-x", "", "last word", NULL };
	char *environment[] = { "HOME=/home/user", "PISCES_PROXY_FD=5", "PISCES_PROXY_CPUS=0",
				"PISCES_PROXY_PROGRAM=x", "PISCES_ENCLAVE=99", "EMPTY=",
				"SLURM_JOB_ID=17", "SLURM_ENCLAVE=lie", NULL };
	char *outside[] = { "A=1", NULL };
	const struct pisces_exec *block;
	const struct rlimit stack = { 16 << 20, RLIM_INFINITY };
	const uint64_t ignored = 1ull << (SIGHUP - 1) | 1ull << (SIGPIPE - 1);
	sigset_t mask, before;
	struct fake fake;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	sigprocmask(SIG_SETMASK, &mask, &before);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	umask(027);
	setrlimit(RLIMIT_STACK, &stack);
	make_file("ours", "\177ELF and so on", 0755);
	setenv("PATH", "/nowhere:.:/bin", 1);
	fake_start(&fake, argv, environment);
	ok(started(&fake), "a program of the PATH is started");
	block = (const void *)fake.data;
	is_number(block->argc, 4, "four arguments");
	is_text(string(&fake, 0), "ours", "argv[0] as it was typed");
	is_text(string(&fake, 2), "", "an empty argument");
	is_text(string(&fake, 3), "last word", "the last");
	is_number(block->envc, 7, "the environment");
	ok(has_environment(&fake, "HOME=/home/user") && has_environment(&fake, "EMPTY="),
	   "is the user's");
	ok(has_environment(&fake, "PISCES_ENCLAVE=7"), "and has the enclave's number");
	ok(has_environment(&fake, "SLURM_ENCLAVE=lwk"), "and under Slurm its kind");
	ok(has_environment(&fake, "OMPI_MCA_ess_singleton_isolated=1") &&
		   has_environment(&fake, "PMIX_MCA_gds=hash"),
	   "MPI libraries are told what they cannot know");
	is_text(execfn(&fake), "./ours", "the path of the program");
	is_number((long long)block->umask, 027, "the umask");
	is_number((long long)block->stack_limit, 16 << 20, "the stack's limit");
	is_number((long long)(block->ignored & (ignored | 1ull << (SIGTERM - 1))),
		  (long long)ignored, "what signals were ignored");
	is_number((long long)block->blocked, 1ll << (SIGUSR2 - 1), "and blocked");
	sigprocmask(SIG_SETMASK, &before, NULL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	is_number(DO(&fake, SYS_pread64, block->program_fd, 4096, 100, 4), 10, "its file is open");
	ok(memcmp(fake.data + 4096, " and so on", 10) == 0, "and is the program");
	is_number(DO(&fake, SYS_close, block->program_fd), 0, "and can be closed");
	fake_close(&fake);

	argv[0] = "./ours";
	fake_start(&fake, argv, outside);
	ok(started(&fake), "a program with a path is started");
	ok(!has_environment(&fake, "SLURM_ENCLAVE=lwk"), "outside Slurm there is no SLURM_ENCLAVE");
	fake_close(&fake);
}

static void test_scripts(void)
{
	char *argv[] = { "./script", "a", "b", NULL };
	struct fake fake;
	char line[512];

	make_file("script", "#! \t./ours  -one argument \t\necho\n", 0755);
	fake_start(&fake, argv, NULL);
	ok(started(&fake), "a script is started");
	is_number(((struct pisces_exec *)fake.data)->argc, 5, "with five arguments:");
	is_text(string(&fake, 0), "./ours", "its interpreter");
	is_text(string(&fake, 1), "-one argument", "the interpreter's one");
	is_text(string(&fake, 2), "./script", "the script");
	is_text(string(&fake, 4), "b", "and its own");
	is_text(execfn(&fake), "./script", "AT_EXECFN is the script, as on Linux");
	fake_close(&fake);

	make_file("script2", "#!./script", 0755);
	argv[0] = "./script2";
	fake_start(&fake, argv, NULL);
	ok(started(&fake), "a script whose interpreter is a script, without a newline");
	is_text(string(&fake, 2), "./script", "the inner");
	is_text(string(&fake, 3), "./script2", "and the outer are arguments");
	fake_close(&fake);

	snprintf(line, sizeof(line), "#!./ours %0300d\n", 1);
	make_file("script3", line, 0755);
	argv[0] = "./script3";
	fake_start(&fake, argv, NULL);
	ok(started(&fake), "a long argument is cut, as on Linux");
	is_number((long long)strlen(string(&fake, 1)), 256 - 9, "at 256 bytes of line");
	fake_close(&fake);
}

/* ARGV shall not run: exit CODE and one line with WORDS. */
static void refused(char *const argv[], char *const environment[], int code, const char *words,
		    const char *name)
{
	struct fake fake;
	char text[4096];
	bool good;

	fake_start(&fake, argv, environment);
	is_number(fake_wait(&fake), code << 8, name);
	fake_read_all(fake.err, text, sizeof(text));
	good = strncmp(text, "enclave: cannot run ", 20) == 0 && strstr(text, words) &&
	       strchr(text, '\n') == text + strlen(text) - 1;
	ok(good, "  says: %.*s", (int)strcspn(text, "\n"), text);
	fake_close(&fake);
}

static void refused_file(const char *name, int code, const char *words, const char *what)
{
	char *argv[] = { (char *)name, NULL };

	refused(argv, NULL, code, words, what);
}

static void test_refusals(void)
{
	char *huge[] = { "./ours", NULL, NULL };
	char long_line[400];

	refused_file("/nowhere/at-all", 127, "no such file", "a path that is not there");
	refused_file("no-such-program", 127, "not found in PATH", "a name that is not in PATH");
	refused_file("", 127, "not found", "an empty name");
	refused_file("./ours/x", 127, "no such file", "a path through a file");
	refused_file("/", 126, "it is a directory", "a directory");
	mkdir("subdir", 0755);
	refused_file("subdir", 127, "not found in PATH", "PATH does not find directories");
	make_file("text", "\177ELF", 0644);
	refused_file("./text", 126, "chmod +x", "a file that is not executable");
	refused_file("text", 126, "chmod +x", "the same, found in PATH");
	make_file("data", "some text", 0755);
	refused_file("./data", 126, "neither an ELF program nor a script", "a text file");
	make_file("empty", "", 0755);
	refused_file("./empty", 126, "neither an ELF program nor a script", "an empty file");
	make_file("bare", "#!  \n", 0755);
	refused_file("./bare", 126, "neither an ELF program nor a script", "a script of nobody");
	make_file("lost", "#!/nowhere/sh -e\n", 0755);
	refused_file("./lost", 127, "its interpreter /nowhere/sh", "an interpreter that is not there");
	make_file("loop", "#!./loop\n", 0755);
	refused_file("./loop", 126, "more than 5 scripts", "a script that is its own interpreter");
	snprintf(long_line, sizeof(long_line), "#!/%0300d\n", 1);
	make_file("long", long_line, 0755);
	refused_file("./long", 126, "neither an ELF program nor a script",
		     "an interpreter whose path is cut");
	mkfifo("fifo", 0755);
	refused_file("./fifo", 126, "no permission to execute", "a fifo, which is not even opened");

	huge[1] = malloc(2 << 20);
	memset(huge[1], 'x', (2 << 20) - 1);
	huge[1][(2 << 20) - 1] = '\0';
	refused(huge, NULL, 126, "can be handed to an enclave", "arguments of 2 MiB");
	free(huge[1]);
}

/* What only a plain user is refused. */
static void test_as_user(void)
{
	if (getuid() == 0 && (chown(dir, 65534, 65534) < 0 || setgid(65534) < 0 ||
			      setuid(65534) < 0))
		return;
	make_file("unreadable", "\177ELF", 0111);
	refused_file("./unreadable", 126, "chmod +r", "a program that can be executed but not read");
}

/* Is PATH among the COUNT strings from number FIRST on? */
static bool has_path(const struct fake *fake, unsigned int first, unsigned int count,
		     const char *path)
{
	unsigned int i;

	for (i = first; i < first + count; i++)
		if (string(fake, i) && strstr(string(fake, i), path))
			return true;
	return false;
}

static void test_staged(void)
{
	char *argv[] = { "./shell-script", NULL };
	char *environment[] = { "PISCES_PROXY_IO=staged", "PISCES_PROXY_STAGE=x",
				"PMIX_MCA_gds=ds21", NULL };
	const struct pisces_exec *block;
	struct rlimit files;
	struct fake fake;
	unsigned int first;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = 500;
	files.rlim_max = files.rlim_max > 4000 ? 4000 : files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	make_file("shell-script", "#!/bin/sh\n", 0755);
	setenv(PISCES_ENV_IO, "staged", 1);
	setenv(PISCES_ENV_STAGE, "in,/data dir,last", 1);
	fake_start(&fake, argv, environment);
	ok(started(&fake), "a script with staged I/O is started");
	block = (const void *)fake.data;
	first = block->argc + block->envc + 1;
	is_number(block->io, PISCES_IO_STAGED, "the co-kernel is told");
	ok(!has_environment(&fake, "PISCES_PROXY_IO=staged"), "and not the program");
	ok(has_environment(&fake, "PMIX_MCA_gds=ds21") &&
		   !has_environment(&fake, "PMIX_MCA_gds=hash"),
	   "what the user says to libraries stays");
	ok(block->descriptor_limit == 500 && block->descriptor_most == files.rlim_max,
	   "how many descriptors it may have, and could: %u, %u", block->descriptor_limit,
	   block->descriptor_most);
	is_number(block->named, 3, "three paths were named");
	is_text(string(&fake, first), "in", "the first");
	is_text(string(&fake, first + 1), "/data dir", "the second");
	is_text(string(&fake, first + 2), "last", "the last");
	first += block->named;
	ok(block->needed >= 3, "what the program needs: %u", block->needed);
	ok(has_path(&fake, first, block->needed, "shell-script"), "the script");
	ok(has_path(&fake, first, block->needed, "/ld-linux") ||
		   has_path(&fake, first, block->needed, "/ld-musl"), "the ELF interpreter");
	ok(has_path(&fake, first, block->needed, "libc"), "the C library");
	ok(!has_path(&fake, first, block->needed, "/libc.so.6") ||
		   has_path(&fake, first, block->needed, "/libgcc_s.so.1"), "what that opens itself");
	ok(string(&fake, first + block->needed) == NULL, "and no more");
	fake_close(&fake);
	unsetenv(PISCES_ENV_IO);
	unsetenv(PISCES_ENV_STAGE);
}

int main(void)
{
	char command[128];

	if (!mkdtemp(dir) || chdir(dir) < 0)
		return 1;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	test_exec_block();
	test_scripts();
	test_staged();
	test_refusals();
	test_as_user();
	if (chdir("/") < 0 || system(command) != 0)
		printf("# %s is left\n", dir);
	return done();
}
