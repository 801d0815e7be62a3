# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Source this first in a test that needs the virtual node: the test is then sent
# there and runs there, whole, as root. `contrib/quickstart check` starts the
# node and runs all; one test runs with `contrib/quickstart check t/NAME.t`.
#
# A test that needs files of the build directory there, next to itself, names them
# before in $node_files, and those of t/ in $node_sources; environment variables that it listens to in $node_env.
# With $node_count it runs on the first of as many, in a directory that all have: lib/cluster.sh.

if [ -z "${PISCES_ON_NODE:-}" ]; then
	here=$(cd "$(dirname "$0")" && pwd)
	quickstart=$here/../contrib/quickstart
	"$quickstart" status >/dev/null 2>&1 || {
		echo "1..0 # SKIP no virtual node is up; \`contrib/quickstart check\` starts one"
		exit 0
	}
	cd "$here" || exit 1
	built=${top_builddir:-${PISCES_BUILD:-$here/../build}}
	bring=()
	for file in ${node_files:-}; do
		[ -e "$built/$file" ] || {
			echo "Bail out! $file is not built: make -C $built $file"
			exit 1
		}
		bring+=(-C "$(dirname "$built/$file")" "$(basename "$file")")
	done
	give=()
	for name in ${node_env:-}; do
		[ -z "${!name:-}" ] || give+=("$name=${!name}")
	done
	# $limit_file: seconds for the whole test; a hang is a failure with a name.
	slow=1
	[[ $built != */guest-debug ]] || slow=8
	# shellcheck disable=SC2086 # words
	tar -c lib "$(basename "$0")" ${node_sources:-} "${bring[@]}" | "$quickstart" run \
		${node_count:+--no-build --nodes=$node_count} -- env "${give[@]}" sh -c '
		dir=$(mktemp -d "$3/test.XXXXXX") && cd "$dir" && tar -x || exit
		# Who ends the local side sends SIGTERM to this process group; that of timeout,
		# with the test, is another, and this shell would wait for it.
		PISCES_ON_NODE=1 timeout -k 10 "$2" "./$1" < /dev/null &
		test=$!
		trap "kill -TERM $test" TERM
		wait $test
		rc=$?
		while kill -0 $test 2> /dev/null; do
			wait $test
			rc=$?
		done
		cd / && rm -rf "$dir"
		[ $rc -ne 124 ] || echo "Bail out! $1 did not end within $2 s"
		exit $rc' sh "$(basename "$0")" $((${limit_file:-600} * slow)) \
			"$([ -n "${node_count:-}" ] && echo /home || echo /tmp)"
	exit
fi

# shellcheck source=t/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

examples=/usr/lib/pisces/examples

case $(uname -r) in
*-pisces-debug) slow=8 ;;
esac

# What the node had before anything was taken.
node_cpus=$(cat /run/cpus-at-boot)

# What a node has when nothing is taken: all CPUs, no enclave.
node_whole() {
	[ "$(< /sys/devices/system/cpu/online)" = "$node_cpus" ] &&
		[ "$(< /sys/devices/system/cpu/present)" = "$node_cpus" ] &&
		! grep -q 'pisces enclave' /proc/iomem &&
		! grep -q 'pisces-' /proc/interrupts
}

# node_recovers WHAT: the node is whole again after WHAT. How fast is for t/1022 and t/2010 to say,
# which measure it: here a node whose host is busy has time.
node_recovers() {
	if wait_until 60 node_whole; then
		pass "$1: the node is whole again"
	else
		fail "$1: the node is whole again"
		diag "online $(cat /sys/devices/system/cpu/online), present $(cat /sys/devices/system/cpu/present)"
		diag "$(pisces list 2>&1)"
		diag "$(grep pisces /proc/iomem /proc/interrupts)"
	fi
}

# Slurm has nothing on the node, or on any of them, and has not taken it out of service.
node_idle() {
	[ "$(sinfo -h -o %T | sort -u)" = idle ]
}

slurmd_answers() { scontrol show slurmd > /dev/null 2>&1; }

# gone NAME: no process is called so.
gone() { ! pgrep -x "$1" > /dev/null; }

# What is free, in KiB: MemFree, and what each CPU keeps for itself, tens of MiB after an enclave's
# end, which is not in it.
mem_free_kib() {
	awk '$1 == "nr_free_pages" || $1 == "count:" { pages += $2 } END { print pages * 4 }' \
		/proc/zoneinfo
}

# kernel_log: what the kernel has said since kernel_log_start, or since its boot. By a line of
# ours, since old ones go where there is no room; if ours has gone, all there is.
kernel_log_start() {
	kernel_log_mark="test: $(basename "$0") $$ $RANDOM"
	echo "$kernel_log_mark" > /dev/kmsg
}

kernel_log() {
	dmesg | awk -v mark="${kernel_log_mark:-}" '
		mark != "" && index($0, mark) { lines = ""; next }
		{ lines = lines $0 "\n" }
		END { printf "%s", lines }'
}

# Kernel messages that nobody wants to see.
kernel_log_patterns='BUG|WARNING|Oops|Call Trace|general protection|soft lockup|detected.* stall|No irq handler'
kernel_log_patterns+='|unchecked MSR|pages are still in use|quarantine'
kernel_log_bad() {
	kernel_log | grep -E "$kernel_log_patterns"
}

# There are none; else with what stands behind the first.
kernel_log_clean() {
	local bad
	bad=$(kernel_log_bad)
	is "$bad" "" "${1:-the kernel log} is clean"
	[ -z "$bad" ] || diag "$(kernel_log | grep -E -m 1 -A 30 "$kernel_log_patterns")"
}
