#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# srun --enclave=lwk over two nodes: an enclave on each, ranks, labels and exit codes as without,
# a failure on one node only, scancel; and a batch job with a step in enclaves and one on
# Linux beside it.
limit_file=1800
# shellcheck source=t/lib/cluster.sh
. "$(dirname "$0")/lib/cluster.sh"

kernel_logs_start
ok "both nodes are idle" wait_until 60 nodes_idle

run srun -N2 -n2 -c2 --mem=512M --enclave=lwk $examples/hello
is "$rc" 0 "hello on both nodes"
is "$(grep -o 'Hello.*' <<< "$out" | sort)" \
	$'Hello from rank 0 of 2 on n1.\nHello from rank 1 of 2 on n2.' "  a rank on each"
is "$(grep -c 'CPUs: *2 ' <<< "$out")" 2 "  each with 2 CPUs"
is "$(grep -c 'Pisces co-kernel' <<< "$out")" 2 "  each on a co-kernel"
is "$err" "" "  without noise"
cluster_recovers "a step"

# ranks OPTIONS...: the label of each line, the rank that says it, and its node
ranks() {
	srun -l "$@" $examples/hello |
		sed -n 's/^ *\([0-9]*\): *Hello from rank \([0-9]*\) of [0-9]* on \(.*\)\.$/\1 \2 \3/p' |
		sort -n
}
printf 'n1\nn2\nn2\nn2\n' > hosts
for shape in "-N2 -n3" "-N2 -n4 -m cyclic" "-N2 -n6 -m block" "-n4 -m arbitrary"; do
	export -n SLURM_HOSTFILE
	[[ $shape != *arbitrary ]] || export SLURM_HOSTFILE=hosts
	# shellcheck disable=SC2086 # words
	linux=$(ranks $shape) inside=$(ranks $shape --enclave=lwk)
	is "$inside" "$linux" "srun $shape: ranks and labels are where they are without enclaves"
	like "$inside" "0 0 n1.*n2" "  on both nodes"
done
is "$inside" $'0 0 n1\n1 1 n2\n2 2 n2\n3 3 n2' "one rank on n1, three in one enclave on n2"
unset SLURM_HOSTFILE

head -c 4M /dev/urandom > data
run srun -N2 -n2 --enclave=lwk busybox sha256sum < data
is "$(sort -u <<< "$out")" "$(sha256sum < data)" "stdin goes to both"
is "$(wc -l <<< "$out")" 2 "  whole"

# shellcheck disable=SC2016 # for the shell in the enclave
{
	run srun -N2 -n2 --enclave=lwk busybox sh -c '[ $SLURM_PROCID = 0 ] || exit 7'
	is "$rc" 7 "an exit code from one node"
	like "$err" "n2: task 1: Exited with exit code 7" "  which srun names: $err"
	run srun -N2 -n2 --enclave=lwk busybox sh -c '[ $SLURM_PROCID = 1 ] || kill -SEGV $$'
	is "$rc" 139 "a death on one node"
	like "$err" "n1: task 0: Segmentation fault" "  which srun names: $err"
	limit=60 run srun -K -N2 -n2 --enclave=lwk busybox sh -c \
		'[ $SLURM_PROCID = 0 ] || exit 3; while :; do :; done'
	unlike "$rc" '^(0|124)$' "srun -K: the other rank is ended too ($rc)"
	like "$err" "n2: task 1: Exited with exit code 3" "  the first failure is named"
}
cluster_recovers "failures of programs"

# One node cannot make its enclave.
ok "n2's module goes" wait_until 30 eval 'on n2 rmmod pisces 2> /dev/null'
limit=60 run srun -J half -N2 -n2 --enclave=lwk $examples/hello
is "$rc" 1 "no module on n2: exit 1"
is "$(grep -c enclave: <<< "$err")" 1 "  with one line on stderr"
like "$err" "n2: error: enclave: the kernel module is not loaded on node n2: modprobe pisces" \
	"  which names the node: $err"
like "$out" "rank 0 of 2 on n1" "  the other node's program ran"
ok "  the job is over" wait_until 60 eval '[ "$(job_field half JobState)" != COMPLETING ]'
is "$(job_field half JobState)" FAILED "  and has FAILED"
limit=60 run srun -K -N2 -n2 --enclave=lwk $examples/spin 300
unlike "$rc" '^(0|124)$' "srun -K: then nobody computes on ($rc)"
limit=60 run srun -N2 -n6 --enclave=lwk $examples/hello
is "$(grep -c enclave: <<< "$err")" 1 "three ranks there: one line too"
printf '#!/bin/sh\nsrun --enclave=lwk %s\n' $examples/hello > job.sh
sbatch -J halfbatch -N2 -n2 -o batch.txt job.sh > sbatch.txt
ok "a batch job with such a step ends" wait_until 90 eval '[ -z "$(squeue -h)" ]'
is "$(job_field halfbatch JobState)" FAILED "  and has FAILED"
ok "no node is drained" wait_until 60 nodes_idle
on n2 modprobe pisces
cluster_recovers "one node's failure"

# spin NAME: a step that computes on both nodes, in the background; sets $srun_pid and $id
both_compute() { [ "$(grep -c computing "$1")" = 2 ]; }
spin() {
	: > "$1.txt"
	srun -J "$1" -N2 -n2 -c2 --mem=256M --enclave=lwk $examples/spin 300 > "$1.txt" 2>&1 &
	srun_pid=$!
	wait_until 90 both_compute "$1.txt" || diag "$1 did not start: $(cat "$1.txt")"
	id=$(squeue -h -o %A -n "$1" | head -n 1)
}
away() { ! node_whole && ! there n2 node_whole; }

spin cancelled
ok "both nodes have CPUs away" away
scancel "$id"
rc=0; wait $srun_pid || rc=$?
unlike "$rc" '^0$' "scancel ends the step ($rc)"
cluster_recovers scancel

spin interrupted
# Twice within a second, which on a busy machine may take more than two
press_ctrl_c() { ! kill -INT $srun_pid 2> /dev/null; }
wait_until 60 press_ctrl_c
rc=0; wait $srun_pid || rc=$?
unlike "$rc" '^0$' "Ctrl-C again and again ends srun ($rc)"
ok "and the job" wait_until 60 eval '[ -z "$(squeue -h)" ]'
cluster_recovers Ctrl-C

spin stepd
on n2 pkill -KILL -f "slurmstepd: \[$id\.0\]"
ok "SIGKILL to slurmstepd on n2: that node is whole" wait_until 30 there n2 node_whole
ok "  the other one computes on" [ "$(< /sys/devices/system/cpu/online)" != "$node_cpus" ]
scancel "$id"
wait $srun_pid
ok "  after scancel both are idle" wait_until 120 nodes_idle
cluster_recovers "  with its end"

# Two jobs over both nodes at once.
srun -J first -N2 -n2 -c1 --mem=300M --enclave=lwk $examples/spin 5 > first.txt 2>&1 & first=$!
srun -J second -N2 -n2 -c2 --mem=300M --enclave=lwk $examples/hello > second.txt 2>&1 & second=$!
rc=0; wait $first || rc=$?
is "$rc" 0 "two jobs over both nodes at once: one"
rc=0; wait $second || rc=$?
is "$rc" 0 "  and the other"
is "$(cat first.txt second.txt | grep -cE 'done|Pisces co-kernel')" 4 "  in four enclaves"
diag "$(cat first.txt second.txt)"

cat > job.sh <<-EOF
	#!/bin/bash
	srun --exact -N2 -n2 -c2 --mem=400M --enclave=lwk busybox sh -c \
		'trap "echo done; exit 0" USR1; echo computing; while :; do :; done' > inside.txt 2>&1 &
	until [ "\$(grep -c computing inside.txt)" = 2 ] || ! kill -0 \$!; do sleep 0.2; done
	srun --exact -N2 -n2 -c1 --mem=200M sh -c \
		'echo "\$(hostname) \$(cat /sys/devices/system/cpu/online)"; uname -v' > beside.txt 2>&1
	echo "then \$(grep -c done inside.txt)"
	scancel -s USR1 \$SLURM_JOB_ID.0
	wait
EOF
job=$(sbatch --parsable -J beside -N2 -n6 --mem=900M -o batch.txt job.sh)
ok "a batch job over both nodes ends" wait_until 150 eval '[ -z "$(squeue -h -j $job 2> /dev/null)" ]'
is "$(job_field beside JobState)" COMPLETED "  well"
is "$(grep -c done inside.txt)" 2 "  its step in enclaves too"
is "$(grep -o '^n[12]' beside.txt | sort | xargs)" "n1 n2" "  a step on Linux ran on both nodes"
unlike "$(cat beside.txt)" "co-kernel" "  and in no enclave"
unlike "$(cat beside.txt)" "n[12] $node_cpus" "  beside the enclaves, which have CPUs there"
like "$(cat batch.txt)" "then 0" "  and meanwhile these went on"
diag "$(cat batch.txt inside.txt beside.txt)"

ok "both nodes are idle" wait_until 60 nodes_idle
cluster_recovers "after all that"
kernel_logs_clean
done_testing
