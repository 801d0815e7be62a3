#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Twenty enclaves after each other leave the node as it was.
limit_file=900
. "$(dirname "$0")/lib/node.sh"

cycles=20

# One life first: what Linux allocates once (caches, threads of CPUs) is not a leak.
pisces run --cpus=3 --mem=512M -- $examples/hello > /dev/null
settle() { sync; echo 3 > /proc/sys/vm/drop_caches; sleep 1; }

kernel_log_start
settle
before=$(mem_free_kib)
irqs_before=$(awk '{ print $1 }' /proc/interrupts)

failed=0
for i in $(seq $cycles); do
	cpus=$((i % 3 + 1))
	size=$((i % 4 * 128 + 128))
	pisces run --cpus=$cpus --mem=${size}M -- $examples/hello > out.txt 2>&1 || {
		failed=$((failed + 1))
		diag "cycle $i ($cpus CPUs, $size MiB): $(cat out.txt)"
	}
done
is $failed 0 "$cycles enclaves after each other, 1 to 3 CPUs, 128 to 512 MiB"

node_recovers "20 enclaves"
is "$(cat /sys/devices/system/cpu/online)" "$node_cpus" "all CPUs are online"
settle
after=$(mem_free_kib)
diag "free: $before KiB before, $after KiB after $cycles lives"
ok "what is free is within 2 MiB per life" test $((before - after)) -le $((cycles * 2048))
is "$(awk '{ print $1 }' /proc/interrupts)" "$irqs_before" "/proc/interrupts has the same lines"
for cpu in 1 2 3; do
	ok "CPU $cpu runs programs again" taskset -c $cpu true
done
kernel_log_clean
done_testing
