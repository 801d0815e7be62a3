#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Whoever is killed, the node gets everything back within 5 s, by itself.
. "$(dirname "$0")/lib/node.sh"

kernel_log_start

start() {
	pisces run --cpus=2 --mem=256M -- "$@" > /dev/null 2>&1 < /dev/zero &
	run_pid=$!
	wait_until 60 eval 'proxy=$(pgrep -x -P '$run_pid' pisces-proxy)' &&
		wait_until 60 eval 'pisces list --json | grep -q "\"tasks\": *1"' ||
		diag "the program did not start"
}

for program in "$examples/spin $((100 * slow))" "busybox cat" "busybox sleep 100"; do
	# shellcheck disable=SC2086 # words are arguments
	start $program
	kill -KILL "$proxy"
	rc=0; wait $run_pid || rc=$?
	is "$rc" 137 "SIGKILL to the proxy of '$program': pisces run says so"
	node_recovers "SIGKILL to the proxy of '$program'"

	# shellcheck disable=SC2086
	start $program
	kill -KILL $run_pid
	wait $run_pid 2> /dev/null
	node_recovers "SIGKILL to pisces run of '$program'"
	ok "its proxy is gone too" wait_until 30 eval '! kill -0 '"$proxy"' 2> /dev/null'
done

# Killed while it boots.
for delay in 0.1 0.3 0.5 0.8; do
	pisces run --cpus=3 --mem=512M -- $examples/spin $((100 * slow)) > /dev/null 2>&1 &
	run_pid=$!
	sleep $delay
	kill -KILL $run_pid
	wait $run_pid 2> /dev/null
	node_recovers "SIGKILL to pisces run ${delay} s after its start"
done

run pisces run --cpus=3 --mem=256M -- $examples/hello
is "$rc" 0 "the next program runs"
kernel_log_clean
done_testing
