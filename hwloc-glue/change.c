/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changing a running enclave: more CPUs or memory, or fewer. */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int pisces_enclave_open(uint32_t enclave, struct pisces_error *error)
{
	struct pisces_open ask = {.enclave = enclave};
	int device, fd;

	device = pisces_device_open(PISCES_DEVICE_LOOK, error);
	if (device < 0)
		return -1;
	fd = ioctl(device, PISCES_IOC_OPEN, &ask);
	if (fd < 0) {
		switch (errno) {
		case ENOENT:
			pisces_fail(error, "there is no enclave %u on node %s (any more)", enclave,
				    pisces_node_name());
			break;
		case EPERM:
			pisces_fail(error,
				    "only root (CAP_SYS_ADMIN) may change enclave %u or look into its "
				    "memory",
				    enclave);
			break;
		default:
			pisces_fail(error, "enclave %u on node %s cannot be opened: %s", enclave,
				    pisces_node_name(), strerror(errno));
		}
	}
	close(device);
	return fd;
}

/* What the enclave behind FD is now. */
static int look(int fd, struct pisces_info *info, struct pisces_error *error)
{
	struct pisces_own_info own = {0};

	if (ioctl(fd, PISCES_IOC_WHO, &own) < 0)
		return pisces_fail(error, "this is not a descriptor of an enclave: %s",
				   strerror(errno));
	return pisces_info(own.enclave, info, error);
}

static void tell_end(const struct pisces_info *before, struct pisces_error *error)
{
	struct pisces_error ignored;
	struct pisces_info now;

	if (pisces_info(before->enclave, &now, &ignored) == 0 && now.reason[0])
		pisces_fail(error, "the co-kernel of enclave %u died: %s", before->enclave,
			    now.reason);
	else
		pisces_fail(error, "enclave %u is ending, or its co-kernel has died",
			    before->enclave);
}

/* Why nothing of the kind can be done to it, for errors that all changes share; or false. */
static bool cannot_change(const struct pisces_info *before, struct pisces_error *error)
{
	int why = errno;

	switch (why) {
	case ESHUTDOWN:
		tell_end(before, error);
		return true;
	case EPERM:
		pisces_fail(error, "changing enclave %u needs root (CAP_SYS_ADMIN)",
			    before->enclave);
		return true;
	case EINTR:
		pisces_fail(error, "the change of enclave %u was interrupted", before->enclave);
		return true;
	}
	errno = why;
	return false;
}

/* ---- CPUs ---- */

static int cannot_add(uint32_t cpu, const struct pisces_info *info, struct pisces_error *error)
{
	if (cannot_change(info, error))
		return -1;
	switch (errno) {
	case EBUSY:
		if (info->state != PISCES_ENCLAVE_RUNNING)
			break;
		return pisces_fail(error,
				   "CPU %u cannot be added to enclave %u: an enclave has it already, "
				   "or it is the last one that Linux has (pisces list)",
				   cpu, info->enclave);
	case ENODEV:
		return pisces_fail(error,
				   "CPU %u cannot be added to enclave %u: it is offline in Linux; "
				   "wait if another enclave has it (pisces list), else bring it online",
				   cpu, info->enclave);
	case EINVAL:
		return pisces_fail(error,
				   "CPU %u cannot be added to enclave %u: Linux cannot give it away, or "
				   "does not have it; take another one",
				   cpu, info->enclave);
	case ENOSPC:
		return pisces_fail(error, "enclave %u cannot have more CPUs than it has: %u",
				   info->enclave, info->cpu_count);
	case ETIMEDOUT:
		return pisces_fail(error,
				   "CPU %u did not come up in enclave %u and is Linux's again; see dmesg "
				   "on node %s",
				   cpu, info->enclave, pisces_node_name());
	case ENOMEM:
		return pisces_fail(error,
				   "CPU %u cannot be added to enclave %u, which has too little memory "
				   "free for it: give it more first",
				   cpu, info->enclave);
	}
	return pisces_fail(error, "CPU %u cannot be added to enclave %u (it is %s): %s; see dmesg on %s",
			   cpu, info->enclave,
			   info->state == PISCES_ENCLAVE_RUNNING ? "running" : "not running",
			   strerror(errno), pisces_node_name());
}

static int cannot_remove(uint32_t cpu, const struct pisces_info *info, struct pisces_error *error)
{
	if (cannot_change(info, error))
		return -1;
	switch (errno) {
	case ENOENT:
		return pisces_fail(error,
				   "enclave %u has no CPU %u to give back: see pisces list for those it has",
				   info->enclave, cpu);
	case EBUSY:
		if (info->cpu_count == 1)
			return pisces_fail(error,
					   "CPU %u is the last one of enclave %u, which needs it as "
					   "long as it runs",
					   cpu, info->enclave);
		return pisces_fail(error,
				   "CPU %u of enclave %u cannot be given back: a program there may run "
				   "nowhere else; give another one back, or wait for its end",
				   cpu, info->enclave);
	case ETIMEDOUT:
		return pisces_fail(error,
				   "the co-kernel of enclave %u did not answer, and was ended: its owner "
				   "is told, and all it has comes back",
				   info->enclave);
	case EIO:
		return pisces_fail(error,
				   "CPU %u has left enclave %u and does not come up in Linux: echo 1 > "
				   "/sys/devices/system/cpu/cpu%u/online; see dmesg on node %s",
				   cpu, info->enclave, cpu, pisces_node_name());
	}
	return pisces_fail(error, "CPU %u of enclave %u cannot be given back: %s; see dmesg on node %s",
			   cpu, info->enclave, strerror(errno), pisces_node_name());
}

/* Adds to an error what had been done before it. */
static void tell_done(const struct pisces_cpuset *done, const char *what,
		      struct pisces_error *error)
{
	char list[128];
	size_t used = strlen(error->text);

	if (pisces_cpuset_count(done))
		snprintf(error->text + used, sizeof(error->text) - used, "; %s before that: CPU%s %s",
			 what, pisces_cpuset_count(done) == 1 ? "" : "s",
			 pisces_cpuset_format(done, list, sizeof(list)));
}

static int add_cpus(int fd, const struct pisces_cpuset *cpus, const struct pisces_info *info,
		    struct pisces_error *error)
{
	struct pisces_cpuset done = {0};

	if (pisces_cpusets_note(fd, cpus, error) < 0)
		return -1;
	for (uint32_t cpu = 0; cpu < PISCES_MAX_CPUS; cpu++) {
		struct pisces_add_cpu add = {.linux_cpu = cpu};

		if (!pisces_cpuset_has(cpus, cpu))
			continue;
		if (ioctl(fd, PISCES_IOC_ADD_CPU, &add) < 0) {
			cannot_add(cpu, info, error);
			tell_done(&done, "added", error);
			return -1;
		}
		pisces_cpuset_add(&done, cpu);
	}
	return 0;
}

static int remove_cpus(int fd, const struct pisces_cpuset *cpus, const struct pisces_info *info,
		       struct pisces_error *error)
{
	struct pisces_cpuset done = {0};

	/* From the highest on: so those that came last are the first to go. */
	for (uint32_t cpu = PISCES_MAX_CPUS; cpu-- > 0;) {
		struct pisces_remove_cpu remove = {.linux_cpu = cpu};
		struct pisces_info now = *info;

		if (!pisces_cpuset_has(cpus, cpu))
			continue;
		if (ioctl(fd, PISCES_IOC_REMOVE_CPU, &remove) < 0) {
			now.cpu_count -= pisces_cpuset_count(&done);
			cannot_remove(cpu, &now, error);
			tell_done(&done, "given back", error);
			return -1;
		}
		pisces_cpuset_add(&done, cpu);
	}
	return 0;
}

/* ---- memory ---- */

static int remove_memory(int fd, uint64_t size, uint32_t node, const struct pisces_info *info,
			 struct pisces_error *error)
{
	struct pisces_remove_memory remove = {.size = size, .node = node};
	char asked[32], available[32];

	if (ioctl(fd, PISCES_IOC_REMOVE_MEMORY, &remove) == 0)
		return 0;
	if (cannot_change(info, error))
		return -1;
	pisces_size_format(size, asked, sizeof(asked));
	switch (errno) {
	case EBUSY:
		if (info->state != PISCES_ENCLAVE_RUNNING)
			break;
		return pisces_fail(error,
				   "%s of NUMA node %u cannot be given back by enclave %u, which has %s "
				   "there that nothing uses: give back less, or wait for its programs",
				   asked, node, info->enclave,
				   pisces_size_format(remove.available, available, sizeof(available)));
	case ETIMEDOUT:
		return pisces_fail(error,
				   "the co-kernel of enclave %u did not answer, and was ended: its owner "
				   "is told, and all it has comes back",
				   info->enclave);
	}
	return pisces_fail(error, "%s of NUMA node %u cannot be given back by enclave %u: %s", asked,
			   node, info->enclave, strerror(errno));
}

/* What ways before the one that failed had added is given back, or is told in ERROR. */
static void undo_memory(int fd, uint32_t node, const struct pisces_info *before,
			struct pisces_error *error)
{
	struct pisces_error ignored;
	struct pisces_info now;
	size_t used;
	char text[32];

	if (pisces_info(before->enclave, &now, &ignored) < 0 ||
	    now.state != PISCES_ENCLAVE_RUNNING) {
		tell_end(before, error);
		return;
	}
	if (now.node_memory[node] <= before->node_memory[node] ||
	    remove_memory(fd, now.node_memory[node] - before->node_memory[node], node, &now,
			  &ignored) == 0)
		return;
	used = strlen(error->text);
	snprintf(error->text + used, sizeof(error->text) - used, "; %s of it were added and stay",
		 pisces_size_format(now.node_memory[node] - before->node_memory[node], text,
				    sizeof(text)));
}

static int change_memory(int fd, const struct pisces_change *change, const struct pisces_info *info,
			 char *note, struct pisces_error *error)
{
	uint32_t node = change->node < 0 ? pisces_main_node(info) : (uint32_t)change->node;
	uint64_t size = change->memory < 0 ? 0 - (uint64_t)change->memory : (uint64_t)change->memory;

	size = (size + PISCES_MEMORY_ALIGN - 1) / PISCES_MEMORY_ALIGN * PISCES_MEMORY_ALIGN;
	if (change->memory < 0)
		return remove_memory(fd, size, node, info, error);
	if (pisces_memory_take(fd, size, node, change->way, note, error) == 0)
		return 0;
	undo_memory(fd, node, info, error);
	return -1;
}

int pisces_enclave_change(int enclave_fd, const struct pisces_change *change, char *note,
			  struct pisces_error *error)
{
	struct pisces_info info;

	note[0] = '\0';
	if (look(enclave_fd, &info, error) < 0 ||
	    add_cpus(enclave_fd, &change->add_cpus, &info, error) < 0)
		return -1;
	if (change->memory != 0 && change_memory(enclave_fd, change, &info, note, error) < 0) {
		tell_done(&change->add_cpus, "added", error);
		return -1;
	}
	/* What came counts: its last CPU may be a new one. */
	info.cpu_count += pisces_cpuset_count(&change->add_cpus);
	return remove_cpus(enclave_fd, &change->remove_cpus, &info, error);
}
