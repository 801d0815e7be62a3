#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How programs and co-kernels die, and what the user hears of it.
. "$(dirname "$0")/lib/node.sh"

kernel_log_start

run pisces run --cpus=1 --mem=128M -- $examples/fault
is "$rc" 139 "a fault: died by SIGSEGV"
like "$err" "address 0x" "the message has the address: $err"
like "$err" "rip 0x" "and the instruction"

run pisces run --cpus=1 --mem=128M -- busybox sh -c 'kill -ABRT $$'
is "$rc" 134 "abort: died by SIGABRT"

run pisces run --cpus=1 --mem=128M -- $examples/hog 300
is "$rc" 137 "more memory than the enclave has: killed, as Linux would do it"
is "$out" reserved "when it was touched, not when it was reserved"
like "$err" "out of memory: the enclave has 1[0-9]* MiB" "the message says what the enclave had: $err"
like "$err" "in a mapping of 30[0-9]* KiB" "and what was asked for"

# Signals from outside, to a program that computes and to one that waits.
for signal in TERM:143 INT:130 KILL:137; do
	name=${signal%:*} status=${signal#*:}
	# A shell lets its background programs ignore SIGINT.
	env --default-signal=INT pisces run --cpus=1 --mem=128M --name=victim -- \
		$examples/spin $((60 * slow)) > /dev/null 2>&1 &
	run_pid=$!
	wait_until 60 eval 'proxy=$(pgrep -x -P '$run_pid' pisces-proxy)' || diag "no proxy came up"
	wait_until 60 eval 'pisces list --json | grep -q "\"tasks\": *1"'
	kill -$name "$proxy"
	rc=0; wait $run_pid || rc=$?
	is "$rc" "$status" "SIG$name to a computing program: status $status"
done

# A pipe that somebody could still write to.
mkfifo pipe
exec 9<> pipe
pisces run --cpus=1 --mem=128M -- busybox cat < pipe 9>&- > /dev/null 2>&1 &
run_pid=$!
wait_until 60 eval 'proxy=$(pgrep -x -P '$run_pid' pisces-proxy)'
wait_until 60 eval 'pisces list --json | grep -q "\"tasks\": *1"'
kill -TERM $run_pid
rc=0; wait $run_pid || rc=$?
is "$rc" 143 "SIGTERM to pisces run reaches a program that waits for input"
exec 9>&-

run pisces run --cpus=1 --mem=128M -- $examples/handler
is "$rc" 0 "a program handles its own signals"
diag "$out"

node_recovers "programs died"

# The co-kernel itself dies.
for way in fault panic; do
	run pisces run --cpus=2 --mem=128M --append="crash=$way" -- $examples/crash
	is "$rc" 125 "the co-kernel dies ($way): the proxy says so by its own exit code"
	like "$err" "co-kernel .*died" "and in words: $err"
	node_recovers "co-kernel died ($way)"
done

pisces run --cpus=1 --mem=128M --append="crash=fault" --name=dying -- $examples/crash 5 \
	> /dev/null 2>&1 &
run_pid=$!
wait_until 60 eval 'pisces list --json | grep -q "\"tasks\": *1"'
run pisces console --follow dying
wait $run_pid
console=$out
like "$console" "rip" "the console has the registers"
like "$console" "at ffffffff8" "and a backtrace"

run pisces run --cpus=1 --mem=128M -- $examples/hello
is "$rc" 0 "the next enclave boots"
node_recovers "after all that"
kernel_log_clean
done_testing
