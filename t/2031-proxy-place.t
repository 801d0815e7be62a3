#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Where a step's proxies run: on the node's specialized CPUs, else on a CPU of the step
# that stays with Linux, and never on one that another job may have.
limit_file=900
. "$(dirname "$0")/lib/node.sh"
. "$(dirname "$0")/lib/slurm.sh"

kernel_log_start
ok "the node is idle" wait_until 60 node_idle

# begin OPTIONS...: a step that computes by now; sets step, place and allowed.
begin() {
	: > step.txt
	srun --enclave=lwk --mem=256M "$@" "$examples/spin" $((100 * slow)) > step.txt 2> step.err &
	step=$!
	wait_until 120 grep -q computing step.txt || diag "it does not compute: $(cat step.err)"
	place=$(pgrep -x pisces-proxy | head -n 1)
	allowed=$(awk '/^Cpus_allowed_list:/ { print $2 }' "/proc/$place/status")
	threads=$(awk '/^Cpus_allowed_list:/ { print $2 }' /proc/"$place"/task/*/status | sort -u)
	enclave=$(pisces list --json | sed -n 's/.*"cpus": *"\([0-9,-]*\)".*/\1/p' | head -n 1)
	diag "proxy on $allowed, enclave has $enclave: $(cat step.err)"
}

end() {
	kill -TERM $step
	wait $step 2> /dev/null
	node_recovers "$1"
	wait_until 60 node_idle
}

# As the node is: CpuSpecList=0.
begin -c3
is "$allowed" 0 "CpuSpecList=0: the proxy runs there"
is "$threads" 0 "with all its threads"
is "$(without_progress < step.err)" "" "and nothing has to be said"
end "CpuSpecList=0"
begin -c2
is "$allowed" 0 "a part of the node: the same"
end "a part of the node"
srun -c1 --mem=100M sleep $((200 * slow)) &
other=$!
ok "another job has a CPU" wait_until 60 eval '[ "$(squeue -h -t R | wc -l)" = 1 ]'
begin -c2
is "$allowed" 0 "beside another job: the same"
kill $other
wait $other 2> /dev/null
end "beside another job"

# One specialized core, which Slurm chooses: the last one.
slurm_conf 's/CpuSpecList=0/CoreSpecCount=1/'
ok "CoreSpecCount=1: the node is idle" slurm_restart
run srun -c3 --mem=100M busybox grep Cpus_allowed_list /proc/self/status
diag "jobs get $out"
like "$out" "0-2" "jobs get CPUs 0 to 2"
srun -c1 --mem=100M sleep $((200 * slow)) &
other=$!
ok "another job has CPU 0" wait_until 60 eval '[ "$(squeue -h -t R | wc -l)" = 1 ]'
begin -c2
is "$allowed" 3 "CoreSpecCount=1: the proxy runs on the specialized core"
kill $other
wait $other 2> /dev/null
end "CoreSpecCount=1"
begin -c3
is "$allowed" 0 "where the step has CPU 0, which stays with Linux, its cpuset keeps the proxy there"
end "CoreSpecCount=1 and CPU 0"

# None: a CPU of the step stays with Linux, as all others may be another job's.
slurm_conf 's/CpuSpecList=0//'
ok "no specialized core: the node is idle" slurm_restart
srun -c1 --mem=100M sleep $((200 * slow)) &
other=$!
ok "another job has CPU 0" wait_until 60 eval '[ "$(squeue -h -t R | wc -l)" = 1 ]'
begin -c3
is "$allowed" 3 "no specialized core: the proxy runs on the step's last CPU"
is "$threads" 3 "with all its threads"
like "$(cat step.err)" "CPU 3 of the allocation stays with Linux, for the proxy: the enclave has 2 CPUs" \
	"and the user is told"
end "no specialized core"
run srun --enclave=lwk -c1 --mem=256M "$examples/hello"
is "$rc" 1 "one CPU is not enough then"
like "$err" "enclave: the only CPU that was allocated is needed.*CoreSpecCount=1" "and the user is told: $err"
kill $other
wait $other 2> /dev/null

ok "as it was: the node is idle" slurm_restore
run srun --enclave=lwk "$examples/hello"
is "$rc" 0 "the next job runs"
node_recovers "after all that"
kernel_log_clean
done_testing
