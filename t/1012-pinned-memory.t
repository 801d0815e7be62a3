#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Memory blocks that Linux can never empty, as a program has pinned pages in them: the
# user waits for a bounded time, gets her memory by the next way, and hears why.
node_files="t/pin-memory"
limit_file=900
. "$(dirname "$0")/lib/node.sh"

kernel_log_start
mib=$((16#$(< /sys/devices/system/memory/block_size_bytes) >> 20))
node=1
sync
echo 3 > /proc/sys/vm/drop_caches
free=$(awk '/MemFree/ { print int($4 / 1024) }' /sys/devices/system/node/node$node/meminfo)

# What is not filled is less than a block, so that each has a page of the program.
mkfifo hold
exec 9<> hold
numactl --membind=$node ./pin-memory $((free - mib / 2)) $mib < hold > pinned.txt 2>&1 9>&- &
pin_pid=$!
ok "pages of all blocks are pinned" wait_until 60 grep -q pinned pinned.txt
blocks=$(ls -d /sys/devices/system/node/node$node/memory[0-9]* | wc -l)
pinned=$(grep -o '[0-9]*' pinned.txt)
diag "$(cat pinned.txt), of $blocks on NUMA node $node"
# Of those that are nobody's Linux may be able to give some.
want=$(((blocks - pinned + 1) * mib))

for way in block remove; do
	SECONDS=0
	run pisces run --cpu-list=2 --mem=${want}M --mem-way=$way -- $examples/hello
	is "$rc" 0 "way $way: the program runs, after $SECONDS s"
	like "$err" "way $way: Linux did not free more in 60 s; took .* of NUMA node $node by way" \
		"and the user hears why not so: $err"
	ok "after at most 110 s" [ $SECONDS -le $((110 * slow)) ]
	like "$(kernel_log)" "memory block .* could not empty it in 20 s" \
		"and the administrator which block"
	node_recovers "way $way"
done

# A signal is heard before the limit.
pisces run --cpu-list=2 --mem=${want}M --mem-way=block -- $examples/hello > out.txt 2>&1 &
run_pid=$!
sleep 3
SECONDS=0
kill -TERM $run_pid
rc=0; wait $run_pid || rc=$?
ok "SIGTERM meanwhile: the end, after $SECONDS s" [ $SECONDS -le $((5 * slow)) ]
is "$rc" 143 "  its exit code"
node_recovers "SIGTERM"

exec 9>&-
wait $pin_pid
run pisces run --cpu-list=2 --mem=${mib}M --mem-way=block -- $examples/hello
is "$rc" 0 "without the pinned pages"
is "$err" "" "block gives it: ${err:-no message}"
node_recovers "block"
kernel_log_clean
done_testing
