// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Boots an image as pisces run does, but does not mind what it does; for co-kernels
 * that misbehave. Says line by line how each step ended: 0 or the name of the error.
 *
 *   boot-image [--cpus=LIST] [--mem=MIB] [--ms=N] [--tasks=N] [--remove-cpu=N]
 *              [--remove-memory=MIB] IMAGE COMMAND-LINE
 *
 * --ms: how long to wait for the co-kernel's death before closing it (default 3000).
 * --tasks: start this many, map their channels, and send each a few signals. For what they
 * use this process is charged: the last line says with how much.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <pisces/build_id.h>
#include <pisces/ioctl.h>
#include <pisces/status.h>

#define SIGNALS 200u

static int device, enclave;

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fail(const char *what)
{
	fprintf(stderr, "boot-image: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Says how a step ended, and whether it went well. */
static bool tell(const char *step, int result)
{
	printf("%s: %s\n", step, result < 0 ? strerrorname_np(errno) : "0");
	fflush(stdout);
	return result >= 0;
}

static void create(void)
{
	struct pisces_create request = {.abi = PISCES_ABI_VERSION, .name = "hostile"};

	snprintf(request.build_id, sizeof(request.build_id), "%s", PISCES_BUILD_ID);
	device = open(PISCES_DEVICE, O_RDONLY | O_CLOEXEC);
	if (device < 0)
		fail(PISCES_DEVICE);
	enclave = ioctl(device, PISCES_IOC_CREATE, &request);
	if (enclave < 0)
		fail("PISCES_IOC_CREATE");
}

static void add_cpus(char *list)
{
	for (char *word = strtok(list, ","); word; word = strtok(NULL, ",")) {
		struct pisces_add_cpu cpu = {.linux_cpu = (uint32_t)atoi(word)};

		if (ioctl(enclave, PISCES_IOC_ADD_CPU, &cpu) < 0)
			fail("PISCES_IOC_ADD_CPU");
	}
}

static void add_memory(unsigned int mib)
{
	struct pisces_add_memory memory = {.size = (uint64_t)mib << 20};

	if (ioctl(enclave, PISCES_IOC_ADD_MEMORY, &memory) < 0)
		fail("PISCES_IOC_ADD_MEMORY");
}

static bool boot(const char *path, const char *cmdline)
{
	struct pisces_boot request = {0};
	struct stat file;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *image;
	int result;

	if (fd < 0 || fstat(fd, &file) < 0)
		fail(path);
	image = mmap(NULL, (size_t)file.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (image == MAP_FAILED)
		fail(path);
	request.image = (uint64_t)(uintptr_t)image;
	request.image_size = (uint64_t)file.st_size;
	snprintf(request.cmdline, sizeof(request.cmdline), "%s", cmdline);
	result = ioctl(enclave, PISCES_IOC_BOOT, &request);
	tell("boot", result);
	return result == 0;
}

/* Starts a task and sends it signals until the ring is full. */
static int run_task(void)
{
	struct pisces_task request = {.cpus = {1}};
	struct pisces_signal signal = {.signal = 15};
	int task = ioctl(enclave, PISCES_IOC_TASK, &request);

	if (!tell("task", task))
		return -1;
	if (mmap(NULL, request.channel_size, PROT_READ | PROT_WRITE, MAP_SHARED, task, 0) ==
	    MAP_FAILED)
		fail("the channel");
	if (!tell("start", ioctl(task, PISCES_IOC_START)))
		return task;
	for (unsigned int i = 0; i < SIGNALS; i++) {
		ioctl(task, PISCES_IOC_BELL);
		if (ioctl(task, PISCES_IOC_SIGNAL, &signal) < 0) {
			tell("signal", -1);
			return task;
		}
	}
	tell("signal", 0);
	return task;
}

/* Seconds of CPU time per second since BOOTED, and the memory that this process has. */
static void tell_charged(double booted)
{
	unsigned long resident = 0;
	struct rusage usage;
	FILE *file = fopen("/proc/self/statm", "re");

	if (!file || fscanf(file, "%*u %lu", &resident) != 1)
		fail("/proc/self/statm");
	fclose(file);
	getrusage(RUSAGE_SELF, &usage);
	printf("charged: %.2f CPUs, %lu MiB\n",
	       ((double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6) /
		       (seconds() - booted),
	       resident >> 8);
}

static void look(void)
{
	static const char *const states[] = {"new", "booting", "running", "dead", "ending", "gone"};
	struct pisces_own_info own;
	struct pisces_info info = {0};
	struct pisces_get_status get = {.size = 1 << 20};
	void *status = malloc(get.size);

	if (ioctl(enclave, PISCES_IOC_WHO, &own) < 0)
		fail("PISCES_IOC_WHO");
	info.enclave = get.enclave = own.enclave;
	get.status = (uint64_t)(uintptr_t)status;
	tell("status", ioctl(device, PISCES_IOC_STATUS, &get));
	free(status);
	if (!tell("info", ioctl(device, PISCES_IOC_INFO, &info)))
		return;
	printf("state: %s\nreason: %.*s\n", info.state < 6 ? states[info.state] : "?",
	       (int)sizeof(info.reason), info.reason);
}

int main(int argc, char *argv[])
{
	static const struct option table[] = {
		{"cpus", required_argument, NULL, 'c'},
		{"mem", required_argument, NULL, 'm'},
		{"ms", required_argument, NULL, 'w'},
		{"tasks", required_argument, NULL, 't'},
		{"remove-cpu", required_argument, NULL, 'r'},
		{"remove-memory", required_argument, NULL, 'y'},
		{0},
	};
	char cpus[64] = "1";
	int mem = 16, ms = 3000, tasks = 0, remove_cpu = 0, remove_memory = 0, option;
	struct pollfd poll_enclave = {0};
	double start, booted;

	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (option) {
		case 'c':
			snprintf(cpus, sizeof(cpus), "%s", optarg);
			break;
		case 'm':
			mem = atoi(optarg);
			break;
		case 'w':
			ms = atoi(optarg);
			break;
		case 't':
			tasks = atoi(optarg);
			break;
		case 'r':
			remove_cpu = atoi(optarg);
			break;
		case 'y':
			remove_memory = atoi(optarg);
			break;
		default:
			return 2;
		}
	}
	if (argc - optind != 2)
		return 2;

	create();
	add_cpus(cpus);
	add_memory((unsigned int)mem);
	booted = seconds();
	if (boot(argv[optind], argv[optind + 1])) {
		for (int i = 0; i < tasks; i++)
			run_task();
		if (remove_cpu) {
			struct pisces_remove_cpu request = {.linux_cpu = (uint32_t)remove_cpu};

			tell("remove-cpu", ioctl(enclave, PISCES_IOC_REMOVE_CPU, &request));
		}
		if (remove_memory) {
			struct pisces_remove_memory request = {
				.size = (uint64_t)remove_memory << 20,
			};

			tell("remove-memory", ioctl(enclave, PISCES_IOC_REMOVE_MEMORY, &request));
		}
	}
	poll_enclave.fd = enclave;
	tell("poll", poll(&poll_enclave, 1, ms));
	look();
	tell_charged(booted);
	start = seconds();
	close(enclave);
	printf("closed: %.0f ms\n", (seconds() - start) * 1e3);
	/* Task fds outlive the enclave; they end with this process. */
	return 0;
}
