/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of an enclave: made, given CPUs and memory, booted, given tasks. */
#include "internal.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <pisces/build_id.h>

int pisces_enclave_create(const struct pisces_request *request, uint32_t job, uint32_t step,
			  uint32_t uid, struct pisces_error *error)
{
	struct pisces_create create = {
		.abi = PISCES_ABI_VERSION,
		.build_id = PISCES_BUILD_ID,
		.job = job,
		.step = step,
		.uid = uid,
	};
	int device, fd;

	memcpy(create.name, request->name, sizeof(create.name));
	device = pisces_device_open(PISCES_DEVICE_CREATE, error);
	if (device < 0)
		return -1;
	fd = ioctl(device, PISCES_IOC_CREATE, &create);
	if (fd < 0) {
		switch (errno) {
		case EPERM:
			pisces_fail(
				error,
				"making an enclave takes CPUs and memory from Linux and so needs "
				"root (CAP_SYS_ADMIN); plain users get one by srun --enclave=lwk");
			break;
		case EPROTO:
			pisces_fail(
				error,
				"the module on node %s is of another build than this program (%s): "
				"install both from one build, then rmmod pisces; modprobe pisces",
				pisces_node_name(), PISCES_BUILD_ID);
			break;
		default:
			pisces_fail(error, "node %s makes no enclave '%s': %s; see dmesg there",
				    pisces_node_name(), request->name, strerror(errno));
		}
	}
	close(device);
	return fd;
}

/* The number of the enclave behind FD, for messages; UINT32_MAX if it is not to be had. */
static uint32_t number_of(int fd)
{
	struct pisces_own_info own = {0};

	return ioctl(fd, PISCES_IOC_WHO, &own) < 0 ? UINT32_MAX : own.enclave;
}

/*
 * What the enclave behind FD said of its death, for messages: its reason, else the
 * last line of its console, which nobody can ask for any more once it is closed.
 */
static void last_words(int fd, char *text, size_t size)
{
	struct pisces_error ignored;
	struct pisces_info info;
	uint32_t number = number_of(fd);
	char tail[4096];
	size_t length;

	text[0] = '\0';
	if (number == UINT32_MAX)
		return;
	if (pisces_info(number, &info, &ignored) == 0 && info.reason[0]) {
		snprintf(text, size, ": %s", info.reason);
		return;
	}
	if (pisces_console_tail(number, tail, sizeof(tail), &ignored) < 0)
		return;
	length = strlen(tail);
	while (length > 0 && tail[length - 1] == '\n')
		tail[--length] = '\0';
	if (length > 0) {
		const char *line = strrchr(tail, '\n');

		snprintf(text, size, "; its last line was '%.150s'", line ? line + 1 : tail);
	}
}

static int cannot_take_cpu(uint32_t cpu, struct pisces_error *error)
{
	switch (errno) {
	case EBUSY:
		return pisces_fail(
			error,
			"Linux does not give CPU %u away: it belongs to another enclave, or is the "
			"last one (pisces list; cat /sys/devices/system/cpu/online)",
			cpu);
	case ENODEV:
	case ENXIO:
		return pisces_fail(error,
				   "CPU %u is not online in Linux: perhaps another enclave has it "
				   "(pisces list)",
				   cpu);
	case EINVAL:
		return pisces_fail(error,
				   "CPU %u cannot be given away by Linux: ask for other CPUs", cpu);
	case EPERM:
	case EOPNOTSUPP:
		return pisces_fail(error,
				   "this kernel gives no CPUs away (CPU %u: %s): see pisces doctor",
				   cpu, strerror(errno));
	default:
		return pisces_fail(error,
				   "Linux does not give CPU %u away: %s; see dmesg on node %s", cpu,
				   strerror(errno), pisces_node_name());
	}
}

static int cannot_boot(int fd, struct pisces_error *error)
{
	int why = errno;
	char words[256];

	last_words(fd, words, sizeof(words));
	switch (why) {
	case ETIMEDOUT:
		return pisces_fail(error, "the co-kernel on node %s did not come up in time%s",
				   pisces_node_name(), words);
	case ESHUTDOWN:
		return pisces_fail(error, "the co-kernel on node %s died while it booted%s",
				   pisces_node_name(), words);
	case EPROTO:
		return pisces_fail(error,
				   "the module on node %s refuses the co-kernel, which is of "
				   "another build than itself: install both from one build, then "
				   "rmmod pisces; modprobe pisces",
				   pisces_node_name());
	case ENOMEM:
		return pisces_fail(error, "the first range of memory of the enclave is too small "
					  "for the co-kernel: ask for more memory");
	case ENXIO:
		return pisces_fail(error,
				   "node %s has no unused page below 1 MiB, which starting CPUs "
				   "takes: it cannot boot enclaves",
				   pisces_node_name());
	default:
		return pisces_fail(error, "the co-kernel on node %s cannot be booted: %s%s",
				   pisces_node_name(), strerror(why), words);
	}
}

static struct pisces_cpuset cpus_of(const struct pisces_plan *plan)
{
	struct pisces_cpuset cpus = {0};

	for (unsigned int i = 0; i < plan->cpu_count; i++)
		pisces_cpuset_add(&cpus, plan->cpus[i].linux_cpu);
	return cpus;
}

static int take_cpus(int fd, const struct pisces_plan *plan, struct pisces_error *error)
{
	struct pisces_cpuset cpus = cpus_of(plan);
	char list[128];

	if (pisces_cpusets_note(fd, &cpus, error) < 0)
		return -1;
	pisces_doing("taking CPU%s %s from Linux", plan->cpu_count == 1 ? "" : "s",
		     pisces_cpuset_format(&cpus, list, sizeof(list)));
	for (unsigned int i = 0; i < plan->cpu_count; i++) {
		struct pisces_add_cpu add = {.linux_cpu = plan->cpus[i].linux_cpu};

		pisces_still_doing();
		if (ioctl(fd, PISCES_IOC_ADD_CPU, &add) < 0)
			return cannot_take_cpu(add.linux_cpu, error);
	}
	return 0;
}

static int take_memory(int fd, const struct pisces_request *request,
		       const struct pisces_plan *plan, char *note, struct pisces_error *error)
{
	struct pisces_cpuset cpus = cpus_of(plan);
	cpu_set_t before;
	bool moved;
	int result = 0;

	/* The module clears it on the CPUs where its caller may run: on those that are ours. */
	_Static_assert(sizeof(before) == sizeof(cpus.word), "PISCES_MAX_CPUS");
	moved = sched_getaffinity(0, sizeof(before), &before) == 0 &&
		sched_setaffinity(0, sizeof(cpus.word), (const cpu_set_t *)cpus.word) == 0;
	for (unsigned int i = 0; i < plan->memory_count && result == 0; i++) {
		char more[PISCES_NOTE_LEN];

		result = pisces_memory_take(fd, plan->memory[i].size, plan->memory[i].node,
					    request->way, more, error);
		/* One of them is enough: of another node it says the same. */
		if (result == 0 && more[0])
			memcpy(note, more, sizeof(more));
	}
	if (moved)
		sched_setaffinity(0, sizeof(before), &before);
	return result;
}

int pisces_enclave_start(int enclave_fd, const struct pisces_request *request,
			 const struct pisces_plan *plan, struct pisces_start_times *times,
			 struct pisces_error *error)
{
	struct pisces_start_times spent = {0};
	struct pisces_boot boot = {0};
	struct pisces_image image;
	uint64_t begin;
	int result = -1;

	/* Whatever can be refused is refused before anything is taken from Linux. */
	if (pisces_image_open(pisces_image_path(request), &image, error) < 0)
		return -1;
	boot.image = (uint64_t)(uintptr_t)image.bytes;
	boot.image_size = image.size;
	memcpy(boot.cmdline, request->cmdline, sizeof(boot.cmdline));

	begin = pisces_now_ns();
	if (take_memory(enclave_fd, request, plan, spent.note, error) < 0)
		goto out;
	spent.memory = pisces_now_ns() - begin;
	begin = pisces_now_ns();
	if (take_cpus(enclave_fd, plan, error) < 0)
		goto out;
	spent.cpus = pisces_now_ns() - begin;
	pisces_doing("booting the co-kernel");
	spent.boot_tsc = __builtin_ia32_rdtsc();
	if (ioctl(enclave_fd, PISCES_IOC_BOOT, &boot) < 0) {
		cannot_boot(enclave_fd, error);
		goto out;
	}
	spent.boot = boot.boot_ns;
	spent.launch = boot.launch_ns;
	if (times)
		*times = spent;
	result = 0;
out:
	pisces_image_close(&image);
	return result;
}

int pisces_enclave_task(int enclave_fd, unsigned int first, unsigned int count, uint32_t uid,
			uint32_t gid, struct pisces_error *error)
{
	struct pisces_task task = {.uid = uid, .gid = gid};
	char words[256];
	int fd, why;

	if (count == 0 || first >= PISCES_MAX_CPUS || count > PISCES_MAX_CPUS - first)
		return pisces_fail(error,
				   "a task cannot have %u CPUs from number %u of the enclave on",
				   count, first);
	for (unsigned int i = first; i < first + count; i++)
		task.cpus[i / 64] |= 1ull << (i % 64);
	fd = ioctl(enclave_fd, PISCES_IOC_TASK, &task);
	if (fd >= 0)
		return fd;
	why = errno;
	switch (why) {
	case ESHUTDOWN:
		last_words(enclave_fd, words, sizeof(words));
		return pisces_fail(error, "the co-kernel on node %s died%s", pisces_node_name(),
				   words);
	case EBUSY:
		return pisces_fail(error,
				   "the enclave has not been booted: no program can run in it yet");
	case ENOSPC:
	case EAGAIN:
		return pisces_fail(
			error, "the enclave has %u tasks already, which is all that it can have",
			PISCES_MAX_TASKS);
	case ENOMEM:
		return pisces_fail(error,
				   "Linux on node %s has no memory for the channel of a task: run "
				   "fewer tasks, or free memory",
				   pisces_node_name());
	case EINVAL:
		return pisces_fail(error, "the enclave does not have CPUs number %u to %u", first,
				   first + count - 1);
	default:
		return pisces_fail(error,
				   "the enclave on node %s takes no task: %s; see dmesg there",
				   pisces_node_name(), strerror(why));
	}
}

void pisces_task_share(unsigned int cpus, unsigned int tasks, unsigned int task,
		       unsigned int *first, unsigned int *count)
{
	if (tasks <= cpus) {
		/* The first cpus % tasks tasks get one more. */
		unsigned int each = cpus / tasks, more = cpus % tasks;

		*first = task * each + (task < more ? task : more);
		*count = each + (task < more ? 1 : 0);
		return;
	}
	/* Neighbours share a CPU, as evenly as it goes. */
	*first = (unsigned int)((uint64_t)task * cpus / tasks);
	*count = 1;
}
