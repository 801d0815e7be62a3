#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Enclaves come and go, with CPUs, sizes, ways of memory and ends by chance, some at the
# same time as others, while Linux is short of memory and busy: then nothing is missing.
#
#   CYCLES=N  how many (default 50)     SEED=N  repeats what a run that printed it did
node_env="CYCLES SEED"
limit_file=${LIMIT:-1200}
. "$(dirname "$0")/lib/node.sh"

cycles=${CYCLES:-50}
RANDOM=${SEED:-$((RANDOM % 32768))}
diag "SEED=${SEED:=$RANDOM} repeats this"
RANDOM=$SEED

# The ways that this module and this kernel have.
ways=(contig)
for way in block remove; do
	run pisces run --cpus=1 --mem=128M --mem-way=$way -- $examples/hello
	if [ "$rc" = 0 ]; then
		ways+=("$way")
	else
		diag "without way $way: $err"
	fi
done
wait_until 30 node_whole || diag "a way did not give back"

settled() {
	sync
	echo 3 > /proc/sys/vm/drop_caches
	mem_free_kib
}

kernel_log_start
memory_online=$(grep -l online /sys/devices/system/memory/memory*/state | wc -l)
free=$(settled)

stress-ng --quiet --vm 1 --vm-bytes 40% --vm-keep --io 1 --fork 1 --timeout 0 > /dev/null 2>&1 &
stress=$!

declare -A ends=()

# ended RC EXPECTED KIND CPUS: says how it ended. Linux may be too short of memory for it; then
# the user is told how much there is.
ended() {
	local last

	last=$(tail -n 1 "out.$4")
	if [ "$1" = "$2" ]; then
		echo "$3"
	elif [ "$1" = 1 ] && [[ $last == *"MiB of memory were asked of NUMA node"*"can free"* ]]; then
		echo refused
	else
		echo "bad: $3: exit code $1: $last"
	fi
}

# cycle CPUS MEM WAY KIND DELAY: one enclave on these CPUs. Whoever calls it has rolled
# the dice: in a subshell, bash would do it anew.
cycle() {
	local cpus=$1 mem=$2 way=$3 kind=$4 delay=$5 rc=0 pid proxy
	local options=(--cpu-list="$cpus" --mem="${mem}M" --mem-way="$way")

	[ "$way" = contig ] || options=(--cpu-list="$cpus" --mem=128M --mem-way="$way")
	case $kind in
	0) # the co-kernel
		pisces run "${options[@]}" --append=crash=panic -- $examples/crash \
			> "out.$cpus" 2>&1 || rc=$?
		ended $rc 125 panic "$cpus" ;;
	1 | 2) # whoever holds it, at any time
		pisces run "${options[@]}" -- $examples/spin $((100 * slow)) > "out.$cpus" 2>&1 &
		pid=$!
		sleep "$((delay / 1000)).$(printf %03d $((delay % 1000)))"
		kill -KILL $pid
		wait $pid 2> /dev/null
		echo run ;;
	3) # the proxy
		pisces run "${options[@]}" -- $examples/spin $((100 * slow)) > "out.$cpus" 2>&1 &
		pid=$!
		if wait_until 60 eval 'proxy=$(pgrep -x -P '$pid' pisces-proxy) || ! kill -0 '$pid' 2> /dev/null'; then
			[ -z "$proxy" ] || kill -KILL "$proxy"
		fi
		wait $pid 2> /dev/null || rc=$?
		ended $rc 137 proxy "$cpus" ;;
	*)
		pisces run "${options[@]}" -- $examples/hello > "out.$cpus" 2>&1 || rc=$?
		ended $rc 0 none "$cpus" ;;
	esac
}

bad=
for ((i = 0; i < cycles; )); do
	# CPUs of one enclave, or of two or three at once, interleaved.
	case $((RANDOM % 6)) in
	0) sets=(1 2 3) ;;
	1) sets=(1,3 2) ;;
	2) sets=(2,3 1) ;;
	3) sets=(1-3) ;;
	4) sets=($((1 + RANDOM % 3))) ;;
	5) sets=($((1 + RANDOM % 2)),3) ;;
	esac
	pids=()
	for set in "${sets[@]}"; do
		i=$((i + 1))
		dice=($((64 + RANDOM % 192)) "${ways[RANDOM % ${#ways[@]}]}" $((RANDOM % 8))
			$((RANDOM % 1500)))
		cycle "$set" "${dice[@]}" > "said.$set" &
		pids+=($!)
	done
	wait "${pids[@]}"
	for set in "${sets[@]}"; do
		while read -r line; do
			case $line in
			bad:*) bad+="cycle $i, CPUs $set: $line"$'\n' ;;
			*) ends[$line]=$((${ends[$line]:-0} + 1)) ;;
			esac
		done < "said.$set"
	done
	wait_until 30 node_whole || {
		bad+="cycle $i: the node is not whole 30 s later"$'\n'
		break
	}
done
kill $stress
wait $stress 2> /dev/null

is "$bad" "" "$i cycles, each of which ends as it must"
refused=${ends[refused]:-0}
ok "$refused were refused for want of memory, not more than 5 %" [ $((20 * refused)) -le $i ]
for end in none run proxy panic; do
	diag "$end: ${ends[$end]:-0} times"
done
node_recovers "$i cycles"
is "$(cat /sys/devices/system/cpu/present)" "$node_cpus" "all CPUs are present"
ok "all memory blocks are online" wait_until 30 eval \
	'[ "$(grep -l online /sys/devices/system/memory/memory*/state | wc -l)" = '"$memory_online"' ]'
free_now=$(settled)
ok "no memory is lost: $free KiB free before, $free_now KiB now" \
	[ "$free_now" -gt $((free - 65536)) ]
ok "no descriptor holds the module" wait_until 30 eval '[ "$(cat /sys/module/pisces/refcnt)" = 0 ]'
run pisces run --cpus=3 --mem=256M -- $examples/hello
is "$rc" 0 "the next program runs"
kernel_log_clean
done_testing
