#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Memory by each of the three ways: taken of the right node, guarded, and given back as it was.
# LONG=yes: more moments to be killed at, and 20 enclaves by each way.
limit_file=1200
node_env="LONG"
node_files="t/used-memory"
. "$(dirname "$0")/lib/node.sh"

cycles=3
delays="0.2 0.7"
if [ "${LONG:-}" ]; then
	cycles=20
	delays="0.1 0.2 0.3 0.45 0.6 0.8 1.0 1.5"
fi
blocks=/sys/devices/system/memory
block=$((0x$(cat $blocks/block_size_bytes)))
mib=$((block / 1048576))

# State and zone of each block: what must be the same again. (Where a block may go to
# changes with its neighbours: the first zone is the one it is in, or goes to by itself.)
layout() {
	grep -H . "$blocks"/memory[0-9]*/state "$blocks"/memory[0-9]*/valid_zones 2> /dev/null |
		sed 's/.*memory\([0-9]*\)/\1/; s/ .*//' | sort
}
total() { awk '/^MemTotal:/ { print $2 }' /proc/meminfo; }
# It may be more: what Linux has reserved at its boot to describe a block is ordinary
# memory once the block was removed.
memory_is_back() { [ "$(layout)" = "$layout" ] && [ "$(total)" -ge "$total" ]; }

# memory_recovers WHAT: as node_recovers, and all blocks are online in their zones
memory_recovers() {
	if wait_until 60 eval 'node_whole && memory_is_back'; then
		pass "$1: all is Linux's again, in the same zones"
	else
		fail "$1: all is Linux's again, in the same zones"
		diag "$(diff <(echo "$layout") <(layout))"
		diag "MemTotal $total before, $(total) now; $(grep pisces /proc/iomem)"
		pisces reclaim
	fi
}

kernel_log_start
layout=$(layout)
total=$(total)
diag "blocks of $mib MiB: $(grep -c state <<< "$layout")"

start() { # WAY: an enclave with two blocks of node 1
	: > spin.txt
	pisces run --cpu-list=2-3 --mem=$((2 * mib))M --mem-way="$1" --name="$1" -- \
		$examples/spin $((100 * slow)) > spin.txt 2> spin.err < /dev/null &
	run_pid=$!
	wait_until 60 grep -q computing spin.txt || diag "it did not start: $(cat spin.err)"
}

for way in contig block remove; do
	run pisces run --cpus=2 --mem=$((2 * mib))M --mem-way=$way -- $examples/hello
	is "$rc" 0 "way $way: a program runs"
	diag "$err"
	memory_recovers "way $way"

	# Most of what Linux has free was some program's a moment ago.
	./used-memory fill $(($(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo) * 7 / 10 / 1024))
	run pisces run --cpus=2 --mem=$((2 * mib))M --mem-way=$way -- ./used-memory look $((2 * mib * 3 / 4))
	is "$out" "not zero: 0 words, 0 the second time" "way $way: nothing of Linux's is in it, nor its own"
	diag "$err"
	memory_recovers "way $way, with used memory"

	start $way
	ranges=$(pisces list --json)
	bases=$(grep 'pisces enclave' /proc/iomem | sed 's/^ *//; s/-.*//')
	ok "way $way: /proc/iomem shows it" test -n "$bases"
	diag "$(grep -B1 'pisces enclave' /proc/iomem | tr '\n' ';') $(cat spin.err)"
	if [ $way != contig ] && ! grep -q instead spin.err; then
		gone=$((total - $(total)))
		# remove gives Linux what it had reserved to describe the block, 64 bytes a page
		[ $way = remove ] && least=$((2 * (block - block / 64) / 1024)) || least=$((2 * block / 1024))
		ok "way $way: Linux has two blocks less: $gone KiB" \
			test $gone -ge $least -a $gone -le $((2 * block / 1024))
		for base in $bases; do
			number=$((0x$base / block))
			if [ $way = remove ]; then
				ok "block $number does not exist for Linux" test ! -e "$blocks/memory$number"
				continue
			fi
			is "$(cat "$blocks/memory$number/state")" offline "block $number is offline"
			ok "block $number is of node 1" test -e "$blocks/memory$number/node1"
			if echo online 2> /dev/null > "$blocks/memory$number/state"; then
				fail "block $number is not to be brought online"
			else
				pass "block $number is not to be brought online"
			fi
		done
		if rmmod pisces 2> /dev/null; then fail "the module stays"; else pass "the module stays"; fi
	fi
	run pisces reclaim
	is "$rc" 0 "way $way: pisces reclaim leaves a live enclave alone"
	ok "way $way: it still computes" kill -0 $run_pid
	kill -KILL $run_pid
	wait $run_pid 2> /dev/null
	memory_recovers "way $way, SIGKILL to pisces run"
done
like "$ranges" "." "pisces list --json: the last one"

for way in block remove; do
	for delay in $delays; do
		pisces run --cpus=2 --mem=$((3 * mib))M --mem-way=$way -- $examples/spin $((100 * slow)) \
			> /dev/null 2>&1 < /dev/null &
		run_pid=$!
		sleep $delay
		kill -KILL $run_pid
		wait $run_pid 2> /dev/null
		memory_recovers "way $way, SIGKILL $delay s after its start"
	done
done

# What a way cannot give comes by the next one, and that is said.
run pisces run --cpu-list=2-3 --mem=$((mib / 2))M --mem-way=block -- $examples/hello
is "$rc" 0 "less than a block"
like "$err" "whole blocks of .* more" "is rounded up, and the user told: $err"
memory_recovers "half a block"

# As much as block can hardly have: each MiB is of a block that is offline, or of what the
# user was told comes by the next way.
want=$((10 * mib))
: > spin.txt
pisces run --cpu-list=2-3 --mem=${want}M --mem-way=block -- $examples/spin $((100 * slow)) > spin.txt 2> spin.err < /dev/null &
run_pid=$!
if wait_until 120 eval 'grep -q computing spin.txt || ! kill -0 $run_pid 2> /dev/null' && grep -q computing spin.txt; then
	instead=$(sed -n 's/.*took \([0-9]*\) MiB of NUMA node 1 by way contig instead.*/\1/p' spin.err)
	offline=$(layout | grep -c offline)
	is $((offline * mib + ${instead:-0})) $want "$want MiB: $offline blocks, and ${instead:-no} MiB more, as was said"
else
	like "$(cat spin.err)" "NUMA node 1 .*can free" "$want MiB cannot be had, and the message says how much"
fi
diag "$(cat spin.err)"
kill -TERM $run_pid 2> /dev/null
wait $run_pid
memory_recovers "a large request"

# Nothing can be brought online by a program that is not there; nothing is forgotten.
echo /nonexistent > /sys/module/pisces/parameters/reclaim
run pisces run --cpu-list=2-3 --mem=${mib}M --mem-way=block -- $examples/hello
is "$rc" 0 "without the program that the module starts"
like "$(layout | grep -c offline)" "^1$" "one block is offline still"
like "$(dmesg | tail -3)" "run as root: pisces reclaim" "the kernel log says what to do"
if rmmod pisces 2> /dev/null; then fail "the module stays for it"; else pass "the module stays for it"; fi
pisces reclaim & first=$!
pisces reclaim & second=$!
ok "pisces reclaim" wait $first
ok "and another at the same time" wait $second
memory_recovers "two at once"
run pisces reclaim
is "$rc" 0 "and once more"
echo /usr/bin/pisces > /sys/module/pisces/parameters/reclaim
is "$(< /sys/module/pisces/parameters/reclaim)" /usr/bin/pisces "reclaim is a parameter"
if echo pisces 2> /dev/null > /sys/module/pisces/parameters/reclaim; then
	fail "which takes a path from / on"
else
	pass "which takes a path from / on"
fi

# The site's default.
echo block > /sys/module/pisces/parameters/memory_way
is "$(cat /sys/module/pisces/parameters/memory_way)" block "memory_way is a parameter"
run pisces run --cpu-list=2-3 --mem=$((mib / 2))M -- $examples/hello
like "$err" "way block takes whole blocks" "which counts if the request does not say"
if echo other 2> /dev/null > /sys/module/pisces/parameters/memory_way; then
	fail "another word is refused"
else
	pass "another word is refused"
fi
echo contig > /sys/module/pisces/parameters/memory_way

# Again and again, while programs use memory and files.
mkdir -p load
( while :; do dd if=/dev/zero of=load/file bs=1M count=200 status=none; rm -f load/file; done ) &
load_pid=$!
for way in block remove; do
	failed=0
	for i in $(seq "$cycles"); do
		pisces run --cpus=$((i % 3 + 1)) --mem=$((i % 2 * mib + mib))M --mem-way=$way -- \
			$examples/hello > out.txt 2>&1 || {
			failed=$((failed + 1))
			diag "cycle $i: $(cat out.txt)"
		}
		grep -q instead out.txt && diag "cycle $i: $(grep instead out.txt)"
	done
	is $failed 0 "way $way: $cycles enclaves after each other under load"
	memory_recovers "way $way under load"
done
kill $load_pid
wait $load_pid 2> /dev/null
if rmmod pisces; then pass "nothing holds the module"; else fail "nothing holds the module"; fi
modprobe pisces
kernel_log_clean
done_testing
