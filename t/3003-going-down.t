#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Linux reboots, or panics, while an enclave computes: the enclave's CPUs are stopped,
# before anything else happens to the machine. Seen from outside: by the node's emulator.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=t/lib/tap.sh
. "$here/lib/tap.sh"
quickstart=$here/../contrib/quickstart

# As with all tests for a node: without `contrib/quickstart check` there is none
"$quickstart" status > /dev/null 2>&1 ||
	skip_all "no virtual node is up; \`contrib/quickstart check\` starts one"
export PISCES_NODE=going
state=${PISCES_BUILD:-$here/../build}/node/$PISCES_NODE
trap '"$quickstart" down > /dev/null 2>&1' EXIT

# halted: the number of each CPU that does not execute anything, one word
halted() {
	local in out line cpu=
	exec {in}> "$state/monitor.in" {out}< "$state/monitor.out"
	# The sum, which is not in the echo of what was asked, is the end of the answer
	printf 'info registers -a\nprint /d 4711+4711\n' >&"$in"
	while IFS= read -r -t 20 line <&"$out"; do
		line=${line%$'\r'}
		case $line in
		9422) break ;;
		'CPU#'*) cpu=${line#CPU#} ;;
		*' HLT=1'*) echo "$cpu" ;;
		esac
	done | xargs
	exec {in}>&- {out}<&-
}
ended() { ! "$quickstart" status > /dev/null; }
said() { grep -aqE "$1" "$state/console.log"; }

# begin: a node with an enclave of all CPUs but the first, which computes
begin() {
	"$quickstart" up --no-build > up.log 2>&1 || diag "$(tail -n 3 up.log)"
	run "$quickstart" run --no-build -- sh -c '
		setsid pisces run --cpus=3 --mem=256M --name=last -- /usr/lib/pisces/examples/spin 600 3 \
			> /tmp/spin.txt 2>&1 < /dev/null &
		for i in $(seq 600); do
			[ "$(pisces stat last 2> /dev/null | grep -c " user ")" = 3 ] && exit
			sleep 0.1
		done
		cat /tmp/spin.txt
		exit 1'
	is "$rc" 0 "$1: an enclave computes on CPUs 1 to 3 $out"
	is "$(halted | tr ' ' '\n' | grep -c '[123]')" 0 "$1: which are at work"
}

cd "$(mktemp -d)" || exit 1

begin reboot
limit=20 run "$quickstart" run --no-build -- reboot -f
ok "reboot: the node goes down" wait_until 60 ended
ok "reboot: the enclave has been stopped" said 'enclave [0-9]+ \(last\): died: Linux went down'
is "$(grep -aE 'Linux went down|Restarting system' "$state/console.log" | grep -aoE 'died|Restarting' | xargs)" \
	"died Restarting" "reboot: in this order"

begin panic
limit=20 run "$quickstart" run --no-build -- sh -c '
	echo 0 > /proc/sys/kernel/panic
	echo 1 > /proc/sys/kernel/sysrq
	echo c > /proc/sysrq-trigger'
ok "panic: Linux panics" wait_until 60 said 'end Kernel panic'
stopped() { [ "$(halted | tr ' ' '\n' | grep -c '[123]')" = 3 ]; }
ok "panic: the enclave's CPUs are stopped" wait_until 30 stopped
done_testing
