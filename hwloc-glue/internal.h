/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of libpisces share and its users do not see.
 */
#ifndef PISCES_INTERNAL_H
#define PISCES_INTERNAL_H

#include "libpisces.h"

#include <pisces/boot.h>

/* Fills *ERROR with one line as printf(3) does. Returns -1, for `return`. */
__attribute__((format(printf, 2, 3))) int pisces_fail(struct pisces_error *error,
						      const char *format, ...);

/*
 * Reads a small file of the kernel (sysfs, procfs) into TEXT, which is always
 * terminated, without the final newline. Returns 0; -1 with errno.
 */
int pisces_read_text(const char *path, char *text, size_t size);

/*
 * Opens the device to look (anyone may) or to make an enclave (root), and makes
 * sure that the module is of the same build. Returns an fd or -1.
 */
enum pisces_device_use { PISCES_DEVICE_LOOK, PISCES_DEVICE_CREATE };
int pisces_device_open(enum pisces_device_use use, struct pisces_error *error);

/* False: nothing of this machine is with an enclave. */
bool pisces_module_is_there(void);

/* "contig", "block", "remove": enum pisces_memory_way; -1 if it is none of these. */
int pisces_way_parse(const char *name);

/* The NUMA node that most of its memory is on, which is where the plan has put its CPUs. */
uint32_t pisces_main_node(const struct pisces_info *info);

/* All CPUs of the machine whose core has one of CPUS. None without the module. */
struct pisces_cpuset pisces_cores_of(const struct pisces_cpuset *cpus);

/* The root of cgroup v1's cpusets; false if there is none. */
bool pisces_cpuset_v1_root(char *path, size_t size);

/* Notes, with the enclave, what cpusets of cgroup v1 have of CPUS, which are about to go. */
int pisces_cpusets_note(int enclave_fd, const struct pisces_cpuset *cpus,
			struct pisces_error *error);

/*
 * Puts the CPUs that are online again back where they were noted, over the device's fd.
 * Returns how many cpusets it could not repair.
 */
int pisces_cpusets_restore(int device);

/* What is being done from now on, for pisces_progress(); and that it still is. */
__attribute__((format(printf, 1, 2))) void pisces_doing(const char *format, ...);
void pisces_still_doing(void);

/* A co-kernel image, read whole and checked. */
struct pisces_image {
	unsigned char *bytes; /* pisces_image_close() frees it */
	size_t size;
	struct pisces_image_header header;
};

/*
 * Reads the image at PATH and checks what the module would refuse. Returns 0,
 * and then *IMAGE is to be closed; -1.
 */
int pisces_image_open(const char *path, struct pisces_image *image, struct pisces_error *error);
void pisces_image_close(struct pisces_image *image);

/* Bytes of each NUMA node that can be had now, by Linux's number; an estimate. */
void pisces_free_memory(uint64_t free[PISCES_MAX_NODES]);

/* ---- doctor: its checks, in files by subject ---- */

/* Where checks put what they find. */
struct pisces_report {
	struct pisces_check *checks;
	unsigned int count;
	unsigned int capacity;
};

/* Adds a check with FINDING as printf(3) does and REMEDY ("" if none is needed). */
__attribute__((format(printf, 5, 6))) void pisces_report(struct pisces_report *report,
							 enum pisces_verdict verdict,
							 const char *what, const char *remedy,
							 const char *format, ...);

void pisces_check_software(struct pisces_report *report); /* module, image, proxy */
void pisces_check_node(struct pisces_report *report);	  /* CPUs, memory, kernel, firmware */
void pisces_check_boot(struct pisces_report *report);	  /* kernel command line, helpers */
void pisces_check_slurm(struct pisces_report *report);	  /* if there is one */

#endif
