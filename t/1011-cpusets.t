#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Cpusets of cgroup v1 have their CPUs again when an enclave has ended.
. "$(dirname "$0")/lib/node.sh"

! grep -qs '# CONFIG_CPUSETS_V1 is not set' "/boot/config-$(uname -r)" ||
	skip_all "this kernel has no cpusets of cgroup v1 (CONFIG_CPUSETS_V1)"

# The controller is in one hierarchy at a time: it leaves v2 when nobody there uses it.
v2=/sys/fs/cgroup
used=$(find $v2 -depth -name cgroup.subtree_control -exec grep -lw cpuset {} +)
for file in $used; do echo -cpuset 2> /dev/null > "$file"; done
v1=$(mktemp -d)
mounted() { mount -t cgroup -o cpuset cpuset "$v1" 2> /dev/null; }
wait_until 20 mounted || {
	fail "cpusets of cgroup v1 can be mounted"
	diag "$(grep cpuset /proc/cgroups)"
	done_testing
}
pass "cpusets of cgroup v1 can be mounted"
kernel_log_start

make() { # NAME CPUS
	mkdir -p "$v1/$1"
	echo "$2" > "$v1/$1/cpuset.cpus"
	cat "$v1/cpuset.mems" > "$v1/$1/cpuset.mems"
}
cpus() { cat "$v1/$1/cpuset.cpus"; }
make slurm 0-3
make slurm/job 1-3
make slurm/job/step 2-3
make 'with space' 2
make other 0-1

sets="slurm:0-3 slurm/job:1-3 slurm/job/step:2-3 other:0-1"
restored() {
	local set
	for set in $sets; do [ "$(cpus "${set%:*}")" = "${set#*:}" ] || return 1; done
	[ "$(cpus 'with space')" = 2 ]
}
ok "cpusets are made" restored
cycle() { # WHAT
	if wait_until 30 restored; then
		pass "$1: each cpuset has its CPUs"
	else
		fail "$1: each cpuset has its CPUs"
		for dir in slurm slurm/job slurm/job/step other 'with space'; do diag "$dir: $(cpus "$dir")"; done
		pisces reclaim
	fi
}

run pisces run --cpu-list=2-3 --mem=128M -- $examples/hello
is "$rc" 0 "an enclave on CPUs 2 and 3: $err"
cycle "after one enclave"

pisces run --cpu-list=2 --mem=128M -- $examples/spin $((100 * slow)) > a.txt 2>&1 < /dev/null &
a=$!
ok "one enclave has CPU 2" wait_until 60 grep -q computing a.txt
pisces run --cpu-list=3 --mem=128M -- $examples/spin $((100 * slow)) > b.txt 2>&1 < /dev/null &
b=$!
ok "one has CPU 3" wait_until 60 grep -q computing b.txt
is "$(cpus slurm/job/step)" "" "Linux has taken both out of a cpuset"
kill -KILL $a
wait $a 2> /dev/null
ok "the first gives CPU 2 back" wait_until 30 eval '[ "$(cpus slurm/job/step)" = 2 ]'
run pisces reclaim
is "$rc" 0 "pisces reclaim"
is "$(cpus slurm/job/step)" 2 "does not put back what the other has"
rmdir "$v1/other"
mkdir "$v1/gone" && rmdir "$v1/gone"
sets=${sets% other:*}
kill -KILL $b
wait $b 2> /dev/null
cycle "after both"
make doomed 3
: > b.txt
pisces run --cpu-list=3 --mem=128M -- $examples/spin $((100 * slow)) > b.txt 2>&1 < /dev/null &
b=$!
ok "an enclave has a CPU of a cpuset" wait_until 60 grep -q computing b.txt
ok "that goes away meanwhile" rmdir "$v1/doomed"
kill -KILL $b
wait $b 2> /dev/null
cycle "after it"
run pisces reclaim
is "$rc" 0 "nothing is left of a cpuset that is gone"
rmdir "$v1/slurm/job/step" "$v1/slurm/job" "$v1/slurm" "$v1/with space"
umount "$v1"
# Slurm goes on as before. A hierarchy that is unmounted before the last of its removed cgroups is
# freed stays; it goes with another unmount.
controller_back() {
	grep -qw cpuset $v2/cgroup.controllers && return
	mounted && umount "$v1"
	return 1
}
ok "the controller is back" wait_until 20 controller_back
for file in $(tac <<< "$used"); do echo +cpuset > "$file"; done
if rmmod pisces; then pass "no note holds the module"; else fail "no note holds the module"; fi
modprobe pisces
kernel_log_clean
done_testing
