/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All system calls that programs in an enclave can make, but those that end them. */
#include <sys/syscall.h>

#include "fuzz.h"

#define ROW(name, arguments) { #name, arguments, SYS_##name }

const struct row rows[] = {
	/* files */
	ROW(read, "dbn"), ROW(write, "dbn"), ROW(open, "sfi"), ROW(openat, "dsfi"),
	ROW(close, "d"), ROW(stat, "sb"), ROW(fstat, "db"), ROW(lstat, "sb"),
	ROW(newfstatat, "dsbf"), ROW(poll, "bck"), ROW(lseek, "doc"), ROW(ioctl, "dib"),
	ROW(pread64, "dbno"), ROW(pwrite64, "dbno"), ROW(readv, "dvV"), ROW(writev, "dvV"),
	ROW(preadv, "dvVo"), ROW(pwritev, "dvVo"), ROW(preadv2, "dvVoif"),
	ROW(pwritev2, "dvVoif"), ROW(access, "sc"), ROW(pipe, "b"), ROW(pipe2, "bf"),
	ROW(select, "cbbbt"), ROW(pselect6, "cbbbtb"), ROW(ppoll, "bctmc"), ROW(dup, "d"),
	ROW(dup2, "dd"), ROW(dup3, "ddf"), ROW(sendfile, "ddbn"), ROW(fcntl, "dcb"),
	ROW(flock, "dc"), ROW(fsync, "d"), ROW(fdatasync, "d"), ROW(truncate, "so"),
	ROW(ftruncate, "do"), ROW(getcwd, "bn"), ROW(chdir, "s"), ROW(fchdir, "d"),
	ROW(rename, "ss"), ROW(renameat, "dsds"), ROW(renameat2, "dsdsf"), ROW(mkdir, "si"),
	ROW(mkdirat, "dsi"), ROW(rmdir, "s"), ROW(creat, "si"), ROW(link, "ss"),
	ROW(linkat, "dsdsf"), ROW(unlink, "s"), ROW(unlinkat, "dsf"), ROW(symlink, "ss"),
	ROW(symlinkat, "sds"), ROW(readlink, "sbn"), ROW(readlinkat, "dsbn"), ROW(chmod, "si"),
	ROW(fchmod, "di"), ROW(fchmodat, "dsi"), ROW(chown, "sii"), ROW(fchown, "dii"),
	ROW(lchown, "sii"), ROW(fchownat, "dsiif"), ROW(umask, "i"), ROW(statfs, "sb"),
	ROW(fstatfs, "db"), ROW(statx, "dsfib"), ROW(faccessat, "dsc"), ROW(faccessat2, "dscf"),
	ROW(utimensat, "dsbf"), ROW(utime, "sb"), ROW(utimes, "sb"), ROW(futimesat, "dsb"),
	ROW(fallocate, "dfoo"), ROW(copy_file_range, "dbdbnf"), ROW(getdents64, "dbn"),
	ROW(getdents, "dbn"), ROW(mknod, "sii"), ROW(mknodat, "dsii"), ROW(readahead, "don"),
	ROW(fadvise64, "doni"), ROW(sync_file_range, "doof"), ROW(splice, "dbdbnf"),
	ROW(tee, "ddnf"), ROW(openat2, "dsbn"), ROW(memfd_create, "sf"),
	ROW(getxattr, "ssbn"), ROW(lgetxattr, "ssbn"), ROW(fgetxattr, "dsbn"),
	ROW(setxattr, "ssbnf"), ROW(fsetxattr, "dsbnf"), ROW(listxattr, "sbn"),
	ROW(flistxattr, "dbn"), ROW(removexattr, "ss"), ROW(fremovexattr, "ds"),

	/* sockets and events */
	ROW(socket, "cfc"), ROW(socketpair, "cfcb"), ROW(connect, "dbn"), ROW(accept, "dbb"),
	ROW(accept4, "dbbf"), ROW(bind, "dbn"), ROW(listen, "dc"), ROW(sendto, "dbnfbn"),
	ROW(recvfrom, "dbnfbb"), ROW(sendmsg, "dMf"), ROW(recvmsg, "dMf"),
	ROW(sendmmsg, "dMcf"), ROW(recvmmsg, "dMcft"), ROW(shutdown, "dc"),
	ROW(getsockname, "dbb"), ROW(getpeername, "dbb"), ROW(setsockopt, "dccbn"),
	ROW(getsockopt, "dccbb"), ROW(epoll_create1, "f"), ROW(epoll_ctl, "EcEb"),
	ROW(epoll_wait, "Ebck"), ROW(epoll_pwait, "Ebckmc"), ROW(epoll_pwait2, "Ebctmc"),
	ROW(inotify_init1, "f"), ROW(inotify_add_watch, "dsf"), ROW(inotify_rm_watch, "dc"),
	ROW(timerfd_create, "cf"), ROW(timerfd_settime, "dfbb"), ROW(timerfd_gettime, "db"),
	ROW(eventfd2, "cf"), ROW(signalfd4, "dmcf"),

	/* memory */
	ROW(mmap, "Affdo"), ROW(mprotect, "Af"), ROW(munmap, "A"), ROW(mremap, "ASfa"),
	ROW(msync, "Af"), ROW(madvise, "Ac"), ROW(mlock, "A"), ROW(munlock, "A"),
	ROW(mlock2, "Ac"), ROW(munlockall, ""), ROW(mincore, "Ab"), ROW(brk, "B"),
	ROW(mbind, "Acbnf"), ROW(set_mempolicy, "cbn"), ROW(get_mempolicy, "bbnbf"),
	ROW(migrate_pages, "pnbb"), ROW(move_pages, "pcbbbf"), ROW(shmget, "cSf"),
	ROW(shmat, "caf"), ROW(shmctl, "ccb"), ROW(shmdt, "b"),

	/* threads and signals */
	ROW(sched_yield, ""), ROW(getpid, ""), ROW(gettid, ""), ROW(getppid, ""),
	ROW(wait4, "pbfb"), ROW(waitid, "cpbfb"), ROW(prctl, "Pbiii"), ROW(arch_prctl, "Lb"),
	ROW(futex, "bcitbi"), ROW(sched_setaffinity, "pnb"), ROW(sched_getaffinity, "pnb"),
	ROW(set_robust_list, "bn"), ROW(get_robust_list, "pii"), ROW(getcpu, "bbb"),
	ROW(rseq, "bnfi"), ROW(membarrier, "cfc"), ROW(rt_sigaction, "Gbbc"),
	ROW(rt_sigprocmask, "cmbc"), ROW(rt_sigpending, "bn"), ROW(rt_sigtimedwait, "mbtc"),
	ROW(rt_sigqueueinfo, "pgb"), ROW(rt_tgsigqueueinfo, "ppgb"), ROW(rt_sigsuspend, "mc"),
	ROW(pause, ""), ROW(kill, "pg"), ROW(tkill, "pg"), ROW(tgkill, "ppg"),
	ROW(sched_setparam, "pb"), ROW(sched_getparam, "pb"), ROW(sched_setscheduler, "pcb"),
	ROW(sched_getscheduler, "p"), ROW(sched_get_priority_max, "c"),
	ROW(sched_rr_get_interval, "pb"), ROW(sched_setattr, "pbf"), ROW(sched_getattr, "pbnf"),
	ROW(getpriority, "cp"), ROW(setpriority, "cpi"), ROW(ioprio_set, "cpi"),
	ROW(ioprio_get, "cp"),

	/* time */
	ROW(nanosleep, "tb"), ROW(clock_nanosleep, "cctb"), ROW(getitimer, "cb"),
	ROW(setitimer, "cbb"), ROW(alarm, "i"), ROW(gettimeofday, "bb"), ROW(time, "b"),
	ROW(times, "b"), ROW(clock_gettime, "cb"), ROW(clock_getres, "cb"),
	ROW(clock_settime, "cb"), ROW(timer_create, "ceb"), ROW(timer_settime, "cfbb"),
	ROW(timer_gettime, "cb"), ROW(timer_getoverrun, "c"), ROW(timer_delete, "c"),
	ROW(restart_syscall, ""), ROW(execve, "sbb"),
	ROW(process_vm_readv, "pvVvVf"), ROW(process_vm_writev, "pvVvVf"),

	/* who and where */
	ROW(uname, "b"), ROW(getrusage, "cb"), ROW(getrlimit, "cb"), ROW(sysinfo, "b"),
	ROW(getrandom, "brf"), ROW(getuid, ""), ROW(setuid, "i"), ROW(setresuid, "iii"),
	ROW(getresuid, "bbb"), ROW(getresgid, "bbb"), ROW(getgroups, "cb"), ROW(setgroups, "cb"),
	ROW(getpgid, "p"), ROW(getsid, "p"), ROW(capget, "bb"), ROW(capset, "bb"),
	ROW(personality, "i"), ROW(close_range, "ddf"),
};

const unsigned int row_count = sizeof(rows) / sizeof(rows[0]);

bool is_known(unsigned int number)
{
	static const unsigned int never[] = {
		SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_fork, SYS_vfork, SYS_clone,
		SYS_clone3, SYS_execveat, SYS_set_tid_address, SYS_sync, SYS_syncfs,
		SYS_setsid, SYS_setpgid, SYS_mlockall, SYS_setrlimit, SYS_prlimit64,
	};

	for (unsigned int i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		if (number == never[i])
			return true;
	}
	for (unsigned int i = 0; i < row_count; i++) {
		if (number == (unsigned int)rows[i].number)
			return true;
	}
	return false;
}
