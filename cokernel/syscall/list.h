/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All system calls that there are: CALL(number, name, kind). The handler of a
 * call is syscall_<name>(). Whoever includes this defines CALL. A comment behind a
 * row says what the call does not do; doc/SYSCALLS.md is made from this file.
 */

/*
 * syscall/file.c, file_copy.c, file_vector.c, sync.c, open.c, own_file.c, own_name.c,
 * command.c, pair.c, poll.c
 */
CALL(0, read, EITHER) /* of pipes of the program, and memory files: inside */
CALL(1, write, EITHER) /* as read */
CALL(2, open, FORWARDED)
CALL(3, close, FORWARDED)
CALL(4, stat, FORWARDED)
CALL(5, fstat, FORWARDED)
CALL(6, lstat, FORWARDED)
CALL(7, poll, EITHER) /* of nothing, or of pipes of the program alone: inside */
CALL(8, lseek, EITHER)
CALL(16, ioctl, FORWARDED) /* of terminals, files and network interfaces; others: ENOTTY */
CALL(17, pread64, FORWARDED)
CALL(18, pwrite64, FORWARDED)
CALL(19, readv, EITHER) /* as read */
CALL(20, writev, EITHER) /* as read */
CALL(21, access, FORWARDED)
CALL(22, pipe, EITHER) /* what is written stays inside, see enclave(7) */
CALL(23, select, EITHER) /* as poll */
CALL(32, dup, FORWARDED)
CALL(33, dup2, FORWARDED)
CALL(40, sendfile, FORWARDED)
CALL(72, fcntl, FORWARDED) /* no leases, no F_SETOWN, no F_NOTIFY */
CALL(73, flock, FORWARDED)
CALL(74, fsync, FORWARDED)
CALL(75, fdatasync, FORWARDED)
CALL(76, truncate, FORWARDED)
CALL(77, ftruncate, EITHER)
CALL(79, getcwd, FORWARDED)
CALL(80, chdir, FORWARDED)
CALL(81, fchdir, FORWARDED)
CALL(82, rename, FORWARDED)
CALL(83, mkdir, FORWARDED)
CALL(84, rmdir, FORWARDED)
CALL(85, creat, FORWARDED)
CALL(86, link, FORWARDED)
CALL(87, unlink, FORWARDED)
CALL(88, symlink, FORWARDED)
CALL(89, readlink, FORWARDED)
CALL(90, chmod, FORWARDED)
CALL(91, fchmod, FORWARDED)
CALL(92, chown, FORWARDED)
CALL(93, fchown, FORWARDED)
CALL(94, lchown, FORWARDED)
CALL(95, umask, FORWARDED)
CALL(137, statfs, FORWARDED)
CALL(138, fstatfs, FORWARDED)
CALL(191, getxattr, FORWARDED)
CALL(192, lgetxattr, FORWARDED)
CALL(193, fgetxattr, FORWARDED)
CALL(194, listxattr, FORWARDED)
CALL(195, llistxattr, FORWARDED)
CALL(196, flistxattr, FORWARDED)
CALL(217, getdents64, FORWARDED)
CALL(221, fadvise64, FORWARDED)
CALL(257, openat, FORWARDED)
CALL(258, mkdirat, FORWARDED)
CALL(260, fchownat, FORWARDED)
CALL(262, newfstatat, FORWARDED)
CALL(263, unlinkat, FORWARDED)
CALL(264, renameat, FORWARDED)
CALL(265, linkat, FORWARDED)
CALL(266, symlinkat, FORWARDED)
CALL(267, readlinkat, FORWARDED)
CALL(268, fchmodat, FORWARDED)
CALL(269, faccessat, FORWARDED)
CALL(270, pselect6, EITHER) /* as poll */
CALL(271, ppoll, EITHER) /* as poll */
CALL(280, utimensat, FORWARDED)
CALL(285, fallocate, EITHER)
CALL(292, dup3, FORWARDED)
CALL(293, pipe2, EITHER) /* as pipe */
CALL(295, preadv, FORWARDED)
CALL(296, pwritev, FORWARDED)
CALL(316, renameat2, FORWARDED)
CALL(319, memfd_create, EITHER)
CALL(326, copy_file_range, FORWARDED)
CALL(327, preadv2, FORWARDED) /* no flags */
CALL(328, pwritev2, FORWARDED) /* no flags */
CALL(332, statx, FORWARDED)
CALL(439, faccessat2, FORWARDED)

/* syscall/memory.c */
CALL(9, mmap, EITHER) /* of files: what Linux writes later is not seen, see enclave(7) */
CALL(10, mprotect, INSIDE)
CALL(11, munmap, INSIDE) /* what was written to a mapped file is forwarded */
CALL(12, brk, INSIDE)
CALL(25, mremap, INSIDE) /* as munmap */
CALL(26, msync, INSIDE) /* as munmap */
CALL(28, madvise, INSIDE)
CALL(149, mlock, INSIDE)
CALL(150, munlock, INSIDE)
CALL(151, mlockall, INSIDE)
CALL(152, munlockall, INSIDE)
CALL(325, mlock2, INSIDE)

/* syscall/shm.c */
CALL(29, shmget, INSIDE)
CALL(30, shmat, INSIDE)
CALL(31, shmctl, INSIDE)
CALL(67, shmdt, INSIDE)

/* syscall/peer_memory.c */
CALL(310, process_vm_readv, INSIDE) /* of tasks of the same user in the enclave */
CALL(311, process_vm_writev, INSIDE) /* as process_vm_readv */

/* syscall/policy.c, move_pages.c */
CALL(27, mincore, INSIDE)
CALL(237, mbind, INSIDE)
CALL(238, set_mempolicy, INSIDE)
CALL(239, get_mempolicy, INSIDE)
CALL(256, migrate_pages, INSIDE)
CALL(279, move_pages, INSIDE)
CALL(450, set_mempolicy_home_node, INSIDE)

/* syscall/thread.c, clone.c, exec.c, affinity.c */
CALL(24, sched_yield, INSIDE)
CALL(39, getpid, INSIDE)
CALL(56, clone, INSIDE) /* threads only: no new processes */
CALL(59, execve, INSIDE) /* no set-user-ID; arguments and environment: 1 MiB */
CALL(60, exit, INSIDE)
CALL(61, wait4, INSIDE) /* there are no children: ECHILD */
CALL(110, getppid, INSIDE) /* 0, as in a pid namespace of its own */
CALL(157, prctl, INSIDE) /* names, dumpable, timer slack, no_new_privs */
CALL(158, arch_prctl, INSIDE)
CALL(186, gettid, INSIDE)
CALL(202, futex, INSIDE) /* no FUTEX_WAIT_REQUEUE_PI, FUTEX_CMP_REQUEUE_PI, FUTEX_FD */
CALL(203, sched_setaffinity, INSIDE) /* threads of the program only */
CALL(204, sched_getaffinity, INSIDE) /* threads of the program only */
CALL(218, set_tid_address, INSIDE)
CALL(231, exit_group, INSIDE)
CALL(247, waitid, INSIDE) /* there are no children: ECHILD */
CALL(273, set_robust_list, INSIDE)
CALL(274, get_robust_list, INSIDE)
CALL(309, getcpu, INSIDE)
CALL(435, clone3, INSIDE) /* threads only: no new processes */

/* syscall/signal.c */
CALL(13, rt_sigaction, INSIDE)
CALL(14, rt_sigprocmask, INSIDE)
CALL(15, rt_sigreturn, INSIDE)
CALL(34, pause, INSIDE)
CALL(62, kill, INSIDE)
CALL(127, rt_sigpending, INSIDE)
CALL(128, rt_sigtimedwait, INSIDE)
CALL(129, rt_sigqueueinfo, INSIDE)
CALL(130, rt_sigsuspend, INSIDE)
CALL(131, sigaltstack, INSIDE)
CALL(200, tkill, INSIDE)
CALL(234, tgkill, INSIDE)
CALL(297, rt_tgsigqueueinfo, INSIDE)

/* syscall/signal_file.c */
CALL(282, signalfd, EITHER) /* not with staged I/O */
CALL(289, signalfd4, EITHER) /* not with staged I/O */

/* syscall/interval.c */
CALL(36, getitimer, INSIDE)
CALL(37, alarm, INSIDE)
CALL(38, setitimer, INSIDE) /* ITIMER_VIRTUAL as ITIMER_PROF, to 1 ms; ITIMER_REAL every 50 us at most */

/* syscall/time.c */
CALL(35, nanosleep, INSIDE)
CALL(96, gettimeofday, INSIDE)
CALL(98, getrusage, INSIDE)
CALL(100, times, INSIDE)
CALL(201, time, INSIDE)
CALL(227, clock_settime, INSIDE) /* refused */
CALL(228, clock_gettime, INSIDE)
CALL(229, clock_getres, INSIDE)
CALL(230, clock_nanosleep, INSIDE)

/* syscall/info.c */
CALL(63, uname, INSIDE) /* release 6.1.0-pisces */
CALL(97, getrlimit, INSIDE) /* of the enclave, not of Linux */
CALL(99, sysinfo, INSIDE)
CALL(160, setrlimit, INSIDE) /* only the stack has an effect; with staged I/O also descriptors */
CALL(302, prlimit64, INSIDE) /* of the program itself */
CALL(318, getrandom, EITHER)

/* syscall/file_rare.c */
CALL(78, getdents, FORWARDED) /* no directories of the enclave itself; with staged I/O ENOSYS */
CALL(132, utime, FORWARDED)
CALL(133, mknod, FORWARDED)
CALL(162, sync, FORWARDED)
CALL(187, readahead, FORWARDED)
CALL(188, setxattr, FORWARDED) /* values up to 32 KiB */
CALL(189, lsetxattr, FORWARDED) /* values up to 32 KiB */
CALL(190, fsetxattr, FORWARDED) /* values up to 32 KiB */
CALL(197, removexattr, FORWARDED)
CALL(198, lremovexattr, FORWARDED)
CALL(199, fremovexattr, FORWARDED)
CALL(235, utimes, FORWARDED)
CALL(259, mknodat, FORWARDED)
CALL(261, futimesat, FORWARDED)
CALL(275, splice, FORWARDED)
CALL(276, tee, FORWARDED)
CALL(277, sync_file_range, FORWARDED)
CALL(306, syncfs, FORWARDED)
CALL(436, close_range, FORWARDED) /* no CLOSE_RANGE_UNSHARE */
CALL(437, openat2, FORWARDED) /* with RESOLVE_ flags: sees the /proc and /sys of Linux */

/* syscall/socket.c, socket_message.c */
CALL(41, socket, FORWARDED)
CALL(42, connect, FORWARDED)
CALL(43, accept, FORWARDED)
CALL(44, sendto, FORWARDED) /* a datagram up to 256 KiB */
CALL(45, recvfrom, FORWARDED) /* a datagram up to 256 KiB */
CALL(46, sendmsg, FORWARDED) /* control data up to 3,840 bytes; a datagram up to 256 KiB */
CALL(47, recvmsg, FORWARDED) /* control data up to 3,840 bytes; a datagram up to 256 KiB */
CALL(48, shutdown, FORWARDED)
CALL(49, bind, FORWARDED)
CALL(50, listen, FORWARDED)
CALL(51, getsockname, FORWARDED)
CALL(52, getpeername, FORWARDED)
CALL(53, socketpair, FORWARDED)
CALL(54, setsockopt, FORWARDED) /* of SOL_SOCKET, IP, IPv6, TCP, UDP; no packet filters */
CALL(55, getsockopt, FORWARDED) /* of SOL_SOCKET, IP, IPv6, TCP, UDP; no packet filters */
CALL(288, accept4, FORWARDED)
CALL(299, recvmmsg, FORWARDED)
CALL(307, sendmmsg, FORWARDED)

/* syscall/event.c */
CALL(213, epoll_create, FORWARDED)
CALL(232, epoll_wait, FORWARDED)
CALL(233, epoll_ctl, FORWARDED)
CALL(253, inotify_init, FORWARDED)
CALL(254, inotify_add_watch, FORWARDED)
CALL(255, inotify_rm_watch, FORWARDED)
CALL(281, epoll_pwait, FORWARDED)
CALL(283, timerfd_create, FORWARDED)
CALL(284, eventfd, FORWARDED)
CALL(286, timerfd_settime, FORWARDED)
CALL(287, timerfd_gettime, FORWARDED)
CALL(290, eventfd2, FORWARDED)
CALL(291, epoll_create1, FORWARDED)
CALL(294, inotify_init1, FORWARDED)
CALL(441, epoll_pwait2, FORWARDED)

/* syscall/identity.c */
CALL(102, getuid, INSIDE)
CALL(104, getgid, INSIDE)
CALL(105, setuid, INSIDE) /* changes nothing: EPERM for any other id, also for root */
CALL(106, setgid, INSIDE) /* as setuid */
CALL(107, geteuid, INSIDE)
CALL(108, getegid, INSIDE)
CALL(109, setpgid, FORWARDED)
CALL(111, getpgrp, FORWARDED)
CALL(112, setsid, FORWARDED)
CALL(113, setreuid, INSIDE) /* as setuid */
CALL(114, setregid, INSIDE) /* as setuid */
CALL(115, getgroups, FORWARDED)
CALL(116, setgroups, INSIDE) /* EPERM */
CALL(117, setresuid, INSIDE) /* as setuid */
CALL(118, getresuid, INSIDE)
CALL(119, setresgid, INSIDE) /* as setuid */
CALL(120, getresgid, INSIDE)
CALL(121, getpgid, FORWARDED)
CALL(122, setfsuid, INSIDE) /* as setuid */
CALL(123, setfsgid, INSIDE) /* as setuid */
CALL(124, getsid, FORWARDED)
CALL(125, capget, INSIDE) /* none, also for root */
CALL(126, capset, INSIDE) /* as capget */
CALL(135, personality, INSIDE) /* PER_LINUX, and ADDR_NO_RANDOMIZE for the next execve */

/* syscall/priority.c */
CALL(140, getpriority, INSIDE)
CALL(141, setpriority, INSIDE) /* remembered, without effect */
CALL(142, sched_setparam, INSIDE) /* remembered, without effect */
CALL(143, sched_getparam, INSIDE)
CALL(144, sched_setscheduler, INSIDE) /* SCHED_OTHER, BATCH and IDLE, without effect */
CALL(145, sched_getscheduler, INSIDE)
CALL(146, sched_get_priority_max, INSIDE)
CALL(147, sched_get_priority_min, INSIDE)
CALL(148, sched_rr_get_interval, INSIDE)
CALL(251, ioprio_set, INSIDE) /* without effect */
CALL(252, ioprio_get, INSIDE) /* always the default */
CALL(314, sched_setattr, INSIDE) /* as sched_setscheduler */
CALL(315, sched_getattr, INSIDE)

/* syscall/timer.c */
CALL(222, timer_create, INSIDE) /* no clocks of CPU time: EOPNOTSUPP */
CALL(223, timer_settime, INSIDE) /* every 50 us at most, all of a CPU 80,000 times a second */
CALL(224, timer_gettime, INSIDE)
CALL(225, timer_getoverrun, INSIDE)
CALL(226, timer_delete, INSIDE)

/* syscall/barrier.c, rseq.c */
CALL(219, restart_syscall, INSIDE)
CALL(324, membarrier, INSIDE) /* no SYNC_CORE */
CALL(334, rseq, INSIDE)
