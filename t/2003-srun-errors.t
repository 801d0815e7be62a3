#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Errors: said at once, in one line, with what would work; and no node drained.
. "$(dirname "$0")/lib/node.sh"

state() { scontrol -o show job "$1" | grep -o 'JobState=[A-Z]*'; }

like "$(srun --help)" "--enclave=" "srun --help has the option"

run srun --enclave=moon hostname
unlike "$rc" '^0$' "an unknown kind is refused"
like "$err" "moon" "by name: $err"
run srun --enclave=vm hostname
unlike "$rc" '^0$' "a kind of the future is refused"
like "$err" "vm" "by name: $err"
run srun --enclave=lwk --enclave-mem=lots hostname
unlike "$rc" '^0$' "a size that is none is refused"
like "$err" "lots" "by name: $err"
is "$(squeue -h | wc -l)" 0 "none of these became a job"

run srun --enclave=lwk --enclave-mem=64G $examples/hello
is "$rc" 1 "more memory than the node has: exit 1"
like "$err" "64 GiB" "says what was asked: $err"
node_recovers "too much memory"

run srun --enclave=lwk /nowhere/at-all
unlike "$rc" '^0$' "a program that is not there"
node_recovers "no program"

# What srun no longer waits for may still hold it.
ok "the module goes" wait_until 30 eval 'rmmod pisces 2> /dev/null'
run srun --enclave=lwk $examples/hello
is "$rc" 1 "a node without the module: exit 1"
like "$err" "modprobe pisces" "says what to do: $err"
cat > job.sh <<-EOS
	#!/bin/sh
	#SBATCH --enclave=lwk
	#SBATCH -o batch-%j.txt
	srun $examples/hello
EOS
job=$(sbatch --parsable job.sh)
ok "the batch job ends" wait_until 90 eval '[ -z "$(squeue -h -j $job 2> /dev/null)" ]'
is "$(state "$job")" "JobState=FAILED" "a batch job without the module has FAILED"
ok "the node is not drained" wait_until 60 node_idle
modprobe pisces

job=$(sbatch --parsable job.sh)
ok "the batch job ends" wait_until 90 eval '[ -z "$(squeue -h -j $job 2> /dev/null)" ]'
is "$(state "$job")" "JobState=COMPLETED" "with the module it completes"
like "$(cat "batch-$job.txt")" "Pisces co-kernel" "sruns in a batch job inherit --enclave"

sed -i 's/^srun .*/uname -v; srun --enclave=none uname -v/' job.sh
job=$(sbatch --parsable job.sh)
ok "the batch job ends" wait_until 90 eval '[ -z "$(squeue -h -j $job 2> /dev/null)" ]'
unlike "$(cat "batch-$job.txt")" "co-kernel" "not the batch script itself, nor srun --enclave=none"

ok "the node is idle" wait_until 60 node_idle
node_recovers "after all that"
done_testing
