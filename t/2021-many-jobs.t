#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Jobs of many shapes by chance, on two nodes, some at the same time as others: each ends as its
# shape says, and then nothing of them is left on either node.
#
#   JOBS=N  how many (default 200)     SEED=N  repeats what a run that printed it did
node_env="JOBS SEED"
limit_file=${LIMIT:-5400}
node_sources=many-jobs
# shellcheck source=t/lib/cluster.sh
. "$(dirname "$0")/lib/cluster.sh"

jobs=${JOBS:-200}
RANDOM=${SEED:-$((RANDOM % 32768))}
diag "SEED=${SEED:=$RANDOM} repeats this"
RANDOM=$SEED

settled() {
	on "$1" sh -c 'sync; echo 3 > /proc/sys/vm/drop_caches'
	there "$1" mem_free_kib
}

mkdir -m 1777 out
kernel_logs_start
ok "both nodes are idle" wait_until 60 nodes_idle
free1=$(settled n1) free2=$(settled n2)

# How each job must end: its state; srun's exit code, as the job's script says it ("": it may be
# ended before that); how many ranks say hello, and how many of these in an enclave.
declare -A how must_state must_rc must_hello count seen
shapes=(hello hello hello hello direct direct array array steps steps beside beside
	exit exit exit signal signal send send cancel cancel cancel hasty hasty hasty
	killed killed stepd pending large missing)

# choose WORD...: sets $chosen; not in $(...), where the same dice would be rolled again
choose() { local i=$((RANDOM % $# + 1)); chosen=${!i}; }

# roll: a job's shape and all that may differ in it
roll() {
	choose "${shapes[@]}"; shape=$chosen
	((RANDOM % 50)) || shape=time-out
	nodes=$((RANDOM % 2 + 1))
	width=$((RANDOM % 3 + 1))
	cpus=$((RANDOM % (3 / width) + 1))
	memory=$((200 + RANDOM % 400))
	((RANDOM % 4)) && kind=lwk || kind=none
	by_job=$((RANDOM % 2))
	((RANDOM % 3)) && user=root || user=user
	# 253 means out of memory to Slurm, and srun then ends with 1
	value=$((RANDOM % 253)) delay=$((RANDOM % 5)).$((RANDOM % 10))
	choose 4 6 8 9 11 15; raised=$chosen
	choose 1 2 9 10 15; sent=$chosen
	case $shape in
	signal) value=$raised ;;
	send) value=$sent ;;
	hasty) value=$delay ;;
	beside) width=1 cpus=1 memory=500 ;;
	large) kind=lwk ;;
	killed) nodes=1 ;;
	stepd | direct) user=root ;;
	esac
	tasks=$((nodes * width))
}

# expect NAME: what follows from it
expect() {
	local inside=$tasks
	[ "$kind" = lwk ] || inside=0
	must_state[$1]=COMPLETED must_rc[$1]=0 must_hello[$1]="0 0"
	case $shape in
	hello | direct | array) must_hello[$1]="$tasks $inside" ;;
	steps) must_hello[$1]="$((3 * tasks)) $((2 * inside))" ;;
	beside) must_hello[$1]="$tasks 0" ;;
	exit) must_rc[$1]=$value; [ "$value" = 0 ] || must_state[$1]=FAILED ;;
	signal) must_rc[$1]=$((128 + value)) must_state[$1]=FAILED ;;
	send) must_rc[$1]=$((128 + value)) ;;
	killed) must_rc[$1]=137 must_state[$1]=FAILED ;;
	large) must_rc[$1]=1 must_state[$1]=FAILED ;;
	missing) must_rc[$1]='[1-9].*' must_state[$1]=FAILED ;;
	time-out) must_rc[$1]='' must_state[$1]=TIMEOUT ;;
	cancel | hasty | stepd | pending) must_rc[$1]='' must_state[$1]=CANCELLED ;;
	esac
	how[$1]="$shape $value: -N$nodes -n$tasks -c$cpus --mem=${memory}M, $kind, $by_job, $user"
	count[$shape]=$((${count[$shape]:-0} + 1))
}

# submit NAME
submit() {
	local size=(-N"$nodes" -n"$tasks" -c"$cpus") job=(-J "$1" -D "$PWD/out" --mem="${memory}M")
	local step=() become=() task job_size=("${size[@]}")
	# Two steps of this size
	[ "$shape" != beside ] || job_size=(-N"$nodes" -n$((2 * tasks)) -c1)
	# The option is the job's, which its steps inherit, or the step's
	case $kind$by_job in
	lwk0) step=(--enclave=lwk) ;;
	lwk1) job+=(--enclave=lwk) ;;
	none1) job+=(--enclave=lwk) step=(--enclave=none) ;;
	esac
	[ "$user" = root ] || become=(runuser -u "$user" --)
	case $shape in
	direct)
		expect "$1"
		{
			srun "${size[@]}" "${job[@]}" "${step[@]}" $examples/hello
			echo "rc=$?"
		} > "out/$1.txt" 2>&1 &
		return ;;
	array)
		for task in 0 1 2; do expect "$1.$task"; done
		job+=(-a 0-2 -o "$1.%a.txt") ;;
	*)
		expect "$1"
		job+=(-o "$1.txt") ;;
	esac
	case $shape in
	time-out) job+=(-t 1) ;;
	pending) job+=(--begin=now+1hour) ;;
	*) job+=(-t 60) ;;
	esac
	"${become[@]}" sbatch "${job_size[@]}" "${job[@]}" many-jobs/job \
		"$shape" "$value" "$tasks" "${size[@]}" "${step[@]}" > sbatch.txt 2>&1 ||
		diag "$1: ${how[$1]}: $(cat sbatch.txt)"
	[ "$shape" != pending ] || scancel -n "$1"
}

# collect: the states of jobs that have ended. Slurm forgets them after some minutes.
collect() {
	local name state
	while read -r name state; do
		case $state in
		PENDING | CONFIGURING | RUNNING | SUSPENDED | COMPLETING) ;;
		*) seen[$name]=$state ;;
		esac
	done < <(scontrol -o show job | awk '{
		name = task = state = ""
		for (i = 1; i <= NF; i++) {
			if ($i ~ /^JobName=/) name = substr($i, 9)
			if ($i ~ /^ArrayTaskId=[0-9]+$/) task = "." substr($i, 13)
			if ($i ~ /^JobState=/) state = substr($i, 10)
		}
		if (name != "") print name task, state
	}')
}

queue_is_short() { collect; [ "$(squeue -h -r | wc -l)" -lt "$1" ]; }

# wrong NAME: in what way it did not end as it must, if so
wrong() {
	local text='' rc hello
	[ ! -e "out/$1.txt" ] || text=$(tr -d '\0' < "out/$1.txt")
	rc=$(sed -n 's/^rc=//p' <<< "$text")
	hello="$(grep -c 'Hello from rank' <<< "$text") $(grep -c 'Pisces co-kernel' <<< "$text")"
	[ "${seen[$1]:-}" = "${must_state[$1]}" ] || echo "state ${seen[$1]:-unknown}, not ${must_state[$1]}"
	[ -z "${must_rc[$1]}" ] || [[ $rc =~ ^${must_rc[$1]}$ ]] || echo "exit code '$rc', not ${must_rc[$1]}"
	[ "$hello" = "${must_hello[$1]}" ] || echo "hellos, and in enclaves: $hello, not ${must_hello[$1]}"
}

for ((number = 1; number <= jobs; number++)); do
	wait_until 300 queue_is_short 16 || break
	roll
	submit "j$number"
done
is $((number - 1)) "$jobs" "all jobs were taken"
ok "all jobs end" wait_until 600 queue_is_short 1
queue_is_short 1 || {
	diag "$(squeue)"
	scancel -u root -u user
}
wait
collect

bad=
for name in $(printf '%s\n' "${!how[@]}" | sort -V); do
	why=$(wrong "$name")
	[ -z "$why" ] || bad+="$name ($why): ${how[$name]}"$'\n'"$(tail -n 5 "out/$name.txt" 2> /dev/null)"$'\n'
done
is "$bad" "" "${#how[@]} jobs, each of which ends as it must"
for shape in $(printf '%s\n' "${!count[@]}" | sort); do
	diag "$shape: ${count[$shape]}"
done
diag "after $SECONDS s"

ok "both nodes are idle" wait_until 120 nodes_idle
is "$(sinfo -h -R)" "" "none was taken out of service"
cluster_recovers "$jobs jobs"
for node in n1 n2; do
	[ $node = n1 ] && free=$free1 || free=$free2
	is "$(on $node pgrep -lx 'pisces-proxy|slurmstepd|spin|srun')" "" "$node: no process is left"
	is "$(on $node cat /sys/module/pisces/refcnt)" 0 "$node: no descriptor holds the module"
	now=$(settled $node)
	ok "$node: no memory is lost: $free KiB free before, $now KiB now" [ "$now" -gt $((free - 131072)) ]
done
run srun -N2 -n2 -c3 --mem=1G --enclave=lwk $examples/hello
is "$(grep -c 'Pisces co-kernel' <<< "$out")" 2 "the next job has enclaves on both nodes"
ok "both nodes are idle" wait_until 60 nodes_idle
cluster_recovers "the next job"
kernel_logs_clean
done_testing
