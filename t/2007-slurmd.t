#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# slurmd and slurmctld are restarted, reconfigured and killed while CPUs are away: the step
# goes on and ends well, and the node is never taken out of service.
. "$(dirname "$0")/lib/node.sh"

kernel_log_start
node_state() { sinfo -h -o %T; }
# What slurmctld knows of the slurmd that registered with it last; "None" if none has since it was started.
slurmd_start() { scontrol -o show node n1 | grep -o 'SlurmdStartTime=[^ ]*'; }
registered() { slurmd_start | grep -qvx -e "$started" -e SlurmdStartTime=None; }
ok "the node is idle" wait_until 60 node_idle

# in_service WHAT: CPUs are away, the step computes, and Slurm takes the node for what it was.
in_service() {
	wait_until 60 slurmd_answers || diag "slurmd does not answer"
	sleep 3
	ok "$1: CPUs are away" [ "$(< /sys/devices/system/cpu/online)" != "$node_cpus" ]
	ok "$1: the step computes on" kill -0 $srun_pid
	is "$(node_state)" allocated "$1: the node is in service"
	like "$(scontrol -o show node n1)" "CPUTot=4 .*State=ALLOCATED " "$1: with all of its CPUs"
	unlike "$(scontrol -o show node n1)" "Reason=" "$1: for no reason to drain it"
}

srun -J long -n3 --enclave=lwk --mem=400M busybox sh -c \
	'trap "exit 7" USR1; echo "$SLURM_PROCID computes"; while :; do :; done' > long.txt 2>&1 & srun_pid=$!
ok "a step computes" wait_until 90 eval '[ "$(grep -c computes long.txt)" = 3 ]'
in_service "at first"

scontrol reconfigure
in_service "scontrol reconfigure"

started=$(slurmd_start)
pkill -HUP -x slurmd
in_service "SIGHUP to slurmd"

pkill -TERM -x slurmd
wait_until 30 gone slurmd
slurmd -N n1
ok "the next slurmd registers" wait_until 60 registered
in_service "slurmd restarted"

started=$(slurmd_start)
pkill -KILL -x slurmd
wait_until 30 gone slurmd
slurmd -N n1
ok "the next slurmd registers" wait_until 60 registered
in_service "slurmd killed"
like "$(tail -n 40 /var/log/slurm/slurmd.log)" "enclave: enclave [0-9]+ .* of [0-9]+\.0 is there" \
	"its log names the enclave that is there"

pkill -TERM -x slurmctld
wait_until 60 gone slurmctld
runuser -u slurm -- slurmctld
wait_until 60 eval 'scontrol ping | grep -q UP'
started=none
ok "slurmd registers with the next slurmctld" wait_until 60 registered
in_service "slurmctld restarted, which asks nodes to register"

scancel -s USR1 "$(squeue -h -o %A -n long).0"
rc=0
wait $srun_pid || rc=$?
is "$rc" 7 "the step ends well, with its exit code"
node_recovers "the end of the step"
ok "the node is idle" wait_until 90 node_idle
run srun --enclave=lwk $examples/hello
is "$rc" 0 "the next step runs"

run pisces doctor
like "$out" "ok +restart of slurmd +config_overrides" "pisces doctor knows why that works"
for what in "Slurm plugin" "CPU 0" "step's CPUs" "step's memory" confinement tracking "memory of jobs"; do
	like "$out" "ok +$what" "  and finds the recommended lines: $what"
done
node_recovers "after all that"
kernel_log_clean
done_testing
