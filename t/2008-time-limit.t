#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A step in an enclave that has a time limit: the signal that is to come before it, and its end.
. "$(dirname "$0")/lib/node.sh"

kernel_log_start
ok "the node is idle" wait_until 60 node_idle

# Slurm sends the signal once, and up to 60 s too early: it must find the step there.
srun -t 2 --signal=USR1@45 --enclave=lwk busybox sh -c \
	'trap "echo signalled" USR1; echo begun; while :; do :; done' > limit.txt 2>&1 &
srun_pid=$!
ok "a step with a time limit begins" wait_until 90 grep -q begun limit.txt
is_over() { ! kill -0 $srun_pid 2> /dev/null; }
ok "it ends" wait_until 240 is_over
rc=0
wait $srun_pid || rc=$?
unlike "$rc" '^0$' "by its time limit ($rc)"
like "$(cat limit.txt)" "begun.*signalled" "after the signal that --signal asked for"
like "$(cat limit.txt)" "DUE TO TIME LIMIT" "and Slurm says why"
diag "$(cat limit.txt)"
node_recovers "the time limit"
ok "the node is idle" wait_until 60 node_idle
kernel_log_clean
done_testing
