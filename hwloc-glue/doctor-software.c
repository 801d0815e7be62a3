/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of what was installed: module, co-kernel, proxy. */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <pisces/build_id.h>

/* Does modprobe know a pisces.ko for the kernel that runs? */
static bool module_is_installed(const char *release)
{
	char path[256], *line = NULL;
	bool found = false;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", release);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && getline(&line, &size, file) > 0)
		found = strstr(line, "/pisces.ko") != NULL;
	free(line);
	fclose(file);
	return found;
}

/* Why modprobe may fail: the kernel takes signed modules only. */
static bool signatures_are_enforced(void)
{
	char text[128];

	if (pisces_read_text("/sys/module/module/parameters/sig_enforce", text, sizeof(text)) ==
		    0 &&
	    text[0] == 'Y')
		return true;
	return pisces_read_text("/sys/kernel/security/lockdown", text, sizeof(text)) == 0 &&
	       strchr(text, '[') && !strstr(text, "[none]");
}

static void check_module(struct pisces_report *report)
{
	char remedy[256], version[64];
	struct pisces_error error;
	struct utsname kernel;
	int fd = pisces_device_open(PISCES_DEVICE_LOOK, &error);

	if (fd >= 0) {
		close(fd);
		if (pisces_read_text("/sys/module/pisces/version", version, sizeof(version)) < 0)
			version[0] = '\0';
		pisces_report(report, PISCES_CHECK_OK, "kernel module", "",
			      "pisces.ko %s is loaded and of build %s, as this program",
			      version[0] ? version : "(built in)", PISCES_BUILD_ID);
		return;
	}
	uname(&kernel);
	if (access(PISCES_DEVICE, F_OK) == 0) {
		/* It is there, so the sentence says what else is the matter. */
		pisces_report(report, PISCES_CHECK_BAD, "kernel module",
			      "rmmod pisces; modprobe pisces", "%s", error.text);
	} else if (!module_is_installed(kernel.release)) {
		snprintf(remedy, sizeof(remedy),
			 "./configure --with-kernel=/lib/modules/%s/build && make install && "
			 "depmod && modprobe pisces",
			 kernel.release);
		pisces_report(report, PISCES_CHECK_BAD, "kernel module", remedy,
			      "no pisces.ko is installed for Linux %s", kernel.release);
	} else if (signatures_are_enforced()) {
		snprintf(remedy, sizeof(remedy),
			 "sign it: /lib/modules/%s/build/scripts/sign-file sha256 KEY CERTIFICATE "
			 "$(modinfo -n pisces); then modprobe pisces",
			 kernel.release);
		pisces_report(report, PISCES_CHECK_BAD, "kernel module", remedy,
			      "pisces.ko is not loaded, and this kernel takes signed modules only "
			      "(lockdown)");
	} else {
		pisces_report(report, PISCES_CHECK_BAD, "kernel module", "modprobe pisces",
			      "pisces.ko is installed but not loaded");
	}
}

static void check_image(struct pisces_report *report)
{
	const char *path = pisces_image_path(NULL);
	struct pisces_image image;
	struct pisces_error error;

	if (pisces_image_open(path, &image, &error) < 0) {
		pisces_report(report, PISCES_CHECK_BAD, "co-kernel",
			      "make install (from the same build as this program)", "%s",
			      error.text);
		return;
	}
	pisces_report(report, PISCES_CHECK_OK, "co-kernel", "", "%s is of this build, %zu KiB",
		      path, (image.size + 1023) / 1024);
	pisces_image_close(&image);
}

static void check_proxy(struct pisces_report *report)
{
	const char *path = pisces_proxy_path();

	if (access(path, X_OK) == 0)
		pisces_report(report, PISCES_CHECK_OK, "proxy", "", "%s can be executed", path);
	else
		pisces_report(report, PISCES_CHECK_BAD, "proxy",
			      "make install (from the same build as this program)",
			      "%s cannot be executed: %s", path, strerror(errno));
}

void pisces_check_software(struct pisces_report *report)
{
	check_module(report);
	check_image(report);
	check_proxy(report);
}
