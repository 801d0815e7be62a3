#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Memory shared by descriptor and by name: in one program, and between the tasks of an
# enclave.
node_files="t/memory-shared"
. "$(dirname "$0")/lib/node.sh"

kernel_log_start

run ./memory-shared
is "$rc" 0 "what is tested here is so on Linux"
diag "$(grep '^not ok' <<< "$out")"
run pisces run --cpus=2 --mem=512M -- ./memory-shared
is "$rc" 0 "and in an enclave"
diag "$(grep '^not ok' <<< "$out")" "$err"
is "$(grep -c '^ok' <<< "$out")" "$(sed -n 's/^1\.\.//p' <<< "$out")" "in all of it"

for tasks in 2 3; do
	run pisces run --cpus=3 --mem=256M --tasks=$tasks -- ./memory-shared $tasks
	is "$rc" 0 "$tasks tasks share memory, a mutex and a barrier"
	is "$(grep -c '^ok' <<< "$out")" $((5 * tasks)) "each of them"
	unlike "$out" "not ok" "and all see the same"
	diag "$err"
done
run pisces run --cpus=1 --mem=128M -- ./memory-shared 1
is "$rc" 0 "the next enclave has none of that"
is "$(ls /dev/shm | grep -c -e ranks -e memory-test)" 0 "nor has Linux's /dev/shm"

node_recovers "after all that"
kernel_log_clean
done_testing
