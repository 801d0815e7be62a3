#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What an administrator sees of an enclave, and what Linux refuses meanwhile.
. "$(dirname "$0")/lib/node.sh"

kernel_log_start

pisces run --cpu-list=2-3 --mem=256M --name=visible -- $examples/spin $((60 * slow)) > spin.txt 2>&1 &
run_pid=$!
ok "an enclave is up" wait_until 60 grep -q computing spin.txt

is "$(cat /sys/devices/system/cpu/online)" 0-1 "its CPUs are offline for Linux"
like "$(cat /proc/iomem)" "pisces enclave" "/proc/iomem names its memory"
like "$(cat /proc/interrupts)" "pisces-visible" "/proc/interrupts names its doorbell"
run pisces list
like "$out" "visible" "pisces list shows it"
like "$out" "2-3" "with its CPUs"
like "$out" "256 MiB" "and its memory"
diag "$out"
run pisces stat visible
is "$rc" 0 "pisces stat"
run pisces console visible
is "$rc" 0 "pisces console"
like "$out" "enclave" "which says what booted"

for cpu in 2 3; do
	if echo 1 2> /dev/null > /sys/devices/system/cpu/cpu$cpu/online; then
		fail "CPU $cpu is not Linux's to bring online"
	else
		pass "CPU $cpu is not Linux's to bring online"
	fi
done
ok "the program still computes" kill -0 $run_pid

run pisces run --cpu-list=2 --mem=128M -- $examples/hello
is "$rc" 1 "a CPU is given away once"
like "$err" "2" "the message names it: $err"

if rmmod pisces 2> /dev/null; then fail "the module stays while it is used"; else pass "the module stays while it is used"; fi

id user > /dev/null 2>&1 || useradd -m user
run runuser -u user -- pisces list
is "$rc" 0 "a plain user may look"
run runuser -u user -- pisces run --cpus=1 --mem=128M -- $examples/hello
is "$rc" 1 "but not take anything"
like "$err" "root|CAP_SYS_ADMIN|privilege" "and is told why: $err"

kill -TERM $run_pid
wait $run_pid
node_recovers "visible"

run pisces run --cpu-list=0 --mem=128M -- $examples/hello
is "$rc" 1 "CPU 0 stays with Linux"

run pisces doctor
is "$rc" 0 "pisces doctor finds this node ready"
diag "$out"

rmmod pisces
run pisces run --cpus=1 --mem=128M -- $examples/hello
is "$rc" 1 "without the module: refused"
like "$err" "modprobe pisces" "with the line that repairs it: $err"
run pisces doctor
is "$rc" 1 "pisces doctor finds it not ready"
like "$out" "modprobe pisces" "and says what to do"
modprobe pisces
run pisces run --cpus=1 --mem=128M -- $examples/hello
is "$rc" 0 "with the module: well again"

kernel_log_clean
done_testing
