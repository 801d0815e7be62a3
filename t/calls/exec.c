/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * execve(2): what is refused, with nothing lost, and what the program that comes finds of the
 * one that was. It executes itself; STAGE in the environment says how far it is.
 */
#include <elf.h>
#include <linux/futex.h>
#include <limits.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "calls.h"

#define ROUNDS 12
#define KEPT 20 /* descriptors that stay, and those that do not */
#define GONE 30

static char self[PATH_MAX];

static void write_file(const char *name, const void *bytes, size_t size, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size || fchmod(fd, mode) < 0)
		perror(name);
	close(fd);
}

static void write_text(const char *name, const char *text, mode_t mode)
{
	write_file(name, text, strlen(text), mode);
}

/* What this program would be without its ELF interpreter, or for another machine. */
static void write_programs(void)
{
	Elf64_Ehdr *header;
	struct stat status;
	char *bytes, *name;
	int fd = open(self, O_RDONLY | O_CLOEXEC);

	fstat(fd, &status);
	bytes = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	close(fd);
	header = (Elf64_Ehdr *)bytes;
	name = memmem(bytes, (size_t)status.st_size, "/lib64/ld-", 10);
	if (name == NULL) {
		puts("no interpreter");
		return;
	}
	name[4] = 'x';
	write_file("lost", bytes, (size_t)status.st_size, 0755);
	name[4] = '4';
	header->e_machine = EM_AARCH64;
	write_file("arm", bytes, (size_t)status.st_size, 0755);
	munmap(bytes, (size_t)status.st_size);
}

static void refused(void)
{
	static char long_path[PATH_MAX + 10], long_text[200000];
	char *argv[] = { "x", NULL }, *none[] = { NULL }, *wrong[] = { "x", BAD, NULL };
	char *most[40], *more[3] = { "x", long_text, NULL };
	unsigned int i;

	part("refused");
	memset(long_path, 'x', sizeof(long_path) - 1);
	memset(long_text, 'y', sizeof(long_text) - 1);
	write_programs();
	write_text("text", "echo text\n", 0755);
	write_text("empty", "", 0755);
	write_text("plain", "#!/bin/sh\n", 0644);
	write_text("orphan", "#!/no/where -x\n", 0755);
	write_text("blank", "#! \t \n", 0755);
	write_text("circle", "#!./circle\n", 0755);
	write_text("long", "#!/", 0755);
	write_file("elf", "\177ELF", 4, 0755);
	mkfifo("fifo", 0755);
	symlink("loop", "loop");
	mkdir("folder", 0755);

	TRY(execve, "", argv, none);
	TRY(execve, "/no/where", argv, none);
	TRY(execve, "/", argv, none);
	TRY(execve, "folder", argv, none);
	TRY(execve, "plain", argv, none);
	TRY(execve, "plain/x", argv, none);
	TRY(execve, "fifo", argv, none);
	TRY(execve, "loop", argv, none);
	TRY(execve, "text", argv, none);
	TRY(execve, "empty", argv, none);
	TRY(execve, "elf", argv, none);
	TRY(execve, "arm", argv, none);
	TRY(execve, "lost", argv, none);
	TRY(execve, "orphan", argv, none);
	TRY(execve, "blank", argv, none);
	TRY(execve, "circle", argv, none);
	TRY(execve, "/dev/null", argv, none);
	TRY(execve, "/proc/cpuinfo", argv, none);
	TRY(execve, long_path, argv, none);
	TRY(execve, BAD, argv, none);
	TRY(execve, KERNEL, argv, none);
	TRY(execve, self, BAD, none);
	TRY(execve, self, wrong, none);
	TRY(execve, self, argv, KERNEL);
	TRY(execve, self, argv, wrong);
	TRY(execve, self, more, none);
	long_text[130000] = 0;
	for (i = 0; i < 39; i++)
		most[i] = long_text;
	most[39] = NULL;
	TRY(execve, self, argv, most);
	SHOW(access("text", X_OK));
	unlink("fifo");
}

/* ---- threads that do all sorts of things when their program goes ---- */

static int pair[2], ends[2];
static uint32_t word;
static volatile bool computing;

static void *reads_socket(void *argument)
{
	char byte;

	(void)argument;
	if (read(pair[0], &byte, 1) >= 0)
		puts("a byte that nobody wrote");
	return NULL;
}

static void *reads_pipe(void *argument)
{
	char byte;

	(void)argument;
	if (read(ends[0], &byte, 1) >= 0)
		puts("a byte that nobody wrote");
	return NULL;
}

static void *waits(void *argument)
{
	(void)argument;
	syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
	return NULL;
}

static void *sleeps(void *argument)
{
	(void)argument;
	for (;;)
		pause();
	return NULL;
}

static void *computes(void *argument)
{
	for (;;)
		computing = true;
	return argument;
}

static void run_next(const char *stage, const char *argument)
{
	char text[64];
	char *argv[] = { "next", (char *)argument, NULL }, *envp[] = { text, "X=y", NULL };

	snprintf(text, sizeof(text), "STAGE=%s", stage);
	execve(self, argv, envp);
	say("execve", -1);
	exit(1);
}

static void *executes(void *argument)
{
	char *argv[] = { "x", NULL };

	while (!computing)
		sleep_ms(1);
	/* None of the others is gone by what fails. */
	TRY(execve, "/no/where", argv, argv);
	run_next(argument, "of a thread");
	return NULL;
}

static void with_threads(const char *stage)
{
	void *(*const others[])(void *) = { reads_socket, reads_pipe, waits, sleeps, computes };
	pthread_t thread;
	unsigned int i;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	pipe(ends);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		pthread_create(&thread, NULL, others[i], NULL);
	sleep_ms(50);
	pthread_create(&thread, NULL, executes, (void *)stage);
	pthread_join(thread, NULL);
}

/* ---- what stays, and what goes ---- */

static void on_signal(int number)
{
	(void)number;
}

static void set_up(void)
{
	static char stack[65536];
	struct sigaction handler = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK | SA_RESTART };
	struct itimerval timer = { .it_value = { .tv_sec = 1000 } };
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct itimerspec setting = { .it_value = { .tv_nsec = 1000000 } };
	sigset_t blocked;
	timer_t number;
	int fd;

	part("set up");
	sigaction(SIGUSR1, &handler, NULL);
	signal(SIGUSR2, SIG_IGN);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGHUP);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	kill(getpid(), SIGHUP);
	raise(SIGTERM); /* to this thread, which is not the one that executes */
	sigaltstack(&alternate, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	TRY(timer_create, CLOCK_MONOTONIC, &(struct sigevent){ .sigev_notify = SIGEV_NONE }, &number);
	timer_settime(number, 0, &setting, NULL);
	umask(027);
	setpriority(PRIO_PROCESS, 0, 3);
	prctl(PR_SET_NAME, "other");
	__builtin_ia32_ldmxcsr(0x5f80);
	chdir("folder");
	write_text("file", "0123456789", 0644);
	fd = open("file", O_RDONLY);
	lseek(fd, 4, SEEK_SET);
	dup2(fd, KEPT);
	dup3(fd, GONE, O_CLOEXEC);
	close(fd);
	fd = memfd_create("kept", 0);
	write(fd, "memory", 6);
	dup2(fd, KEPT + 1);
	dup3(fd, GONE + 1, O_CLOEXEC);
	close(fd);
	pipe(ends);
	write(ends[1], "pipe", 4);
	dup2(ends[0], KEPT + 2);
	dup3(ends[1], GONE + 2, O_CLOEXEC);
	close(ends[0]);
	close(ends[1]);
	fd = open("/proc/self", O_RDONLY | O_DIRECTORY);
	dup3(fd, GONE + 3, O_CLOEXEC);
	close(fd);
	fd = open("mapped", O_RDWR | O_CREAT, 0644);
	write(fd, "mapped before", 13);
	memcpy(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), "MAPPED", 6);
	close(fd);
}

static void show_text_of(int fd)
{
	char text[64] = "";
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);

	SHOW(length);
	SHOW_TEXT(text);
}

static void descriptors(void)
{
	char text[64] = "";
	int fd;

	part("descriptors");
	for (fd = 3; fd < 40; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			printf("  %d is open\n", fd);
	}
	SHOW(lseek(KEPT, 0, SEEK_CUR));
	SHOW(read(KEPT, text, 3));
	SHOW_TEXT(text);
	show_text_of(KEPT + 1);
	memset(text, 0, sizeof(text));
	SHOW(read(KEPT + 2, text, sizeof(text)));
	SHOW_TEXT(text);
	/* Its other end was closed, so this is its end. */
	SHOW(read(KEPT + 2, text, sizeof(text)));
	fd = open("mapped", O_RDONLY);
	show_text_of(fd);
	close(fd);
	SHOW(close_range(3, ~0u, 0));
}

static void signals(void)
{
	struct sigaction action;
	struct itimerval timer;
	struct itimerspec setting;
	stack_t stack;
	sigset_t set;

	part("signals and timers");
	sigaction(SIGUSR1, NULL, &action);
	SHOW(action.sa_handler == SIG_DFL);
	SHOW(action.sa_flags);
	sigaction(SIGUSR2, NULL, &action);
	SHOW(action.sa_handler == SIG_IGN);
	sigprocmask(SIG_BLOCK, NULL, &set);
	SHOW(sigismember(&set, SIGHUP));
	SHOW(sigismember(&set, SIGTERM));
	SHOW(sigismember(&set, SIGUSR1));
	sigpending(&set);
	SHOW(sigismember(&set, SIGHUP));
	SHOW(sigismember(&set, SIGTERM));
	sigaltstack(NULL, &stack);
	SHOW(stack.ss_flags);
	getitimer(ITIMER_REAL, &timer);
	SHOW(timer.it_value.tv_sec > 800);
	SHOW(timer.it_interval.tv_sec);
	TRY(timer_gettime, 0, &setting);
	timer.it_value = (struct timeval){ 0, 0 };
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void who(char *const argv[])
{
	char text[PATH_MAX] = "";
	ssize_t length;

	part("who");
	SHOW(getpid() == syscall(SYS_gettid));
	SHOW_TEXT(argv[0]);
	SHOW_TEXT(argv[1]);
	SHOW(argv[2] == NULL);
	SHOW_TEXT(getenv("X"));
	prctl(PR_GET_NAME, text);
	SHOW_TEXT(text);
	SHOW(strcmp((const char *)getauxval(AT_EXECFN), self));
	length = readlink("/proc/self/exe", text, sizeof(text) - 1);
	SHOW(length > 0 && strcmp(text, self) == 0);
	SHOW(getauxval(AT_SECURE));
	SHOW(umask(022));
	SHOW(getpriority(PRIO_PROCESS, 0));
	SHOW(__builtin_ia32_stmxcsr());
	SHOW(access("file", R_OK));
	SHOW(sbrk(4096) != (void *)-1);
}

/* ---- by a script, from memory, where memory is, and again and again ---- */

static void by_script(void)
{
	char text[PATH_MAX + 32];
	char *argv[] = { "lost", "argument", NULL }, *envp[] = { "STAGE=script", NULL };

	SHOW(chdir(".."));
	snprintf(text, sizeof(text), "#! %s  one two \nand more\n", self);
	write_text("script", text, 0755);
	execve("./script", argv, envp);
	say("execve", -1);
}

static void copy_self(int to)
{
	char bytes[65536];
	ssize_t length;
	int from = open(self, O_RDONLY | O_CLOEXEC);

	while ((length = read(from, bytes, sizeof(bytes))) > 0)
		write(to, bytes, (size_t)length);
	close(from);
	fchmod(to, 0755);
}

/* From a file that has no name, or one in /dev/shm; its argument is where the program is. */
static void from_memory(const char *stage)
{
	char path[64] = "/dev/shm/calls-exec", text[64];
	char *argv[] = { "memory", self, NULL }, *envp[] = { text, NULL };
	int fd, read_only;

	snprintf(text, sizeof(text), "STAGE=%s", stage);
	if (strcmp(stage, "memfd") == 0)
		fd = memfd_create("program", 0);
	else
		fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	copy_self(fd);
	if (strcmp(stage, "memfd") == 0) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		read_only = open(path, O_RDONLY);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", read_only);
	}
	/* Who can write to it must not have it open. */
	close(fd);
	execve(path, argv, envp);
	say("execve", -1);
}

/* Code, stack and mappings, as text that has always the same length. */
static const char *places(void)
{
	static char text[100];
	void *memory = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	snprintf(text, sizeof(text), "%016lx %016lx %016lx", (unsigned long)places,
		 (unsigned long)environ, (unsigned long)memory);
	return text;
}

static void compare_places(const char *before, const char *next, unsigned int wanted)
{
	const char *now = places();

	SHOW(personality(0xffffffff));
	if (before[0])
		SHOW(strcmp(before, now) == 0);
	SHOW(personality(wanted) >= 0);
	run_next(next, now);
}

int main(int argc, char *argv[])
{
	const char *stage = getenv("STAGE");
	const char *argument = argc > 1 ? argv[1] : "";
	char text[32];

	realpath("/proc/self/exe", self);
	if (stage == NULL) {
		refused();
		set_up();
		with_threads("state");
	} else if (strcmp(stage, "state") == 0) {
		who(argv);
		signals();
		descriptors();
		by_script();
	} else if (strcmp(stage, "script") == 0) {
		part("script");
		SHOW(argc);
		SHOW(strcmp(argv[0], self));
		SHOW_TEXT(argv[1]);
		SHOW_TEXT(argv[2]);
		SHOW_TEXT(argv[3]);
		SHOW_TEXT((const char *)getauxval(AT_EXECFN));
		run_next("places", "");
	} else if (strcmp(stage, "places") == 0) {
		part("places");
		compare_places(argument, argument[0] ? "fix" : "places", 0);
	} else if (strcmp(stage, "fix") == 0) {
		/* Of the same length, since the stack has them, too */
		compare_places("", "fixed1", ADDR_NO_RANDOMIZE);
	} else if (strcmp(stage, "fixed1") == 0) {
		run_next("fixed2", places());
	} else if (strcmp(stage, "fixed2") == 0) {
		compare_places(argument, "memory", 0);
	} else if (strcmp(stage, "memory") == 0) {
		from_memory("memfd");
	} else if (strcmp(stage, "memfd") == 0) {
		part("memfd");
		SHOW_TEXT(argv[0]);
		strcpy(self, argument);
		from_memory("shm");
	} else if (strcmp(stage, "shm") == 0) {
		part("shm");
		SHOW(unlink("/dev/shm/calls-exec"));
		strcpy(self, argument);
		run_next("0", "");
	} else if (atoi(stage) < ROUNDS) {
		snprintf(text, sizeof(text), "%d", atoi(stage) + 1);
		with_threads(text);
	} else {
		part("the end");
	}
	return 0;
}
