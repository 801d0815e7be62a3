#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Hostile programs: threads that change what the kernel is just looking at, and signals that
# cause signals. Each ends as on Linux, with the same output, and the enclave lives on: a
# co-kernel that panics, or that Linux takes for hanging, makes the exit code 125.
node_files="t/hostile/exec t/hostile/threads t/hostile/signals t/hostile/pipes"
. "$(dirname "$0")/lib/node.sh"

kernel_log_start

# same WHAT RC COMMAND...: on Linux and in an enclave of three CPUs
same() {
	local what=$1 expected=$2
	shift 2
	run "$@"
	is "$rc" "$expected" "$what: on Linux"
	linux=$out
	limit=60 run pisces run --cpus=3 --mem=512M -- "$@"
	is "$rc" "$expected" "$what: in an enclave"
	is "$out" "$linux" "$what: with the same output"
	[ "$rc" = "$expected" ] || diag "$err"
}

same "regions cut while a large page comes" 0 ./threads mapping
same "CPUs taken while one is looked for" 0 ./threads affinity
same "a futex word that always changes" 0 ./threads futex
same "and the process ends meanwhile" 7 ./threads leave
same "waits that signals interrupt" 0 ./threads waits
same "more timers than a CPU can serve" 0 ./signals timers
same "a sequence whose memory is gone" 139 ./signals sequence
same "a SIGSEGV handler at no address" 139 ./signals handler 0

same "threads that execute, all at once, while others make threads" 0 ./exec race

same "pipes that threads take from each other" 0 ./pipes race
same "as many pipes as there can be" 0 ./pipes many

# With staged I/O the limits are the enclave's: there is not even memory for what is written.
ulimit -n 20000
limit=100 run pisces run --cpus=1 --mem=128M --io=staged -- ./pipes many
is "$rc" 0 "the same in a stage: no memory is a write's error, and no more"
is "$out" "$linux" "with the same output"
diag "$err"

# On Linux this takes minutes.
limit=60 run pisces run --cpus=2 --mem=512M -- ./signals handler 64
is "$rc" 139 "the same, with a stack of 64 GiB, ends at once"

limit=60 run pisces run --cpus=3 --mem=256M -- ./signals storm
like "$rc" '^(0|139)$' "a storm of signals: $rc, as the stack lasts or not"
[ "$rc" != 125 ] || diag "$err"

run ./signals owner
is "$rc" 0 "locks of a process that ends: on Linux"
linux=$out
limit=60 run pisces run --cpus=2 --mem=256M --tasks=2 -- ./signals owner
is "$rc" 0 "in an enclave"
is "$out" "$linux" "the other one gets all of them, and is told"
diag "$err"

# Killed at any moment of it, the proxy first or who started it.
bad=
for i in {1..6}; do
	pisces run --cpus=3 --mem=256M --name=exec -- ./exec endless > out 2>&1 &
	pid=$!
	proxy=
	wait_until 30 eval 'proxy=$(pgrep -x -P $pid pisces-proxy)' || bad+="round $i: $(cat out)"$'\n'
	sleep "$((RANDOM % 2)).$((RANDOM % 10))"
	if ((i % 2)); then
		kill -9 "$proxy"
	else
		kill -9 $pid
	fi
	wait $pid
	wait_until 60 node_whole || bad+="round $i: the node is not whole"$'\n'
done
is "$bad" "" "killed 6 times while they execute"

run pisces run --cpus=1 --mem=128M -- $examples/hello
is "$rc" 0 "the next enclave runs"
node_recovers "after all that"
kernel_log_clean
done_testing
