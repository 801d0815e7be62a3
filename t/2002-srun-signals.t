#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# scancel, Ctrl-C, SIGKILL: the program ends, the node is whole, the next job runs.
. "$(dirname "$0")/lib/node.sh"

kernel_log_start
job() { squeue -h -o %A -n "$1" | head -n 1; }

# spin NAME: a computing enclave step in the background; sets $srun_pid and $id.
spin() {
	: > "$1.txt"
	srun -J "$1" --enclave=lwk -c2 --mem=256M $examples/spin 200 > "$1.txt" 2>&1 &
	srun_pid=$!
	wait_until 60 grep -q computing "$1.txt" || diag "$1 did not start: $(cat "$1.txt")"
	id=$(job "$1")
}

spin cancelled
scancel "$id"
rc=0; wait $srun_pid || rc=$?
unlike "$rc" '^0$' "scancel ends the step (srun: $rc)"
node_recovers scancel

spin signalled
scancel -s INT "$id.0"
rc=0; wait $srun_pid || rc=$?
is "$rc" 130 "scancel -s INT reaches the program"
node_recovers "scancel -s INT"

spin interrupted
# As a terminal does on Ctrl-C: srun wants two within a second, which on a slow machine may come as one.
interrupt() {
	kill -INT $srun_pid 2> /dev/null && sleep 0.3
	! kill -0 $srun_pid 2> /dev/null
}
wait_until 30 interrupt
rc=0; wait $srun_pid || rc=$?
unlike "$rc" '^0$' "Ctrl-C, and again, ends srun ($rc)"
ok "and the job" wait_until 60 eval '[ -z "$(job interrupted)" ]'
node_recovers Ctrl-C

spin stepd
pkill -KILL -f "slurmstepd: \[$id\.0\]"
# Without its slurmstepd, Slurm ends the step only when asked to.
node_recovers "SIGKILL to slurmstepd"
scancel "$id"
wait $srun_pid
ok "the node is idle" wait_until 90 node_idle

spin proxy
pkill -KILL -x pisces-proxy
rc=0; wait $srun_pid || rc=$?
is "$rc" 137 "SIGKILL to the proxy is the task's death"
node_recovers "SIGKILL to the proxy"

run srun --enclave=lwk $examples/hello
is "$rc" 0 "the next job runs"
ok "the node is idle" wait_until 60 node_idle
kernel_log_clean
done_testing
