#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A co-kernel that hangs is noticed in time, and nobody else is taken for one.
. "$(dirname "$0")/lib/node.sh"

hang_ms=/sys/module/pisces/parameters/hang_ms
limit_s=$(($(cat $hang_ms) / 1000 + 5))
kernel_log_start
is "$(cat $hang_ms)" 5000 "the module's limit is 5 s"

# hangs WAY OPTIONS: boots with crash=WAY, pulls it; sets took, err and rc.
hangs() {
	local way=$1 start
	shift
	start=$EPOCHREALTIME
	run pisces run --mem=128M --append="crash=$way" "$@" -- $examples/crash
	took=$(echo "$EPOCHREALTIME $start" | awk '{ printf "%d", $1 - $2 }')
}

# One CPU; two, of which the other one is idle; all at once.
for case in hang-irqs-off:1:'CPU [1-3] hangs in the co-kernel' \
	hang-irqs-off:2:'CPU [1-3] hangs in the co-kernel' \
	silent:2:'CPU [1-3] hangs in the co-kernel' \
	deaf:2:'the co-kernel does not answer'; do
	IFS=: read -r way cpus words <<< "$case"
	hangs "$way" --cpus="$cpus" --name="$way"
	is "$rc" 125 "$way on $cpus CPUs: the exit code says that the enclave failed"
	like "$err" "$words: .* for [5-9]" "and in words: $(grep hangs <<< "$err")"
	# What a run takes without a hang is in it, too.
	ok "after $took s, at most $limit_s and 5 for the rest" [ "$took" -le $((limit_s + 5)) ]
	node_recovers "$way"
done
run pisces run --cpus=2 --mem=128M -- $examples/hello
is "$rc" 0 "the next enclave boots"
kernel_log_clean
done_testing
