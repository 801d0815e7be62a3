#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the page tables and the CPU keep the co-kernel itself from: an error of its own
# that writes to its text, runs data, or takes a program's memory for its own ends it there.
# (What programs may not do: t/calls/faults.c.)
. "$(dirname "$0")/lib/node.sh"

kernel_log_start
flags=" $(grep -m1 '^flags' /proc/cpuinfo) "
like "$flags" " smep .* smap | smap .* smep " "this CPU has SMEP and SMAP"

# stops WAY WHAT-IS-DONE: the co-kernel dies of it, not of the "panic" that comes after
stops() {
	limit=60 run pisces run --cpus=1 --mem=128M --append="crash=$1" -- $examples/crash
	is "$rc" 125 "$1: the co-kernel ends"
	like "$err" "page fault in the co-kernel: $2 of" "$1: by a page fault: $(grep died <<< "$err")"
	node_recovers "$1"
}

stops write-text write
stops write-constant write
stops run-data execution
stops run-program execution
stops read-program read
kernel_log_clean
done_testing
