# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What is checked on a node with a machine out of the ordinary: that it is what
# $PISCES_MACHINE says, and that CPUs go to an enclave and come back on it.

# shellcheck source=t/lib/node.sh
. "$(dirname "$0")/lib/node.sh"

# has WORD: whether the machine shall be like that
has() {
	[[ ,$PISCES_MACHINE, == *,$1,* ]]
}

kernel_log_start
log=$(dmesg)
cpus=$(nproc --all)
expected=4
if has 12cpus; then
	expected=12
	like "$log" "Switched APIC routing to:? (physical flat|(cluster|physical) x2apic)" \
		"too many CPUs for flat logical ids"
fi
if has smt; then
	expected=8
	is "$(cat /sys/devices/system/cpu/cpu2/topology/thread_siblings_list)" 2-3 \
		"CPUs 2 and 3 are one core"
fi
is "$cpus" $expected "the node has $expected CPUs"
if has la57; then
	# Linux gives addresses above 2^47 to programs that ask for one
	# shellcheck disable=SC2016 # for perl
	ok "page tables have 5 levels" perl -e \
		'exit !(syscall(9, 1 << 55, 4096, 3, 0x22, -1, 0) > 1 << 48)'
fi
if has intremap || has x2apic; then
	like "$log" "DMAR-IR: Enabled IRQ remapping" "interrupts are remapped"
fi
if has x2apic; then
	like "$log" "Enabled IRQ remapping in x2apic mode" "in x2APIC mode"
	like "$log" "x2apic.*enabled|routing to:? (cluster|physical) x2apic" "which is on"
fi
if has gbpages; then
	gigabytes=$(awk '/^DirectMap1G:/ { print $2 / 1048576 }' /proc/meminfo)
	ok "Linux maps memory in pages of 1 GiB" [ "$gigabytes" -ge 1 ]
	run pisces run --cpu-list=$((cpus - 1)) --mem=256M --mem-way=remove -- $examples/hello
	is "$rc" 0 "a part of them is not removed: the next way gives the memory"
	# All but the first of its 4 GiB, unless Linux has split the one that is asked for
	if [ "$gigabytes" -ge 3 ]; then
		like "$err" "1 GiB.*nogbpages.*way block" "and the user is told: $err"
	else
		diag "of 4 GiB, $gigabytes are mapped so; of this memory: ${err:-not}"
	fi
	node_recovers "way remove"
fi

if has meltdown; then
	like "$(cat /sys/devices/system/cpu/vulnerabilities/meltdown)" "PTI" "Linux isolates page tables"
	pisces run --cpus=2 --mem=128M --name=isolated -- $examples/spin 300 > spin.txt 2>&1 &
	wait_until 60 grep -q computing spin.txt
	run pisces console isolated
	like "$out" "page table isolation: programs have" "so does the co-kernel"
	kill $!
	wait
	run pisces run --cpus=1 --mem=128M --append=crash=read-isolated -- $examples/crash
	like "$err" "double fault" "what programs have not in their tables cannot be read by them"
	run pisces run --cpus=1 --mem=128M --append="crash=read-isolated pti=off" -- $examples/crash
	like "$err" "crash=read-isolated: as the command line asked" "pti=off: it is not isolated"
	node_recovers "that"
fi

run pisces doctor
is "$rc" 0 "pisces doctor finds this node ready"
most=$((cpus * 3 / 4))
for count in 1 2 $most; do
	run pisces run --cpus="$count" --mem=512M -- $examples/hello
	is "$rc" 0 "an enclave with $count CPU(s)"
	like "$out" "CPUs:.*$count" "which hello sees"
	if has smt && [ "$count" = 1 ]; then
		like "$err" "^enclave: 2 CPUs, not 1: .* to keep cores whole" "and why it is not 1: $err"
	else
		is "$err" "" "without noise"
	fi
	node_recovers "$count CPU(s)"
done
run env OMP_NUM_THREADS=$most pisces run --cpus=$most --mem=512M -- $examples/omp
is "$rc" 0 "OpenMP on $most CPUs"
like "$out" "$most CPUs" "uses all of them"
# Both ways of waking each other, many times
is "$(head -c 8M /dev/zero | pisces run --cpus=2 --mem=256M -- busybox cat | wc -c)" 8388608 \
	"8 MiB through a task ring"

# cpus_of NAME: those of the enclave of that name
cpus_of() {
	pisces list | awk -v name="$1" '$2 == name { print $4 }'
}

if has smt; then
	pisces run --cpus=2 --mem=128M --name=core -- $examples/spin 100 > spin.txt 2>&1 &
	run_pid=$!
	ok "an enclave of 2 CPUs" wait_until 60 grep -q computing spin.txt
	like "$(cpus_of core)" "^(2-3|4-5|6-7)" "which are one core: $(cpus_of core)"
	kill -KILL $run_pid
	wait $run_pid 2> /dev/null
	node_recovers "SIGKILL"
	: > spin.txt
	pisces run --cpu-list=5 --mem=128M --name=half -- $examples/spin 100 > spin.txt 2>&1 &
	run_pid=$!
	ok "an enclave of half a core" wait_until 60 grep -q computing spin.txt
	run pisces resize half --cpus=+1
	is "$(cpus_of half)" 4-5 "grows by the other half first"
	run pisces resize half --cpus=+2
	is "$(cpus_of half)" 4-7 "and then by another core"
	kill -KILL $run_pid
	wait $run_pid 2> /dev/null
	node_recovers "SIGKILL"
fi

# Those nearest to and farthest from CPU 0, by turns with another enclave
: > spin.txt
pisces run --cpu-list=1,$((cpus - 1)) --mem=256M --name=outer -- $examples/spin 100 > spin.txt 2>&1 &
run_pid=$!
ok "an enclave of CPUs 1 and $((cpus - 1))" wait_until 60 grep -q computing spin.txt
run pisces run --cpus=1 --mem=128M -- $examples/hello
is "$rc" 0 "another beside it"
kill -KILL $run_pid
wait $run_pid 2> /dev/null
node_recovers "SIGKILL"
for ((cpu = 1; cpu < cpus; cpu++)); do
	taskset -c $cpu true || fail "CPU $cpu runs programs again"
done

run srun --enclave=lwk -c2 --mem=512M $examples/hello
is "$rc" 0 "srun --enclave=lwk"
like "$out" "Pisces co-kernel" "on a co-kernel"
node_recovers "after all that"
kernel_log_clean
done_testing
