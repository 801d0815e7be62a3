#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Slurm with cgroup v1, which confines steps to CPUs that Linux takes out of cpusets when they
# go: steps in enclaves come and go, and the next ones find the CPUs where they were. On a
# node of its own.
if [ -z "${PISCES_ON_NODE:-}" ]; then
	# shellcheck source=t/lib/machine.sh
	. "$(dirname "$0")/lib/machine.sh"
	[[ ${PISCES_BUILD:-} != */guest-trixie* ]] ||
		skip_all "Debian 13's kernel has no cpusets of cgroup v1 (CONFIG_CPUSETS_V1)"
	on_machine cgroup1
	done_testing
	exit
fi
. "$(dirname "$0")/lib/node.sh"

plugins=$(dirname "$(find /usr/lib -name proctrack_cgroup.so | head -n 1)")
[ -e "$plugins/cgroup_v1.so" ] || skip_all "this Slurm has no cgroup/v1"

kernel_log_start
ok "slurmd runs with cgroup v1" wait_until 60 node_idle || diag "$(tail -n 20 /var/log/slurm/slurmd.log)"
is "$(stat -f -c %T /sys/fs/cgroup/cpuset /sys/fs/cgroup/memory | sort -u)" cgroupfs "and these are of that version"

sees() { # WHAT REGEX
	run srun -n1 -c3 --mem=300M grep -E '^Cpus_allowed_list' /proc/self/status
	is "$rc:${out##*	}" "0:1-3" "$1: a step on Linux has its 3 CPUs"
}
sees "before"
for i in 1 2; do
	run srun --enclave=lwk -n1 -c3 --mem=300M $examples/hello
	is "$rc" 0 "an enclave of 3 CPUs, for the ${i}. time"
	like "$out" "CPUs:.*3" "  has them"
	ok "  all is given back" wait_until 30 node_whole
	sees "after that"
done
run srun --enclave=lwk -n1 -c3 --mem=300M --enclave-mem=600M $examples/hello
is "$rc" 1 "the step's limit of memory is that of its enclave"
like "$err" "600 MiB of memory were asked for the enclave, and the allocation has 300 MiB" "  it is said"
cat > job.sh <<-EOF
	#!/bin/bash
	#SBATCH -n3 --mem=700M
	srun --exact -n1 -c2 --mem=300M --enclave=lwk $examples/spin 5 > spin.txt &
	srun --exact -n1 -c1 --mem=300M --enclave=lwk $examples/hello
	wait
	srun -n1 -c3 busybox nproc
EOF
run sbatch -W -o "$PWD/batch.txt" job.sh
is "$rc" 0 "steps beside each other, and one after them"
like "$(cat batch.txt)" "CPUs: +1 " "  each has its own CPUs"
like "$(cat batch.txt)" $'\n3'"$" "  and the next one has all of them"
diag "$(cat batch.txt)"
ok "the node is idle" wait_until 60 node_idle
node_recovers "after all that"
kernel_log_clean
done_testing
