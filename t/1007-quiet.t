#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A computing program is not interrupted, whatever Linux does: 5 s under
# stress-ng on the stock kernel command line, and the enclave's own counters
# have not moved.
. "$(dirname "$0")/lib/node.sh"

interrupts() {
	pisces stat quiet --json | grep -o '"interrupts": *[0-9]*' | grep -o '[0-9]*$' | xargs
}

unlike "$(cat /proc/cmdline)" "isolcpus|no_ipi_broadcast|maxcpus|nohz_full" \
	"the kernel command line is a stock one: $(cat /proc/cmdline)"

pisces run --cpus=2 --mem=256M --name=quiet -- $examples/spin $((25 * slow)) 2 > spin.txt 2>&1 &
run_pid=$!
ok "two threads compute in the enclave" wait_until 60 grep -q computing spin.txt

stress-ng --quiet --cpu 1 --switch 1 --mmap 1 --mmap-bytes 64M --timer 1 --membarrier 1 \
	--timeout $((12 * slow)) &
stress=$!
sleep 2
before=$(interrupts)
start=$EPOCHREALTIME
sleep 5
# Broadcasts of Linux: memory barriers, TLB flushes, cache drops, on top of stress-ng.
echo 3 > /proc/sys/vm/drop_caches
after=$(interrupts)
end=$EPOCHREALTIME

diag "interrupts of each CPU before: $before, after: $after, in $(echo "$end $start" | awk '{ print $1 - $2 }') s"
like "$before" "^[0-9]+ [0-9]+$" "both CPUs count"
is "$after" "$before" "no interrupt at all in 5 s"
wait $stress
wait $run_pid
is $? 0 "the program ends well"
node_recovers "quiet"
done_testing
