#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A program in an enclave sees the enclave's machine and not the node's: CPUs, NUMA
# nodes, memory and itself in /proc and /sys, as hwloc and OpenMP look at them; and
# more threads than CPUs share these fairly.
node_files="t/calls/fair"
. "$(dirname "$0")/lib/node.sh"

kernel_log_start
here=$PWD
inside="pisces run --cpus=3 --mem=256M --"

# shellcheck disable=SC2086 # words
see() {
	run $inside "$@" < /dev/null
}

see busybox cat /sys/devices/system/cpu/online
online=$out
like "$online" '^[0-9]+-[0-9]+$' "CPUs online: $online"
unlike "$online" "^$node_cpus\$" "are not all of the node's"
first=${online%-*} last=${online#*-}
count=$((last - first + 1))
is "$count" 3 "and three"

# All that one program reads of its machine.
# shellcheck disable=SC2016
see busybox sh -c 'cd /; for f in sys/devices/system/cpu/possible /proc/self/status \
	/proc/cpuinfo /proc/meminfo /proc/stat; do while read -r line; do echo "$line"; done < $f; done
	echo /sys/devices/system/cpu/cpu*; echo /sys/bus/cpu/devices/cpu*
	echo /sys/devices/system/node/node*/cpulist; [ -d /sys/devices/system/node ] && echo directory
	[ -f /sys/devices/system/cpu/cpu'"$first"'/topology/core_id ] && echo file
	[ -e /sys/devices/system/cpu/cpu99 ] || echo absent
	[ -e /proc/self/cgroup ] || echo no cgroup'
cpus=$(seq "$first" "$last")
is "$(head -n 1 <<< "$out")" "$online" "/sys/devices/system/cpu/possible"
is "$(awk '/^Cpus_allowed_list:/ { print $2 }' <<< "$out")" "$online" "/proc/self/status: CPUs allowed"
like "$out" 'Mems_allowed_list:' "and NUMA nodes"
is "$(awk '/^processor/ { print $3 }' <<< "$out")" "$cpus" "/proc/cpuinfo has these CPUs"
# A shell's read makes one space of each tab.
is "$(grep -m 1 '^flags' <<< "$out" | tr -s '\t ' ' ')" \
	"$(grep -m 1 '^flags' /proc/cpuinfo | tr -s '\t ' ' ')" "with the flags that Linux knows"
is "$(awk '/^MemTotal/ { print ($2 <= 262144) }' <<< "$out")" 1 "/proc/meminfo: the enclave's memory"
is "$(grep -oE '^cpu[0-9]+' <<< "$out")" "$(sed 's/^/cpu/' <<< "$cpus")" "/proc/stat"
is "$(grep '^/sys/devices/system/cpu/cpu' <<< "$out" | head -n 1)" \
	"$(for cpu in $cpus; do printf '/sys/devices/system/cpu/cpu%s ' "$cpu"; done | sed 's/ $//')" \
	"the directory of CPUs has these"
is "$(grep -c '^/sys/bus/cpu/devices/cpu' <<< "$out")" 1 "so has its other name"
like "$out" '/sys/devices/system/node/node[0-9]+/cpulist' "NUMA nodes have directories"
for word in directory file absent "no cgroup"; do
	is "$(grep -cx "$word" <<< "$out")" 1 "stat: $word"
done

see busybox cat /proc/self/cmdline
is "$(tr '\0' ' ' <<< "$out")" "busyboxcat/proc/self/cmdline" "its command line is its own"
see busybox ls /proc/self/task
is "$(wc -w <<< "$out")" 1 "it has one thread, whatever the proxy has"

see lstopo-no-graphics --no-io --of console
is "$rc" 0 "hwloc loads the topology"
is "$(grep -o 'PU L#[0-9]* (P#[0-9]*)' <<< "$out" | grep -o 'P#[0-9]*' | tr -d 'P#' | sort -n)" "$cpus" \
	"with the enclave's PUs"
diag "$out"
see nproc
is "$out" 3 "nproc"

# OpenMP by places: each thread on a CPU of its own.
run env OMP_PLACES=threads OMP_PROC_BIND=close OMP_NUM_THREADS=3 $inside "$examples/omp" < /dev/null
is "$rc" 0 "OpenMP with OMP_PLACES=threads"
like "$out" "3 CPUs" "3 threads on 3 CPUs"
run env GOMP_CPU_AFFINITY="$first" OMP_NUM_THREADS=3 $inside "$examples/omp" < /dev/null
like "$out" "1 CPU" "three threads bound to one CPU stay there"

run pisces run --cpus=2 --mem=128M -- "$here/fair" 6 4 70 140 < /dev/null
is "$rc" 0 "6 threads compute on 2 CPUs"
read -r _ least _ most <<< "$out"
ok "each has had its share ($out, in percent)" test "${least:-0}" -ge 70 -a "${most:-999}" -le 140

node_recovers "after all that"
kernel_log_clean
done_testing
