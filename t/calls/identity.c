/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who a plain user's program is, and what she may not change. */
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "calls.h"

static void users(void)
{
	uid_t uid = getuid(), three[3] = { 1, 1, 1 };
	gid_t groups[64];
	int count;

	part("users and groups");
	TRY(getuid);
	TRY(geteuid);
	TRY(getgid);
	TRY(getegid);
	TRY(getresuid, &three[0], &three[1], &three[2]);
	SHOW(three[0] == uid && three[1] == uid && three[2] == uid);
	TRY(getresuid, BAD, &three[1], &three[2]);
	TRY(getresgid, &three[0], &three[1], &three[2]);
	count = (int)TRY(getgroups, 0, NULL);
	TRY(getgroups, 64, groups);
	while (count > 0)
		SHOW(groups[--count]);
	TRY(getgroups, -1, groups);
	TRY(getgroups, 64, BAD);
	TRY(setuid, uid);
	TRY(setuid, 0);
	TRY(setuid, -1);
	TRY(setgid, 0);
	TRY(setreuid, -1, -1);
	TRY(setreuid, uid, 0);
	TRY(setregid, -1, 0);
	TRY(setresuid, -1, uid, -1);
	TRY(setresuid, 0, 0, 0);
	TRY(setresgid, -1, -1, -1);
	TRY(setresgid, 0, -1, -1);
	TRY(setfsuid, 0);
	TRY(setfsuid, uid);
	TRY(setfsgid, 0);
	TRY(setgroups, 1, groups);
}

static void capabilities(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct sets[2];

	part("capabilities");
	TRY(capget, &header, sets);
	SHOW(sets[0].effective);
	SHOW(sets[0].permitted);
	TRY(capget, &header, BAD);
	TRY(capget, BAD, sets);
	sets[0].effective = 1;
	TRY(capset, &header, sets);
	memset(sets, 0, sizeof(sets));
	TRY(capset, &header, sets);
	header.version = 1;
	TRY(capget, &header, NULL);
	SHOW(header.version == _LINUX_CAPABILITY_VERSION_3);
	header.version = 1;
	TRY(capget, &header, sets);
}

static void groups_of_processes(void)
{
	part("process groups and sessions");
	SHOW(getpgrp() == getpgid(0));
	TRY(getpgid, 0x3ffffff);
	TRY(getpgid, -5);
	TRY(getsid, 0x3ffffff);
	TRY_ANY(getsid, 0);
	TRY(setpgid, 0x3ffffff, 0);
	TRY(setpgid, 0, -1);
	TRY(setpgid, 0, 0x3ffffff);
	TRY(setpgid, 0, 0);
	SHOW(getpgrp() == getpid());
}

static void limits(void)
{
	struct rlimit limit = { 5, 4 };
	struct rusage usage;

	part("limits and use");
	TRY(prlimit64, 0, 99, NULL, &limit);
	TRY(prlimit64, 0, RLIMIT_NOFILE, NULL, BAD);
	TRY(prlimit64, 0, RLIMIT_NOFILE, NULL, NULL);
	TRY(getrlimit, RLIMIT_STACK, &limit);
	TRY(getrlimit, 99, &limit);
	limit.rlim_cur = 5;
	limit.rlim_max = 4;
	TRY(setrlimit, RLIMIT_CORE, &limit);
	TRY(setrlimit, RLIMIT_CORE, BAD);
	TRY(getrusage, RUSAGE_SELF, &usage);
	TRY(getrusage, RUSAGE_THREAD, &usage);
	TRY(getrusage, RUSAGE_CHILDREN, &usage);
	SHOW(usage.ru_maxrss);
	TRY(getrusage, 99, &usage);
	TRY(getrusage, RUSAGE_SELF, BAD);
}

static void names(void)
{
	struct utsname name;
	char text[17] = "";

	part("names");
	TRY(uname, &name);
	SHOW_TEXT(name.sysname);
	SHOW_TEXT(name.nodename);
	SHOW_TEXT(name.machine);
	TRY(uname, BAD);
	TRY(prctl, PR_SET_NAME, "a name that is too long for it");
	TRY(prctl, PR_GET_NAME, text);
	SHOW_TEXT(text);
	TRY(prctl, PR_SET_NAME, BAD);
	TRY(prctl, 12345, 0);
	TRY(getrandom, text, 16, 0);
	TRY(getrandom, text, 16, 77);
	TRY(getrandom, BAD, 16, 0);
}

/* What only an administrator may, and what no Linux has any more. */
static void refused(void)
{
	part("refused");
	TRY(mknod, "device", S_IFCHR | 0600, 0x103);
	TRY(mknod, "fifo", S_IFIFO | 0600, 0);
	TRY(unlink, "fifo");
	TRY(mknod, "plain", S_IFREG | 0600, 0);
	TRY(unlink, "plain");
	TRY(mknod, "nothing", 0170000, 0);
	TRY(mknod, "no/where", S_IFIFO | 0600, 0);
	TRY(mknodat, AT_FDCWD, BAD, S_IFIFO | 0600, 0);
	TRY(clock_settime, CLOCK_REALTIME, &(struct timespec){ 1, 0 });
	TRY(uselib, "x");
	TRY(create_module, "x");
	TRY(nfsservctl, 0, NULL, NULL);
}

int main(void)
{
	users();
	capabilities();
	groups_of_processes();
	limits();
	names();
	refused();
	return 0;
}
