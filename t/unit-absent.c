/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A node without the module: what libpisces says then; and what it says of
 * co-kernel images that are none, before anything is taken from Linux.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pisces/boot.h>
#include <pisces/build_id.h>

#include "libpisces.h"
#include "tap.h"

static struct pisces_error error;

static bool says(const char *text)
{
	return strstr(error.text, text) && !strchr(error.text, '\n');
}

static void check_absent(void)
{
	struct pisces_request request;
	struct pisces_info info, *list;
	unsigned int cpus;
	uint32_t number;
	char node[64];

	pisces_request_init(&request);
	gethostname(node, sizeof(node));
	ok(pisces_enclave_create(&request, 1, 0, 0, &error) == -1 && says("modprobe pisces"),
	   "create: %s", error.text);
	ok(says(node), "the message names the node");
	ok(pisces_list(&list, &error) == -1 && says("modprobe pisces"), "list: %s", error.text);
	ok(pisces_info(1, &info, &error) == -1 && says("modprobe pisces"), "info");
	ok(!pisces_status(1, &cpus, &error) && says("modprobe pisces"), "status");
	ok(pisces_find("sim", &number, &error) == -1 && says("modprobe pisces"), "find");
	ok(pisces_console(1, &error) == -1 && says("modprobe pisces"), "console");
}

static void check_doctor(void)
{
	struct pisces_check checks[64];
	unsigned int count, one;
	bool found = false, well = true;

	count = pisces_doctor(checks, 64);
	ok(count > 5 && count < 64, "doctor makes %u checks", count);
	for (unsigned int i = 0; i < count; i++) {
		if (strcmp(checks[i].what, "kernel module") == 0)
			found = checks[i].verdict == PISCES_CHECK_BAD &&
				strstr(checks[i].remedy, "modprobe pisces");
		if (checks[i].finding[0] == '\0' ||
		    (checks[i].verdict == PISCES_CHECK_OK) != (checks[i].remedy[0] == '\0') ||
		    strchr(checks[i].finding, '\n') || strchr(checks[i].remedy, '\n')) {
			well = false;
			printf("# %s: '%s', '%s'\n", checks[i].what, checks[i].finding,
			       checks[i].remedy);
		}
	}
	ok(found, "the module is missing, and the remedy loads it");
	ok(well, "each check is a line, with a remedy if and only if not all is well");
	one = pisces_doctor(checks, 1);
	is_number(one, 1, "no more checks are stored than there is room for");
}

/* ---- images ---- */

static char path[] = "/tmp/unit-absent.XXXXXX";

static void write_image(const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		abort();
	close(fd);
}

/* Starts an enclave that there is none of: must fail at the image. */
static bool refused(const char *text)
{
	struct pisces_request request;
	struct pisces_plan plan = {0};

	pisces_request_init(&request);
	request.image = path;
	error.text[0] = '\0';
	return pisces_enclave_start(-1, &request, &plan, NULL, &error) == -1 && says(text);
}

static void check_images(void)
{
	struct {
		struct pisces_image_header header;
		char code[4096 - sizeof(struct pisces_image_header)];
	} image = {0}, wrong;
	const struct pisces_image_header good = {
		.magic = PISCES_IMAGE_MAGIC,
		.abi = PISCES_ABI_VERSION,
		.header_size = sizeof(good),
		.build_id = PISCES_BUILD_ID,
		.virtual_base = 0xffffffff80000000,
		.entry = 0xffffffff80000100,
		.file_size = sizeof(image),
		.memory_size = sizeof(image) * 2,
	};

	image.header = good;
	write_image(&image, sizeof(image));
	/* Nothing is wrong with it, so it comes to the enclave, which there is none of. */
	ok(refused("cannot be booted"), "a good image is refused by nobody but the device: %s",
	   error.text);

	write_image("", 0);
	ok(refused("not an image"), "an empty file: %s", error.text);
	write_image("#!/bin/sh\n", 10);
	ok(refused("not an image"), "a short file: %s", error.text);
	wrong = image;
	wrong.header.magic++;
	write_image(&wrong, sizeof(wrong));
	ok(refused("not an image"), "another magic number");
	wrong = image;
	wrong.header.build_id[0] ^= 1;
	write_image(&wrong, sizeof(wrong));
	ok(refused(PISCES_BUILD_ID) && says(wrong.header.build_id),
	   "another build, both are named: %s", error.text);
	wrong = image;
	wrong.header.abi++;
	write_image(&wrong, sizeof(wrong));
	ok(refused("build"), "another version of the contract");
	wrong = image;
	memset(wrong.header.build_id, 'x', sizeof(wrong.header.build_id));
	write_image(&wrong, sizeof(wrong));
	ok(refused("build"), "a build id without an end");
	write_image(&image, sizeof(image) - 1);
	ok(refused("damaged"), "a file that was cut off: %s", error.text);
	wrong = image;
	wrong.header.virtual_base += 4096;
	write_image(&wrong, sizeof(wrong));
	ok(refused("damaged"), "a base that is not that of a large page");
	wrong = image;
	wrong.header.entry = wrong.header.virtual_base - 1;
	write_image(&wrong, sizeof(wrong));
	ok(refused("damaged"), "an entry before the image");
	wrong = image;
	wrong.header.entry = wrong.header.virtual_base + sizeof(image);
	write_image(&wrong, sizeof(wrong));
	ok(refused("damaged"), "an entry behind the image");
	wrong = image;
	wrong.header.memory_size = sizeof(image) - 1;
	write_image(&wrong, sizeof(wrong));
	ok(refused("damaged"), "less memory than file");
	wrong = image;
	wrong.header.memory_size = 1ull << 40;
	write_image(&wrong, sizeof(wrong));
	ok(refused("damaged"), "more memory than an image may have");

	unlink(path);
	ok(refused("No such file"), "no file: %s", error.text);
	mkdir(path, 0700);
	ok(refused("not an image"), "a directory: %s", error.text);
	rmdir(path);
}

static void check_paths(void)
{
	struct pisces_request request;

	pisces_request_init(&request);
	unsetenv("PISCES_PROXY");
	unsetenv("PISCES_IMAGE");
	ok(strstr(pisces_proxy_path(), "/pisces-proxy"), "the proxy is %s", pisces_proxy_path());
	ok(strstr(pisces_image_path(NULL), "/cokernel.bin"), "the image is %s",
	   pisces_image_path(NULL));
	setenv("PISCES_PROXY", "/opt/proxy", 1);
	setenv("PISCES_IMAGE", "/opt/image", 1);
	is_text(pisces_proxy_path(), "/opt/proxy", "PISCES_PROXY names another");
	if (geteuid() == 0)
		is_text(pisces_image_path(&request), "/opt/image",
			"PISCES_IMAGE names another, for root");
	else
		ok(strstr(pisces_image_path(&request), "/cokernel.bin"),
		   "PISCES_IMAGE is for root");
	request.image = "/my/image";
	is_text(pisces_image_path(&request), "/my/image", "that of the request comes first");
}

int main(void)
{
	int fd = mkstemp(path);

	if (fd < 0)
		abort();
	close(fd);
	check_images();
	check_paths();
	if (access(PISCES_DEVICE, F_OK) == 0) {
		ok(true, "# SKIP this node has the module");
	} else {
		check_absent();
		check_doctor();
	}
	return done();
}
