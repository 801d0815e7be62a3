#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# pisces run: several tasks, labels, another user, the times of each step; and the
# ways to look at an enclave while it is there.
. "$(dirname "$0")/lib/node.sh"

kernel_log_start

# Several tasks, each on CPUs of its own; the highest exit code is that of all.
run pisces run --cpus=3 --mem=256M --tasks=3 --label -- \
	busybox sh -c 'echo "I am $PISCES_TASK_ID of $PISCES_TASKS"; echo oops >&2; exit $PISCES_TASK_ID'
is "$rc" 2 "three tasks with exit codes 0, 1, 2: the highest"
is "$(sort <<< "$out")" "0: I am 0 of 3
1: I am 1 of 3
2: I am 2 of 3" "output is labelled with the task"
is "$(sort <<< "$err")" "0: oops
1: oops
2: oops" "so is stderr"

run pisces run --cpus=1 --mem=128M --tasks=2 --label -- busybox printf 'no newline'
is "$(sort <<< "$out")" "0: no newline
1: no newline" "two tasks share a CPU; a last line gets its newline"

run pisces run --cpus=1 --mem=128M --tasks=2 -- busybox sh -c \
	'[ $PISCES_TASK_ID = 1 ] || kill -SEGV $$'
is "$rc" 139 "one task died by a signal: 128 + 11"

out=$(echo input | pisces run --cpus=1 --mem=128M --tasks=2 --label -- busybox cat)
is "$out" "0: input" "task 0 has the standard input, and only task 0"

# A long line is not cut off, 100,000 lines are all there.
lines=$(pisces run --cpus=2 --mem=128M --tasks=2 --label -- busybox seq 50000 | sort -u | wc -l)
is "$lines" 100000 "100,000 labelled lines"

# Another user.
id user > /dev/null 2>&1 || useradd -m user
run pisces run --cpus=1 --mem=128M --user=user -- busybox id -u
is "$out" "$(id -u user)" "--user: her uid"
run pisces run --cpus=1 --mem=128M --user=user -- busybox env
is "$(grep -E '^(HOME|USER|LOGNAME)=' <<< "$out" | sort)" "HOME=$(getent passwd user | cut -d: -f6)
LOGNAME=user
USER=user" "her home and name"
run pisces run --cpus=1 --mem=128M --user=user -- busybox cat /etc/shadow
unlike "$rc" '^0$' "and her rights: $err"

# What it cost.
run pisces run -v --cpus=2 --mem=128M -- "$examples/hello"
is "$rc" 0 "pisces run -v"
like "$err" "CPUs 2-3 taken in [0-9.]+ ms" "the CPUs"
like "$err" "128 MiB of memory taken in [0-9.]+ ms" "the memory"
like "$err" "booted in [0-9.]+ ms" "the boot"
like "$err" "first instruction after [0-9.]+ ms" "the first instruction"
like "$err" "given back in [0-9.]+ ms" "the end"
diag "$err"

# Signals while it boots or loads: it ends as the signal does, all is given back.
codes=
for delay in 0 0.2 0.3 0.4 0.5 0.6; do
	pisces run --cpus=3 --mem=256M -- "$examples/spin" $((100 * slow)) > out.txt 2>&1 &
	run_pid=$!
	wait_until 60 eval 'pisces list --json | grep -q "\"state\""' || diag "no enclave came up"
	sleep $delay
	kill -TERM $run_pid
	rc=0; wait $run_pid || rc=$?
	codes+=" $rc"
	[ $rc = 143 ] || diag "after $delay s: $(cat out.txt)"
done
is "$codes" " 143 143 143 143 143 143" "SIGTERM at any time ends it as the signal does"
node_recovers "SIGTERM"

# Two of the same name, on a node that many use.
: > out.txt
pisces run --cpus=1 --mem=128M --name=twin -- "$examples/spin" $((100 * slow)) > out.txt 2>&1 &
first=$!
ok "the first twin computes" wait_until 60 grep -q computing out.txt
pisces run --cpus=1 --mem=128M --name=twin -- "$examples/spin" $((100 * slow)) > out2.txt 2>&1 &
second=$!
ok "the second twin computes" wait_until 60 grep -q computing out2.txt
run pisces stat twin
is "$rc" 1 "which of two?"
like "$err" "2 enclaves .*'twin'.*by number" "the message says how to tell: $err"
number=$(pisces list --json | grep -o '"number": *[0-9]*' | grep -o '[0-9]*$' | head -n 1)
run pisces stat "$number"
is "$rc" 0 "by its number"
like "$out" "user" "its CPU is in the program"
run pisces stat "$number" --json
like "$out" '"name": "twin"' "the same for programs: its name"
like "$out" '"interrupts": [0-9]+' "and its counters"
run pisces stat triplet
like "$err" "there are: .*twin" "a name that there is not: the others are named: $err"

# Several that are started at once each get a CPU, though each plans on its own.
kill -TERM $first $second
wait $first $second
node_recovers "the twins"
runs=()
for i in 1 2 3; do
	pisces run --cpus=1 --mem=64M -- "$examples/hello" > out-$i.txt 2>&1 &
	runs+=($!)
done
failed=0
for i in "${runs[@]}"; do
	wait "$i" || failed=$((failed + 1))
done
is $failed 0 "three of one CPU each, started at once: $(cat out-[123].txt | grep enclave: | head -3)"
: > out.txt
pisces run --cpus=1 --mem=128M --name=twin -- "$examples/spin" $((100 * slow)) > out.txt 2>&1 &
first=$!
ok "another one computes" wait_until 60 grep -q computing out.txt
number=$(pisces list --json | grep -o '"number": *[0-9]*' | grep -o '[0-9]*$' | head -n 1)

# The console: all until now, or until the end.
pisces console --follow "$number" > console.txt &
follower=$!
ok "the console says what booted" wait_until 20 grep -q co-kernel console.txt
kill -TERM $first
wait $first
ok "pisces console --follow ends with the enclave" wait_until 20 eval '! kill -0 '$follower' 2> /dev/null'
wait $follower
is $? 0 "and well"

run pisces run --cpus=1 --mem=64M --image=/etc/passwd -- true
is "$rc" 1 "an image that is none"
like "$err" "/etc/passwd is not an image" "says so: $err"

# Its console goes with the enclave, so pisces run shows what a dead co-kernel said.
run pisces run --cpus=2 --mem=128M --append=crash=fault -- "$examples/crash"
is "$rc" 125 "the co-kernel dies"
like "$err" "enclave: console: .*panic" "its last words are on stderr"
like "$err" "enclave: console: .*rip " "with the registers"

node_recovers "after all that"
kernel_log_clean
done_testing
