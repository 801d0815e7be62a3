#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Steps of a job: beside each other, on top of each other, of many kinds; and an
# enclave that outlives its job.
. "$(dirname "$0")/lib/node.sh"

kernel_log_start
ok "the node is idle" wait_until 60 node_idle

# batch FILE: runs the script, its output in $out
batch() {
	local job
	job=$(sbatch --parsable -o "$PWD/batch.txt" "$1")
	ok "the batch job ends" wait_until 180 eval '[ -z "$(squeue -h -j '"$job"' 2> /dev/null)" ]'
	out=$(cat batch.txt)
	diag "$out"
}

cat > job.sh <<-EOF
	#!/bin/bash
	#SBATCH -n3 --mem=900M
	srun --exact -n1 -c2 --mem=400M --enclave=lwk $examples/hello > first.txt &
	srun --exact -n1 -c1 --mem=300M --enclave=lwk $examples/hello > second.txt &
	wait
	srun --exact -n1 -c2 --mem=400M --enclave=lwk $examples/spin 3 > first-spin.txt &
	srun --exact -n1 -c1 --mem=300M busybox uname -v
	wait
EOF
batch job.sh
like "$(cat first.txt)" "CPUs: +2 .*Memory: +39[0-9] MiB" "an enclave with its share of the job"
like "$(cat second.txt)" "CPUs: +1 .*Memory: +29[0-9] MiB" "another beside it"
unlike "$out" "Pisces co-kernel" "and a step on Linux beside an enclave"
like "$(cat first-spin.txt)" "done" "which both end well"

cat > job.sh <<-EOF
	#!/bin/bash
	#SBATCH -n3
	srun -n1 -c3 --overlap --enclave=lwk --enclave-name=owner $examples/spin $((100 * slow)) > spin.txt &
	until grep -q computing spin.txt; do sleep 0.2; done
	pisces list
	srun -n1 -c3 --overlap hostname
	echo rc \$?
	kill %1; wait
EOF
batch job.sh
like "$out" "owner +running" "--enclave-name"
like "$out" "enclave: CPUs [0-9,-]+ of this step are away from Linux, in the enclave of step.*--enclave-cpus" \
	"a step on CPUs that an enclave has hears so, and what would work"
like "$out" "task 0 launch failed" "and is not started"
# Slurm 22.05 has srun end with 0 there, enclaves or not
case $(srun --version) in
*" 22."*) ;;
*) unlike "$out" "rc 0" "and fails" ;;
esac
ok "the node is not drained by it" wait_until 60 node_idle

# srun returns before CPUs and memory are back: the next step waits for them, whatever it is.
cat > job.sh <<-'EOF'
	#!/bin/bash
	#SBATCH -n3 --mem=900M
	for i in 1 2 3 4; do
		srun -n1 -c3 --enclave=lwk busybox nproc
		srun -n1 -c3 --enclave=lwk busybox nproc
		srun -n1 -c3 nproc
	done
EOF
batch job.sh
is "$(without_progress <<< "$out" | sort | uniq -c | xargs)" "12 3" \
	"steps right behind each other, in enclaves and on Linux, have all CPUs"

printf '#!/bin/sh\n#SBATCH --enclave=lwk -a 1-2 -o array-%%a.txt\nsrun -O -n3 busybox uname -v\n' > job.sh
job=$(sbatch --parsable job.sh)
ok "a job array ends" wait_until 180 eval '[ -z "$(squeue -h -j '"$job"' 2> /dev/null)" ]'
is "$(cat array-*.txt | grep -c 'Pisces co-kernel')" 6 "2 array tasks of 3 tasks on 1 CPU each"

export HUGE
HUGE=$(head -c 100000 /dev/zero | tr '\0' x)
run env $(for i in 0 1 2 3 4 5 6 7 8 9 10 11; do echo "HUGE$i=$HUGE"; done) \
	srun --enclave=lwk busybox true
is "$rc" 126 "an environment that is too large"
like "$err" "enclave: cannot run busybox: its arguments and environment have [0-9]+ KiB" "  is named"
unset HUGE

printf '#!/bin/busybox sh\necho "$2 in $SLURM_ENCLAVE"; exit 6\n' > script
chmod +x script
run srun --enclave=lwk ./script a 'b c'
is "$rc" 6 "a script, by an interpreter that can run there"
is "$out" "b c in lwk" "with its arguments"

# A terminal: what the user types at each prompt, Ctrl-C in between.
prompted() { [ "$(grep -o ' # ' typed | wc -l)" -ge "$1" ]; }
mkfifo keys
: > typed
{ exec > keys
	wait_until 60 prompted 1; echo 'echo at $PISCES_ENCLAVE'
	wait_until 60 prompted 2; printf '\003'
	wait_until 60 prompted 3; echo 'exit 6'; sleep $((20 * slow)); } & typist=$!
run script -qefc "srun --enclave=lwk --pty busybox sh -i" typed < keys
is "$rc" 6 "a shell on a terminal, with its exit code"
like "$out" "at [0-9]+" "knows its enclave"
kill $typist 2> /dev/null

# Somebody else holds the enclave when the job is over: the epilog ends him.
srun -J leak --enclave=lwk $examples/spin 300 > spin.txt 2>&1 &
srun_pid=$!
wait_until 60 grep -q computing spin.txt
job=$(squeue -h -n leak -o %A)
stepd=$(pgrep -f "slurmstepd: \[$job\.0\]" | head -n 1)
fd=$(ls -l "/proc/$stepd/fd" | sed -n 's/.* \([0-9]*\) -> anon_inode:.pisces-enclave.*/\1/p')
# 434: pidfd_open, 438: pidfd_getfd
perl -e '$p = syscall(434, $ARGV[0] + 0, 0); $f = syscall(438, $p, $ARGV[1] + 0, 0);
	open(F, ">holds"); print F $f; close(F); sleep 600' "$stepd" "$fd" & holder=$!
ok "another process holds the enclave" wait_until 30 test -s holds
kill -KILL "$stepd"
sleep 1
like "$(pisces list)" "running" "so it survives its slurmstepd"
scancel "$job"
wait $srun_pid
rc=0; wait $holder || rc=$?
is "$rc" 137 "until the epilog has ended that process"
ok "the node is idle" wait_until 90 node_idle

node_recovers "after all that"
kernel_log_clean
done_testing
