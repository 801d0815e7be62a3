#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# pisces reclaim: what an epilog does when a job has left an enclave behind.
. "$(dirname "$0")/lib/node.sh"

kernel_log_start

run pisces reclaim
is "$rc" 0 "nothing to reclaim"
run pisces reclaim --job=4711
is "$rc" 0 "nothing of a job that there is not"
run runuser -u nobody -- pisces reclaim --job=4711
is "$rc" 1 "a plain user may not"

srun -J left --enclave=lwk -c2 --mem=256M "$examples/spin" 200 > left.txt 2>&1 &
srun_pid=$!
ok "a step computes in an enclave" wait_until 60 grep -q computing left.txt
id=$(squeue -h -o %A -n left | head -n 1)
run pisces list
like "$out" " $id\.0 " "pisces list has its job and step"

run pisces reclaim
is "$rc" 0 "its owner lives: it is not left behind"
run pisces reclaim --job=$((id + 1))
is "$rc" 0 "another job's is not touched"
ok "the step is still there" kill -0 $srun_pid

run pisces reclaim --job="$id"
is "$rc" 0 "pisces reclaim --job ends it"
like "$err" "killed process [0-9]+, which held enclave [0-9]+" "and says whom it killed: $err"
ok "its enclave is gone when reclaim returns" node_whole
ok "its proxy too" wait_until 30 eval '! pgrep -x pisces-proxy'
scancel "$id"
wait $srun_pid
ok "the node is idle again" wait_until 90 node_idle

# What an enclave left behind while nobody put it back comes back when slurmd starts.
echo /nonexistent > /sys/module/pisces/parameters/reclaim
mib=$((0x$(< /sys/devices/system/memory/block_size_bytes) / 1048576))
run pisces run --cpu-list=2-3 --mem=${mib}M --mem-way=block -- "$examples/hello"
is "$rc" 0 "an enclave with a block of memory"
blocks_offline() { grep -l offline /sys/devices/system/memory/memory*/state | wc -l; }
is "$(blocks_offline)" 1 "which stays offline"
echo /usr/bin/pisces > /sys/module/pisces/parameters/reclaim
pkill -TERM -x slurmd
ok "slurmd ends" wait_until 30 gone slurmd
slurmd -N n1
ok "the next one brings the block online" wait_until 30 eval '[ "$(blocks_offline)" = 0 ]'
ok "and answers" wait_until 60 slurmd_answers
ok "the node is idle" wait_until 90 node_idle

run srun --enclave=lwk "$examples/hello"
is "$rc" 0 "the next job runs"
ok "the node is idle" wait_until 60 node_idle
node_recovers "after all that"
kernel_log_clean
done_testing
