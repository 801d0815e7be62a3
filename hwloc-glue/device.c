/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device: opening it, and making sure that the module is of this build. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pisces/build_id.h>

static int cannot_open(enum pisces_device_use use, struct pisces_error *error)
{
	switch (errno) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return pisces_fail(error,
				   "the kernel module is not loaded on node %s: modprobe pisces",
				   pisces_node_name());
	case EACCES:
	case EPERM:
		if (use == PISCES_DEVICE_CREATE)
			return pisces_fail(
				error, "making an enclave takes CPUs and memory from Linux and so "
				       "needs root; plain users get one by srun --enclave=lwk");
		return pisces_fail(error, "%s on node %s may not be read: chmod 644 %s",
				   PISCES_DEVICE, pisces_node_name(), PISCES_DEVICE);
	default:
		return pisces_fail(error, "%s on node %s does not open: %s", PISCES_DEVICE,
				   pisces_node_name(), strerror(errno));
	}
}

bool pisces_module_is_there(void)
{
	return access(PISCES_DEVICE, F_OK) == 0;
}

int pisces_device_open(enum pisces_device_use use, struct pisces_error *error)
{
	struct pisces_version version = {0};
	int fd;

	fd = open(PISCES_DEVICE, (use == PISCES_DEVICE_CREATE ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (fd < 0)
		return cannot_open(use, error);
	if (ioctl(fd, PISCES_IOC_VERSION, &version) < 0) {
		pisces_fail(error,
			    "%s on node %s is not the device of pisces.ko (%s): modprobe pisces",
			    PISCES_DEVICE, pisces_node_name(), strerror(errno));
		close(fd);
		return -1;
	}
	version.build_id[sizeof(version.build_id) - 1] = '\0';
	if (version.abi != PISCES_ABI_VERSION || strcmp(version.build_id, PISCES_BUILD_ID) != 0) {
		pisces_fail(error,
			    "the module on node %s is of build %s, this program of build %s: "
			    "install both from one build, then rmmod pisces; modprobe pisces",
			    pisces_node_name(), version.build_id, PISCES_BUILD_ID);
		close(fd);
		return -1;
	}
	return fd;
}

const char *pisces_proxy_path(void)
{
	const char *path = secure_getenv("PISCES_PROXY");

	return path && *path ? path : PISCES_PROXY_PATH;
}

const char *pisces_image_path(const struct pisces_request *request)
{
	const char *path = geteuid() == 0 ? secure_getenv("PISCES_IMAGE") : NULL;

	if (request && request->image)
		return request->image;
	return path && *path ? path : PISCES_IMAGE_PATH;
}
