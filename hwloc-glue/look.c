/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking at enclaves, as anyone may. */
#include "internal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The numbers of all. FLAGS: PISCES_LIST_... */
static int numbers_on(int device, uint32_t flags, uint32_t **list, struct pisces_error *error)
{
	uint32_t capacity = 16, *numbers = NULL;

	/* As long as more enclaves appear than there was room for. */
	for (;;) {
		struct pisces_list ask = {.capacity = capacity, .flags = flags};
		uint32_t *larger = realloc(numbers, capacity * sizeof(*numbers));

		if (!larger) {
			free(numbers);
			return pisces_fail(error, "no memory for a list of %u enclaves", capacity);
		}
		numbers = larger;
		ask.enclaves = (uint64_t)(uintptr_t)numbers;
		if (ioctl(device, PISCES_IOC_LIST, &ask) < 0) {
			pisces_fail(error, "node %s does not list its enclaves: %s",
				    pisces_node_name(), strerror(errno));
			free(numbers);
			return -1;
		}
		if (ask.count <= capacity) {
			*list = numbers;
			return (int)ask.count;
		}
		capacity = ask.count + 16;
	}
}

static int info_on(int device, uint32_t enclave, struct pisces_info *info,
		   struct pisces_error *error)
{
	memset(info, 0, sizeof(*info));
	info->enclave = enclave;
	if (ioctl(device, PISCES_IOC_INFO, info) == 0) {
		info->name[sizeof(info->name) - 1] = '\0';
		info->reason[sizeof(info->reason) - 1] = '\0';
		return 0;
	}
	if (errno == ENOENT || errno == ESRCH || errno == ENODEV)
		return pisces_fail(error, "there is no enclave %u on node %s (any more)", enclave,
				   pisces_node_name());
	return pisces_fail(error, "node %s does not tell about enclave %u: %s", pisces_node_name(),
			   enclave, strerror(errno));
}

/* Those whose numbers are in LIST in *INFOS. Returns how many. */
static int infos_on(int device, const uint32_t *list, int count, struct pisces_info **infos,
		    struct pisces_error *error)
{
	struct pisces_error ignored;
	int there = 0;

	*infos = calloc((size_t)count + 1, sizeof(**infos));
	if (!*infos)
		return pisces_fail(error, "no memory for a list of %d enclaves", count);
	/* One that has ended since is none. */
	for (int i = 0; i < count; i++)
		there += info_on(device, list[i], &(*infos)[there], &ignored) == 0;
	return there;
}

static int list_with(uint32_t flags, struct pisces_info **list, struct pisces_error *error)
{
	int device = pisces_device_open(PISCES_DEVICE_LOOK, error);
	uint32_t *numbers = NULL;
	int count;

	*list = NULL;
	if (device < 0)
		return -1;
	count = numbers_on(device, flags, &numbers, error);
	if (count >= 0)
		count = infos_on(device, numbers, count, list, error);
	free(numbers);
	close(device);
	return count;
}

int pisces_list(struct pisces_info **list, struct pisces_error *error)
{
	return list_with(0, list, error);
}

int pisces_list_all(struct pisces_info **list, struct pisces_error *error)
{
	return list_with(PISCES_LIST_GONE, list, error);
}

int pisces_info(uint32_t enclave, struct pisces_info *info, struct pisces_error *error)
{
	int device = pisces_device_open(PISCES_DEVICE_LOOK, error);
	int result;

	if (device < 0)
		return -1;
	result = info_on(device, enclave, info, error);
	close(device);
	return result;
}

int pisces_places(uint32_t enclave, struct pisces_place *places, unsigned int capacity,
		  struct pisces_error *error)
{
	struct pisces_places ask = {
		.enclave = enclave,
		.capacity = capacity,
		.places = (uint64_t)(uintptr_t)places,
	};
	int device = pisces_device_open(PISCES_DEVICE_LOOK, error);
	int result = -1;

	if (device < 0)
		return -1;
	if (ioctl(device, PISCES_IOC_PLACES, &ask) < 0)
		pisces_fail(error, "node %s does not tell where its CPUs are: %s",
			    pisces_node_name(), strerror(errno));
	else
		result = (int)(ask.count < capacity ? ask.count : capacity);
	close(device);
	return result;
}

struct pisces_status *pisces_status(uint32_t enclave, unsigned int *cpus,
				    struct pisces_error *error)
{
	struct pisces_status *status = NULL;
	struct pisces_get_status ask = {.enclave = enclave};
	struct pisces_info info;
	size_t size, stored;
	int device = pisces_device_open(PISCES_DEVICE_LOOK, error);

	if (device < 0)
		return NULL;
	if (info_on(device, enclave, &info, error) < 0)
		goto out;
	/* It has room for more CPUs than there are now, and holes where one has left. */
	size = sizeof(*status) + PISCES_MAX_CPUS * sizeof(status->cpu[0]);
	status = calloc(1, size);
	if (!status) {
		pisces_fail(error, "no memory to look at enclave %u", enclave);
		goto out;
	}
	ask.size = (uint32_t)size;
	ask.status = (uint64_t)(uintptr_t)status;
	if (ioctl(device, PISCES_IOC_STATUS, &ask) < 0) {
		pisces_fail(error, "enclave %u on node %s has no status: %s", enclave,
			    pisces_node_name(),
			    errno == EBUSY ? "it has not been booted yet" :
			    errno == EPERM ? "it is another user's" :
					     strerror(errno));
		free(status);
		status = NULL;
		goto out;
	}
	stored = ask.size < size ? ask.size : size;
	*cpus = 0;
	if (stored > sizeof(*status))
		*cpus = (unsigned int)((stored - sizeof(*status)) / sizeof(status->cpu[0]));
	while (*cpus > 0 && status->cpu[*cpus - 1].state == PISCES_CPU_ABSENT)
		--*cpus;
	status->reason[sizeof(status->reason) - 1] = '\0';
out:
	close(device);
	return status;
}

/* NAME as a number; false if it is not one. */
static bool read_number(const char *name, uint32_t *number)
{
	char *end;
	unsigned long value;

	if (!isdigit((unsigned char)name[0]))
		return false;
	errno = 0;
	value = strtoul(name, &end, 10);
	if (errno || *end || value > UINT32_MAX)
		return false;
	*number = (uint32_t)value;
	return true;
}

/* Has it no name but its number? */
static bool is_digit_name(const char *name)
{
	return strspn(name, "0123456789") == strlen(name);
}

static int not_found(const char *name, const char *others, struct pisces_error *error)
{
	if (others[0] == '\0')
		return pisces_fail(error,
				   "there is no enclave '%.64s' on node %s, and no other either",
				   name, pisces_node_name());
	return pisces_fail(error, "there is no enclave '%.64s' on node %s; there are: %s", name,
			   pisces_node_name(), others);
}

static bool is(const struct pisces_info *info, bool by_number, uint32_t number, const char *name)
{
	return by_number ? info->enclave == number : strcmp(info->name, name) == 0;
}

int pisces_find(const char *name, uint32_t *enclave, struct pisces_error *error)
{
	struct pisces_info *list;
	uint32_t number = 0;
	bool is_number = read_number(name, &number);
	unsigned int found = 0;
	char others[256] = "";
	size_t used = 0;
	int count = pisces_list(&list, error);

	if (count < 0)
		return -1;
	for (int i = 0; i < count; i++) {
		if (is(&list[i], is_number, number, name)) {
			*enclave = list[i].enclave;
			found++;
		}
		if (used < sizeof(others))
			used += (size_t)snprintf(others + used, sizeof(others) - used,
						 is_digit_name(list[i].name) ? "%s%u" : "%s%u %s",
						 used ? ", " : "", list[i].enclave, list[i].name);
	}
	free(list);
	if (found == 0) {
		not_found(name, others, error);
		errno = ENOENT;
		return -1;
	}
	/* Names are the users' choice, and so two may choose the same. */
	if (found > 1) {
		pisces_fail(error,
			    "%u enclaves on node %s are called '%.64s': say which by number; there "
			    "are: %s",
			    found, pisces_node_name(), name, others);
		errno = EEXIST;
		return -1;
	}
	return 0;
}

int pisces_find_any(const char *name, uint32_t *enclave, struct pisces_error *error)
{
	struct pisces_info *list;
	uint32_t number = 0;
	bool is_number = read_number(name, &number), found = false;
	struct pisces_error ignored;
	int count;

	if (pisces_find(name, enclave, error) == 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	count = pisces_list_all(&list, &ignored);
	/* In the order in which they went: the last one of a name is the one that is meant. */
	for (int i = 0; i < count; i++) {
		if (list[i].state != PISCES_ENCLAVE_GONE || !is(&list[i], is_number, number, name))
			continue;
		*enclave = list[i].enclave;
		found = true;
	}
	free(list);
	return found ? 0 : -1;
}

int pisces_console(uint32_t enclave, struct pisces_error *error)
{
	struct pisces_get_console ask = {.enclave = enclave};
	int device = pisces_device_open(PISCES_DEVICE_LOOK, error);
	int fd;

	if (device < 0)
		return -1;
	fd = ioctl(device, PISCES_IOC_CONSOLE, &ask);
	if (fd < 0) {
		switch (errno) {
		case EPERM:
		case EACCES:
			pisces_fail(error,
				    "the console of enclave %u is for root and for the user whose "
				    "program runs there",
				    enclave);
			break;
		case ENOENT:
		case ESRCH:
		case ENODEV:
			pisces_fail(error, "there is no enclave %u on node %s (any more)", enclave,
				    pisces_node_name());
			break;
		default:
			pisces_fail(error, "enclave %u on node %s has no console: %s", enclave,
				    pisces_node_name(), strerror(errno));
		}
	}
	close(device);
	return fd;
}

int pisces_console_tail(uint32_t enclave, char *text, size_t size, struct pisces_error *error)
{
	int fd = pisces_console(enclave, error);
	bool cut = false;
	size_t have = 0;
	ssize_t got = -1;

	text[0] = '\0';
	if (fd < 0)
		return -1;
	if (fcntl(fd, F_SETFL, O_NONBLOCK) == 0) {
		while ((got = read(fd, text + have, size - 1 - have)) > 0) {
			have += (size_t)got;
			if (have < size - 1)
				continue;
			/* Only the end matters: make room by forgetting the first half. */
			memmove(text, text + have / 2, have - have / 2);
			have -= have / 2;
			cut = true;
		}
	}
	close(fd);
	text[have] = '\0';
	if (cut) {
		const char *line = strchr(text, '\n');

		if (line)
			memmove(text, line + 1, strlen(line + 1) + 1);
	}
	return 0;
}

struct pisces_cpuset pisces_info_cpus(const struct pisces_info *info)
{
	struct pisces_cpuset cpus;

	for (unsigned int i = 0; i < PISCES_CPU_WORDS; i++)
		cpus.word[i] = info->cpus[i];
	return cpus;
}
