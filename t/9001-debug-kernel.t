#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a kernel that looks for faults (--guest=debug) has to say after all tests
# before this one: nothing about locks and memory since the node booted, and that
# nothing was leaked. The last of the suite, as it is about all of it.
. "$(dirname "$0")/lib/node.sh"

mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug
leaks=/sys/kernel/debug/kmemleak
[ -e $leaks ] || skip_all "this kernel does not look for faults; that of --guest=debug does"

kernel_log_clean "the kernel log since boot"
is "$(dmesg | grep -E 'KASAN:|INFO: possible|INFO: inconsistent|suspicious RCU|ODEBUG|possible recursive')" "" \
	"no report of lockdep, KASAN and their like"
is "$(sed -n 's/^ *debug_locks: *//p' /proc/lockdep_stats)" 1 "lockdep is still on"

# An object must look lost in two scans: its pointer may have been in a register
echo scan > $leaks
echo scan > $leaks
is "$(cat $leaks)" "" "kmemleak has found nothing"
rmmod pisces
echo scan > $leaks
echo scan > $leaks
is "$(cat $leaks)" "" "nor after the module is gone"
modprobe pisces
done_testing
