#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A node dies in the middle of a step over two: srun ends as it does without enclaves, the other
# node is whole, and the dead one runs the next job after its boot. Seen from outside.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=t/lib/tap.sh
. "$here/lib/tap.sh"
quickstart=$here/../contrib/quickstart

# As with all tests for a node: without `contrib/quickstart check` there is none
"$quickstart" status > /dev/null 2>&1 ||
	skip_all "no virtual node is up; \`contrib/quickstart check\` starts one"
export PISCES_NODE=mortal
state=${PISCES_BUILD:-$here/../build}/node/$PISCES_NODE
trap '"$quickstart" down > /dev/null 2>&1' EXIT
cd "$(mktemp -d)" || exit 1
examples=/usr/lib/pisces/examples

# on NODE COMMAND...: as root
on() { "$quickstart" run --no-build --node "${1#n}" -- "${@:2}" < /dev/null; }
# try NODE COMMAND...: the same, sets $rc, $out and $err
try() {
	rc=0
	out=$(timeout -k 10 120 "$quickstart" run --no-build --node "${1#n}" -- "${@:2}" \
		2> try.err < /dev/null) || rc=$?
	err=$(cat try.err)
}
state_of() { on n1 sinfo -h -n "$1" -o %T; }
is_idle() { [ "$(state_of "$1")" = idle ]; }
both_idle() { is_idle n1 && is_idle n2; }
# shellcheck disable=SC2016 # expanded there
n1_whole() {
	on n1 sh -c '[ "$(cat /sys/devices/system/cpu/online)" = "$(cat /run/cpus-at-boot)" ] &&
		! grep -q "pisces enclave" /proc/iomem && ! grep -q pisces- /proc/interrupts'
}

# missed_after SECONDS: when Slurm gives a node up that does not answer
missed_after() {
	local node
	for node in n1 n2; do
		on $node sed -i "s/^SlurmdTimeout=.*/SlurmdTimeout=$1/" /etc/slurm/slurm.conf
	done
	on n1 scontrol reconfigure
}

# begin NAME: a step that computes on both nodes, in enclaves or not; sets $srun_pid
both_compute() { [ "$(grep -c computing "$1.out")" = 2 ]; }
begin() {
	local kind=lwk
	[[ $1 != plain* ]] || kind=none
	: > "$1.out"
	on n1 srun -J "$1" -N2 -n2 -c2 --mem=256M --enclave=$kind $examples/spin 900 \
		> "$1.out" 2> "$1.err" &
	srun_pid=$!
	ok "$1: a step computes on both nodes" wait_until 90 both_compute "$1"
}
die() {
	kill -KILL "$(< "$state/n2/pid")"
	died=$SECONDS
}

# ended NAME: srun has; sets $rc and $said, without what differs from run to run
srun_ended() { ! kill -0 $srun_pid 2> /dev/null; }
ended() {
	ok "$1: srun ends" wait_until 300 srun_ended
	srun_ended || on n1 scancel -n "$1"
	rc=0; wait $srun_pid || rc=$?
	# Whether it had to wait, for the job before or for its enclave, says nothing of how it ended.
	said=$(without_progress < "$1.err" | sed -E 's/[0-9]{4}-[0-9-]+T[0-9:]+/TIME/
		s/(STEP|JobId=|job|StepId=|Job) ?[0-9.]+/\1 N/g; s/fd [0-9]+/fd N/' | sort -u)
	diag "$1: exit code $rc after $((SECONDS - died)) s" "$said"
}
# The state of a job is told when all of it has ended: an enclave may still be given back.
job_state() { on n1 scontrol -o show job | grep " JobName=$1 " | grep -o 'JobState=[A-Z_]*'; }
n2_boots() {
	"$quickstart" up --no-build > up.log 2>&1 || diag "$(tail -n 3 up.log)"
	like "$(cat up.log)" "ended since it was started: n2" "$1: quickstart up notices it"
}
next_job() {
	ok "$1: both nodes are idle after n2's boot" wait_until 120 both_idle
	try n1 srun -N2 -n2 --enclave=lwk $examples/hello
	is "$(grep -c 'Pisces co-kernel' <<< "$out")" 2 "$1: the next job has enclaves on both $err"
}

"$quickstart" up --no-build --nodes=2 > up.log 2>&1 || diag "$(tail -n 3 up.log)"
ok "both nodes are idle" wait_until 60 both_idle

# Slurm finds out by itself.
missed_after 45
declare -A code text
for kind in enclave plain; do
	begin $kind-dies
	die
	ended $kind-dies
	code[$kind]=$rc text[$kind]=$said
	ok "$kind-dies: the job is over" wait_until 60 eval '[ "$(job_state '$kind'-dies)" != JobState=COMPLETING ]'
	is "$(job_state $kind-dies)" JobState=NODE_FAIL "$kind-dies: its state"
	ok "$kind-dies: n1 is idle" wait_until 120 is_idle n1
	ok "$kind-dies: and whole" wait_until 30 n1_whole
	like "$(state_of n2)" '^down' "$kind-dies: n2 is down"
	try n1 srun -w n1 --enclave=lwk $examples/hello
	is "$rc" 0 "$kind-dies: n1 runs jobs without n2 $err"
	n2_boots $kind-dies
	next_job $kind-dies
done
is "${code[enclave]}" "${code[plain]}" "srun's exit code is the same with and without enclaves"
is "${text[enclave]}" "${text[plain]}" "and what it says"

# The node is there again before Slurm has missed it.
missed_after 450
for kind in enclave plain; do
	begin $kind-boots
	die
	n2_boots $kind-boots
	ended $kind-boots
	code[$kind]=$rc text[$kind]=$said
	next_job $kind-boots
	ok "$kind-boots: n1 is whole" wait_until 30 n1_whole
done
is "${code[enclave]}" "${code[plain]}" "a quick boot: srun's exit code is the same with and without"
is "${text[enclave]}" "${text[plain]}" "and what it says"
done_testing
