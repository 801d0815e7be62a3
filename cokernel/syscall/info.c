/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a program can ask about where it is and who it is. */
#include <linux/resource.h>
#include <pisces/build_id.h>

#include "arch/time.h"
#include "boot/boot.h"
#include "fs/staged.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/local.h"
#include "mm/page.h"
#include "syscall/handlers.h"
#include "syscall/random.h"
#include "task/process.h"
#include "task/thread.h"

/* The release whose system calls these are meant to be. */
#define ABI_RELEASE "6.1.0-pisces"

/* struct utsname of the ABI. */
struct user_name {
	char system[65];
	char node[65];
	char release[65];
	char version[65];
	char machine[65];
	char domain[65];
};

int64_t syscall_uname(const struct syscall_args *args)
{
	struct user_name name;

	memset(&name, 0, sizeof(name));
	strlcpy(name.system, "Linux", sizeof(name.system));
	strlcpy(name.node, boot_block->node_name, sizeof(name.node));
	strlcpy(name.release, ABI_RELEASE, sizeof(name.release));
	format_text(name.version, sizeof(name.version), "Pisces co-kernel %s enclave %u",
		    PISCES_VERSION_STRING, boot_block->enclave);
	strlcpy(name.machine, "x86_64", sizeof(name.machine));
	strlcpy(name.domain, "(none)", sizeof(name.domain));
	return copy_to_user(args->a[0], &name, sizeof(name));
}

/* struct sysinfo of the ABI. */
struct user_sysinfo {
	int64_t uptime;
	uint64_t loads[3];
	uint64_t total;
	uint64_t free;
	uint64_t shared;
	uint64_t buffers;
	uint64_t swap_total;
	uint64_t swap_free;
	uint16_t processes;
	uint16_t unused;
	uint32_t unused2;
	uint64_t high_total;
	uint64_t high_free;
	uint32_t unit;
	uint32_t unused3;
};
_Static_assert(sizeof(struct user_sysinfo) == 112, "struct sysinfo of the ABI");

int64_t syscall_sysinfo(const struct syscall_args *args)
{
	struct user_sysinfo info;

	memset(&info, 0, sizeof(info));
	info.uptime = (int64_t)(time_now() / NSEC_PER_SEC);
	info.total = page_total();
	info.free = page_free_bytes();
	info.processes = (uint16_t)min_u64(boot_status->threads, UINT16_MAX);
	info.unit = 1;
	return copy_to_user(args->a[0], &info, sizeof(info));
}

/* ---- limits ---- */

struct user_limit {
	uint64_t soft;
	uint64_t hard;
};

/* Descriptors that the proxy leaves to its program. */
#define FILES_MOST 1008u

static struct user_limit limit_of(uint64_t resource)
{
	struct user_limit limit = { UINT64_MAX, UINT64_MAX };

	switch (resource) {
	case RLIMIT_STACK:
		limit.soft = process_current()->stack_limit;
		break;
	case RLIMIT_CORE:
		limit = (struct user_limit){ 0, 0 };
		break;
	case RLIMIT_NOFILE:
		limit = (struct user_limit){ FILES_MOST, FILES_MOST };
		if (staged_current())
			limit = (struct user_limit){ staged_current()->descriptor_limit,
						     staged_current()->descriptor_most };
		break;
	case RLIMIT_AS:
	case RLIMIT_DATA:
	case RLIMIT_RSS:
	default:
		break;
	}
	return limit;
}

/* Staged I/O: descriptors are ours to count. */
static int limit_descriptors(struct staged *staged, const struct user_limit *limit)
{
	if (limit->hard > staged->descriptor_most)
		return -EPERM;
	staged->descriptor_most = (uint32_t)limit->hard;
	staged->descriptor_limit = (uint32_t)limit->soft;
	return 0;
}

/* Only the stack's can be changed, and means what threads are given. */
static int set_limit(uint64_t resource, user_addr_t from)
{
	struct user_limit limit;

	if (copy_from_user(&limit, from, sizeof(limit)) != 0)
		return -EFAULT;
	if (limit.soft > limit.hard)
		return -EINVAL;
	if (resource == RLIMIT_NOFILE && staged_current())
		return limit_descriptors(staged_current(), &limit);
	if (resource == RLIMIT_STACK)
		process_current()->stack_limit = limit.soft;
	return 0;
}

int64_t syscall_prlimit64(const struct syscall_args *args)
{
	struct user_limit old;
	tid_t pid = (tid_t)args->a[0];
	int error;

	if (args->a[1] >= RLIM_NLIMITS)
		return -EINVAL;
	if (pid != 0 && pid != process_current()->pid)
		return -ESRCH;
	old = limit_of(args->a[1]);
	if (args->a[2]) {
		error = set_limit(args->a[1], args->a[2]);
		if (error)
			return error;
	}
	return args->a[3] ? copy_to_user(args->a[3], &old, sizeof(old)) : 0;
}

int64_t syscall_getrlimit(const struct syscall_args *args)
{
	const struct syscall_args all = { { 0, args->a[0], 0, args->a[1] } };

	return syscall_prlimit64(&all);
}

int64_t syscall_setrlimit(const struct syscall_args *args)
{
	const struct syscall_args all = { { 0, args->a[0], args->a[1], 0 } };

	return syscall_prlimit64(&all);
}

/* ---- randomness ---- */

#define RANDOM_PIECE 256u
#define RANDOM_MOST 0x1ffffffull /* as Linux in one call */

int64_t syscall_getrandom(const struct syscall_args *args)
{
	uint8_t bytes[RANDOM_PIECE];
	uint64_t size = min_u64(args->a[1], RANDOM_MOST), done = 0, piece;
	int error;

	if (args->a[2] & ~7ull)
		return -EINVAL;
	while (done < size) {
		mm_turn(done / RANDOM_PIECE);
		piece = min_u64(size - done, sizeof(bytes));
		error = random_bytes(bytes, piece);
		if (!error && copy_to_user(args->a[0] + done, bytes, piece) != 0)
			error = -EFAULT;
		if (!error && done >= RANDOM_PIECE && signal_pending())
			error = -EINTR;
		if (error)
			return done ? (int64_t)done : error;
		done += piece;
	}
	return (int64_t)done;
}
