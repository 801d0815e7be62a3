#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Slurm with cgroup v1, which confines steps to CPUs that Linux takes out of cpusets when they
# go: steps in enclaves come and go, and the next ones find the CPUs where they were.
. "$(dirname "$0")/lib/node.sh"

! grep -qs '# CONFIG_CPUSETS_V1 is not set' "/boot/config-$(uname -r)" ||
	skip_all "this kernel has no cpusets of cgroup v1 (CONFIG_CPUSETS_V1)"
plugins=$(dirname "$(find /usr/lib -name proctrack_cgroup.so | head -n 1)")
[ -e "$plugins/cgroup_v1.so" ] || skip_all "this Slurm has no cgroup/v1"

kernel_log_start
node_idle() { [ "$(sinfo -h -o %T)" = idle ]; }
ok "the node is idle" wait_until 60 node_idle
root=/sys/fs/cgroup
conf=/etc/slurm/cgroup.conf
cp $conf cgroup.conf.old
stop_slurmd() { pkill -TERM -x slurmd; wait_until 30 eval '! pgrep -x slurmd > /dev/null'; }

# Back to what start-system has made, so that other tests find it.
restore() {
	stop_slurmd
	for controller in cpuset memory freezer; do
		find $root/$controller -depth -type d -name '*_*' -exec rmdir {} \; 2> /dev/null
		rmdir $root/$controller/slurm* 2> /dev/null
		umount $root/$controller 2> /dev/null
	done
	umount $root/v1 2> /dev/null
	umount $root 2> /dev/null
	for dir in $root $root/system.slice; do
		echo '+cpuset +cpu +memory +pids +io' > $dir/cgroup.subtree_control
	done
	cp cgroup.conf.old $conf
	slurmd -N n1
	wait_until 60 node_idle
}
trap restore EXIT

stop_slurmd
find $root -mindepth 1 -depth -type d ! -name system.slice -exec rmdir {} \; 2> /dev/null
for file in $root/system.slice/cgroup.subtree_control $root/cgroup.subtree_control; do
	for controller in cpuset memory; do echo -$controller > "$file" 2> /dev/null; done
done
# Over the mount of v2, which stays below
mount -t tmpfs -o mode=755 cgroup $root
mkdir $root/cpuset $root/memory $root/freezer
mounted() { mountpoint -q "$root/$1" || mount -t cgroup -o "$1" "$1" "$root/$1" 2> /dev/null; }
for controller in cpuset memory freezer; do
	ok "controller $controller of cgroup v1" wait_until 30 mounted $controller
done
sed -e 's|cgroup/v2|cgroup/v1|' -e '/IgnoreSystemd/d' cgroup.conf.old > $conf
slurmd -N n1
ok "slurmd runs with cgroup v1" wait_until 60 node_idle || diag "$(tail -n 20 /var/log/slurm/slurmd.log)"

sees() { # WHAT REGEX
	run srun -n1 -c3 --mem=300M grep -E '^Cpus_allowed_list' /proc/self/status
	is "$rc:${out##*	}" "0:1-3" "$1: a step on Linux has its 3 CPUs"
}
sees "before"
for i in 1 2; do
	run srun --enclave=lwk -n1 -c3 --mem=300M $examples/hello
	is "$rc" 0 "an enclave of 3 CPUs, for the ${i}. time"
	like "$out" "CPUs:.*3" "  has them"
	ok "  all is given back" wait_until 10 node_whole
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
trap - EXIT
restore
ok "and again with cgroup v2" node_idle
run srun --enclave=lwk $examples/hello
is "$rc" 0 "where steps run as before"
done_testing
