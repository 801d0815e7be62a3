#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sacct and sstat say of a step in an enclave what they say of the same step on Linux: its
# name, CPU time, memory, state and exit code. With a slurmdbd and a MariaDB, which are
# not on every node:
#
#   contrib/quickstart check --packages "mariadb-server slurmdbd" t/2030-accounting.t
limit_file=1800
node_files="t/usage"
. "$(dirname "$0")/lib/node.sh"
. "$(dirname "$0")/lib/slurm.sh"
. "$(dirname "$0")/lib/slurmdbd.sh"

kernel_log_start
seconds=${seconds:-8} # of computing, on two CPUs
mib=256
ok "MariaDB starts" start_database
[ $tap_failed = 0 ] || diag "$(tail -n 20 database.log)"
ok "slurmdbd starts" start_slurmdbd
[ $tap_failed = 0 ] || diag "$(tail -n 20 /var/log/slurm/slurmdbd.log)"

job_of() { sed -n 's/^computing in job //p' <<< "$1"; }

# step OPTIONS... -- ARGUMENTS: a step that has ended and is accounted for; $id is its job,
# $rc, $out and $err are srun's.
step() {
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	run srun "${options[@]}" ./usage "$@"
	id=$(job_of "$out")
	wait_until 60 accounted "$id.0" || diag "sacct knows no end of $id.0: $err"
	diag "$(sacct -n -P -j "$id.0" -o jobid,jobname,state,exitcode,usercpu,systemcpu,totalcpu,maxrss,avecpu)"
}

# compare WHAT FIELD: of step $native on Linux and of $inside in an enclave
compare() {
	is "$(account "$inside.0" "$2")" "$(account "$native.0" "$2")" "$1: $2 as on Linux"
}

# close_to GOT EXPECTED NAME: within 15% and 0.5
close_to() {
	if between "$1" "$(awk -v v="$2" 'BEGIN { print v * 0.85 - 0.5 }')" \
		"$(awk -v v="$2" 'BEGIN { print v * 1.15 + 0.5 }')"; then
		pass "$3 ($1 of $2)"
	else
		fail "$3"
		diag "got $1, expected $2"
	fi
}

# one GATHER: a step that uses CPUs and memory, on Linux and in an enclave
one() {
	local used reported
	ok "$1: Slurm keeps accounts" accounting "$1"
	step -c2 --mem=600M -- "$seconds" 2 $mib
	is "$rc" 0 "$1: a step on Linux"
	native=$id
	used=$(in_seconds "$(account "$native.0" totalcpu)")
	ok "$1: its CPU time is that of two CPUs" between "$used" "$seconds" $((seconds * 3))

	step --enclave=lwk -c2 --mem=600M -- "$seconds" 2 $mib
	is "$rc" 0 "$1: the same in an enclave"
	inside=$id
	reported=$(sed -n 's/.*cpu \([0-9.]*\) s.*/\1/p' <<< "$out")
	close_to "$(sed -n 's/.*by times \([0-9.]*\) s.*/\1/p' <<< "$out")" "$reported" \
		"$1: inside, times(2) says what getrusage(2) does"
	diag "it says itself: $out"
	compare "$1" jobname
	compare "$1" state
	compare "$1" exitcode
	close_to "$(in_seconds "$(account "$inside.0" totalcpu)")" "$reported" \
		"$1: sacct's TotalCPU is what the program says itself"
	close_to "$(in_seconds "$(account "$inside.0" totalcpu)")" $((seconds * 2)) \
		"$1: and that of two CPUs, which are all its own"
	close_to "$(in_seconds "$(account "$inside.0" usercpu)")" "$reported" \
		"$1: it is UserCPU"
}

one linux
is "$(account "$inside.0" jobname)" usage "the step's name is the program's"
ok "sacct's MaxRSS has the memory that it touched" \
	between "$(in_mib "$(account "$inside.0" maxrss)")" $mib $((mib + 64))
diag "MaxRSS on Linux $(account "$native.0" maxrss), in the enclave $(account "$inside.0" maxrss)"
like "$out" "peak 2[6-9][0-9]{4} KiB" "getrusage(2) inside says so too"

# While it runs: what sstat says grows.
srun --enclave=lwk -c2 --mem=600M ./usage $((60 * slow)) 2 $mib > watched.txt 2>&1 &
watched=$!
wait_until 120 grep -q computing watched.txt
id=$(job_of "$(< watched.txt)")
sstat_says() { sstat -n -P -j "$id.0" -o "$1" 2> sstat.err | head -n 1; }
ok "sstat: the memory is there" wait_until 30 eval \
	'between "$(in_mib "$(sstat_says maxrss)")" '$mib' '$((mib + 64))
first=$(in_seconds "$(sstat_says avecpu)")
sleep 10
second=$(in_seconds "$(sstat_says avecpu)")
ok "sstat: its CPU time grows by that of two CPUs ($first, $second)" \
	between "$(awk "BEGIN { print $second - $first }")" 14 40
proxy=$(pgrep -x pisces-proxy)
diag "$(grep -E 'VmHWM|VmRSS|RssAnon' "/proc/$proxy/status")" \
	"oom_score_adj $(cat "/proc/$proxy/oom_score_adj"), oom_score $(cat "/proc/$proxy/oom_score")"
ok "Linux's OOM killer does not take the proxy for large" \
	[ "$(cat "/proc/$proxy/oom_score_adj")" -lt 0 ]
kill -KILL "$proxy"
wait $watched 2> /dev/null
ok "a killed one is accounted for" wait_until 60 accounted "$id.0"
killed=$(in_seconds "$(account "$id.0" totalcpu)")
ok "with its CPU time up to then ($killed)" between "$killed" "$second" 200
node_recovers "SIGKILL to the proxy"

# Ends, beside the same ends on Linux.
for how in exit3 segv; do
	step -c1 --mem=300M -- 0.1 1 1 $how
	native=$id native_rc=$rc
	step --enclave=lwk -c1 --mem=300M -- 0.1 1 1 $how
	inside=$id
	is "$rc" "$native_rc" "$how: srun's exit code as on Linux"
	compare $how state
	compare $how exitcode
done

# hangs NAME OPTIONS...: starts one that does; sets hanging and id
hangs() {
	local name=$1
	shift
	: > "$name.txt"
	srun --mem=300M -c1 "$@" ./usage 0.1 1 1 hang > "$name.txt" 2>&1 &
	hanging=$!
	wait_until 120 grep -q used: "$name.txt" || diag "$name: $(cat "$name.txt")"
	id=$(job_of "$(< "$name.txt")")
}
for place in linux inside; do
	hangs scancel-$place $([ $place = linux ] || echo --enclave=lwk)
	scancel "$id"
	wait $hanging
	wait_until 60 accounted "$id.0"
	declare "${place}_id=$id"
done
# shellcheck disable=SC2154 # declared
native=$linux_id inside=$inside_id
compare scancel state
compare scancel exitcode
# Both at once: a minute is the least that Slurm knows.
hangs timeout-linux -t 1
native=$id native_pid=$hanging
hangs timeout-inside -t 1 --enclave=lwk
inside=$id
wait "$native_pid"
wait $hanging
wait_until 60 accounted "$native.0"
wait_until 60 accounted "$inside.0"
compare "time-out" state
compare "time-out" exitcode
node_recovers "a time-out"

# By cgroups: at the end CPU time is the processes', as above. While it runs it is the
# cgroup's, as is memory at all times, and the enclave's is in none: see ADMIN.md.
one cgroup
diag "jobacct_gather/cgroup: MaxRSS on Linux $(account "$native.0" maxrss), in the enclave $(account "$inside.0" maxrss)"

ok "the node is as it was" stop_accounting
node_recovers "after all that"
kernel_log_clean
done_testing
