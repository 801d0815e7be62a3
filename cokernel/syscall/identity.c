/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who a program is. User and group are those of its proxy and stay: the proxy acts
 * for it on Linux, so what would change them is refused as to a plain user. Groups,
 * process group and session are the proxy's, and asked of it.
 */
#include <asm/unistd_64.h>
#include <linux/capability.h>

#include "lib/string.h"
#include "syscall/describe.h"
#include "syscall/handlers.h"
#include "task/process.h"
#include "task/thread.h"

#define GROUPS_MOST 65536u
#define KEEP UINT32_MAX /* an argument that changes nothing */

FORWARD(getpgid, VALUE)
FORWARD(getsid, VALUE)
FORWARD(setpgid, VALUE)
FORWARD(setsid, VALUE)

int64_t syscall_getpgrp(const struct syscall_args *args)
{
	const struct syscall_args own = { { 0 } };

	(void)args;
	return syscall_getpgid(&own);
}

int64_t syscall_getgroups(const struct syscall_args *args)
{
	static const struct description description = { __NR_getgroups, { VALUE, OUT_ARRAY(0, 4) } };
	uint64_t values[6] = { min_u64((uint32_t)args->a[0], GROUPS_MOST), args->a[1] };

	if ((int32_t)args->a[0] < 0)
		return -EINVAL;
	return describe_call(&description, values);
}

int64_t syscall_getuid(const struct syscall_args *args)
{
	(void)args;
	return process_current()->uid;
}

int64_t syscall_geteuid(const struct syscall_args *args)
{
	return syscall_getuid(args);
}

int64_t syscall_getgid(const struct syscall_args *args)
{
	(void)args;
	return process_current()->gid;
}

int64_t syscall_getegid(const struct syscall_args *args)
{
	return syscall_getgid(args);
}

static int64_t put_three(const struct syscall_args *args, uint32_t id)
{
	unsigned int i;

	for (i = 0; i < 3; i++) {
		if (copy_to_user(args->a[i], &id, sizeof(id)) != 0)
			return -EFAULT;
	}
	return 0;
}

int64_t syscall_getresuid(const struct syscall_args *args)
{
	return put_three(args, process_current()->uid);
}

int64_t syscall_getresgid(const struct syscall_args *args)
{
	return put_three(args, process_current()->gid);
}

/* ---- changes ---- */

/* The first COUNT arguments become numbers that are OWN now. */
static int64_t set(const struct syscall_args *args, unsigned int count, uint32_t own, bool keep)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if ((uint32_t)args->a[i] == KEEP && !keep)
			return -EINVAL;
		if ((uint32_t)args->a[i] != KEEP && (uint32_t)args->a[i] != own)
			return -EPERM;
	}
	return 0;
}

int64_t syscall_setuid(const struct syscall_args *args)
{
	return set(args, 1, process_current()->uid, false);
}

int64_t syscall_setgid(const struct syscall_args *args)
{
	return set(args, 1, process_current()->gid, false);
}

int64_t syscall_setreuid(const struct syscall_args *args)
{
	return set(args, 2, process_current()->uid, true);
}

int64_t syscall_setregid(const struct syscall_args *args)
{
	return set(args, 2, process_current()->gid, true);
}

int64_t syscall_setresuid(const struct syscall_args *args)
{
	return set(args, 3, process_current()->uid, true);
}

int64_t syscall_setresgid(const struct syscall_args *args)
{
	return set(args, 3, process_current()->gid, true);
}

/* These say what it was before, and nothing about success. */
int64_t syscall_setfsuid(const struct syscall_args *args)
{
	return syscall_getuid(args);
}

int64_t syscall_setfsgid(const struct syscall_args *args)
{
	return syscall_getgid(args);
}

/* Of Linux there is one way to be, with places of memory that are random or are not. */
int64_t syscall_personality(const struct syscall_args *args)
{
	const uint32_t ask = UINT32_MAX, no_randomize = 0x40000;
	struct process *process = process_current();
	uint32_t new = (uint32_t)args->a[0];
	int64_t before = process->places_fixed ? no_randomize : 0;

	if (new == ask)
		return before;
	if (new & ~no_randomize)
		return -EINVAL;
	process->places_fixed = new != 0;
	return before;
}

int64_t syscall_setgroups(const struct syscall_args *args)
{
	(void)args;
	return -EPERM;
}

/* ---- capabilities: none, as of a plain user ---- */

/* struct __user_cap_header_struct */
struct capability_header {
	uint32_t version;
	int32_t pid;
};

/* Words of sets in VERSION, 0: there is no such version. */
static uint32_t capability_words(uint32_t version)
{
	switch (version) {
	case _LINUX_CAPABILITY_VERSION_1:
		return 3;
	case _LINUX_CAPABILITY_VERSION_2:
	case _LINUX_CAPABILITY_VERSION_3:
		return 6;
	default:
		return 0;
	}
}

/* A header that is no good is told the version that would be. */
static int check_header(user_addr_t at, struct capability_header *header, uint32_t *words)
{
	const uint32_t version = _LINUX_CAPABILITY_VERSION_3;

	if (copy_from_user(header, at, sizeof(*header)) != 0)
		return -EFAULT;
	*words = capability_words(header->version);
	if (*words == 0)
		return copy_to_user(at, &version, sizeof(version)) != 0 ? -EFAULT : -EINVAL;
	return 0;
}

int64_t syscall_capget(const struct syscall_args *args)
{
	const uint32_t none[6] = { 0 };
	struct capability_header header;
	uint32_t words;
	int error = check_header(args->a[0], &header, &words);

	/* Who has no room for an answer only asks for the version. */
	if (error == -EINVAL && !args->a[1])
		return 0;
	if (error)
		return error;
	if (header.pid < 0)
		return -EINVAL;
	if (header.pid != 0 && (tid_t)header.pid != process_current()->pid)
		return -ESRCH;
	return copy_to_user(args->a[1], none, words * sizeof(none[0]));
}

int64_t syscall_capset(const struct syscall_args *args)
{
	struct capability_header header;
	uint32_t sets[6], words, i;
	int error = check_header(args->a[0], &header, &words);

	if (error)
		return error;
	if (header.pid != 0 && (tid_t)header.pid != process_current()->pid)
		return -EPERM;
	if (copy_from_user(sets, args->a[1], words * sizeof(sets[0])) != 0)
		return -EFAULT;
	for (i = 0; i < words; i++) {
		if (sets[i] != 0)
			return -EPERM;
	}
	return 0;
}
