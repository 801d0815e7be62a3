#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# NUMA calls: the same program on Linux and in an enclave that has CPUs and memory of
# two nodes.
node_files="t/memory-nodes"
. "$(dirname "$0")/lib/node.sh"

kernel_log_start

# Few pages, which Linux moves slowly where the machine is emulated and busy
limit=300 run ./memory-nodes 64
is "$rc" 0 "what is tested here is so on Linux"
diag "$(grep '^not ok' <<< "$out")"
run pisces run --cpus=3 --mem=512M -- ./memory-nodes
is "$rc" 0 "and in an enclave of two nodes"
diag "$(grep '^not ok' <<< "$out")" "$err"
like "$out" "# 2 nodes" "which has both"
is "$(grep -c '^ok' <<< "$out")" "$(sed -n 's/^1\.\.//p' <<< "$out")" "in all of it"

run pisces run --cpus=2 --mem=256M -- busybox sh -c '
	for file in online has_cpu has_memory node0/cpulist node1/cpulist; do
		read -r line < /sys/devices/system/node/$file && echo "$file=$line"
	done
	while read -r line; do case $line in *MemTotal*) echo "$line" ;; esac; done \
		< /sys/devices/system/node/node1/meminfo'
like "$out" "online=1" "an enclave on node 1 has that node"
like "$out" "node1/cpulist=[0-9]" "with its CPUs: $out"
like "$out" "Node 1 MemTotal: +2[0-9]{5} kB" "and its memory"

node_recovers "after all that"
kernel_log_clean
done_testing
