#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# t/1022-kill-matrix.t for what Slurm runs: slurmstepd and slurmd die while an enclave
# is being given memory, boots, idles, computes, waits for input, or is torn down.
limit_file=1800
. "$(dirname "$0")/lib/node.sh"
. "$(dirname "$0")/lib/matrix.sh"

kernel_log_start
rows="slurmstepd slurmd"
places="preparing booting idle computing io teardown"
job() { squeue -h -o %A -n "$1" | head -n 1; }
is_there() { [ "$(pisces list | wc -l)" -gt 1 ]; }
task_runs() { pisces list --json | grep -q '"tasks": *1'; }

mkfifo fifo
exec 9<> fifo

# begin NAME PLACE: a step that is there by now; sets srun_pid and id.
begin() {
	local program
	case $2 in
	preparing | booting) program="$examples/spin 200" ;;
	idle) program="busybox sleep 200" ;;
	computing) program="$examples/spin 200" ;;
	io) program="busybox cat" ;;
	teardown) program="busybox echo over" ;;
	esac
	: > "$1.txt"
	# shellcheck disable=SC2086 # words are arguments
	srun -J "$1" --enclave=lwk -c2 --mem=256M $program > "$1.txt" 2>&1 < fifo &
	srun_pid=$!
	case $2 in
	preparing) wait_until 90 is_there ;;
	booting) wait_until 90 taken ;;
	teardown) wait_until 90 grep -q over "$1.txt" ;;
	*) wait_until 90 task_runs ;;
	esac || diag "$1 did not get so far: $(cat "$1.txt")"
	id=$(job "$1")
}

at_slurmstepd() {
	local since status=0
	begin "stepd-$1" "$1"
	since=$(now)
	pkill -KILL -f "slurmstepd: \[$id\.0\]"
	recovered slurmstepd "$1" "$since" 5 || status=1
	# Without its slurmstepd, Slurm ends the step only when asked to.
	[ -z "$id" ] || scancel "$id" 2> /dev/null
	wait $srun_pid 2> /dev/null
	ok "slurmstepd, $1: the node is idle" wait_until 120 node_idle
	return $status
}

# slurmd: the step goes on without it, and ends when it is told to by the next one.
at_slurmd() {
	local since status=0
	begin "slurmd-$1" "$1"
	pkill -KILL -x slurmd
	ok "slurmd, $1: is gone" wait_until 30 gone slurmd
	slurmd -N n1
	ok "slurmd, $1: the next one is there" wait_until 60 slurmd_answers
	# Here nobody has to notice a death: from the order to end on, it is as without it.
	since=$(now)
	[ -z "$(job "slurmd-$1")" ] || scancel "$id"
	wait $srun_pid 2> /dev/null
	recovered slurmd "$1" "$since" 10 || status=1
	ok "slurmd, $1: the node is idle" wait_until 120 node_idle
	return $status
}

for row in $rows; do
	fill_row $row
done

run srun --enclave=lwk "$examples/hello"
is "$rc" 0 "the next job runs"
diag "$(matrix)"
node_recovers "after all that"
kernel_log_clean
done_testing
