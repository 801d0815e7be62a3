#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Memory as programs use it: the same program on Linux and in an enclave that has less
# than what it reserves.
node_files="t/memory-calls"
. "$(dirname "$0")/lib/node.sh"

kernel_log_start

run ./memory-calls
is "$rc" 0 "what is tested here is so on Linux"
diag "$(grep '^not ok' <<< "$out")"
run pisces run --cpus=2 --mem=256M -- ./memory-calls --enclave
is "$rc" 0 "and in an enclave of 256 MiB"
diag "$(grep '^not ok' <<< "$out")" "$err"
is "$(grep -c '^ok' <<< "$out")" "$(sed -n 's/^1\.\.//p' <<< "$out")" "in all of it"

run pisces run --cpus=1 --mem=128M -- $examples/hog 300
is "$rc" 137 "a program that needs more than there is dies"
like "$err" "out of memory: the enclave has 1[0-9]* MiB" "and hears why: $err"
run pisces run --cpus=1 --mem=128M -- $examples/hog 90
is "$rc" 0 "one that fits runs"

node_recovers "after all that"
kernel_log_clean
done_testing
