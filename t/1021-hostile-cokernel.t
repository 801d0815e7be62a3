#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Co-kernels that break the contract (t/fake-cokernel): the module says which rule was
# broken, and nothing else breaks. LONG=yes: those too for which a limit has to pass.
node_files="t/boot-image t/fake-cokernel/fake.bin"
node_env="LONG"
. "$(dirname "$0")/lib/node.sh"

kernel_log_start

# hostile NAME REASON [OPTIONS]: it dies for REASON; with "" it does not.
hostile() {
	local name=$1 reason=$2 failed=$tap_failed
	shift 2
	run ./boot-image "$@" fake.bin "fake=$name"
	is "$rc" 0 "$name: there is no call that does not return"
	if [ "$reason" ]; then
		like "$out" "state: dead"$'\n'"reason: .*($reason)" \
			"$name: $(sed -n 's/^reason: //p' <<< "$out")"
	else
		like "$out" "state: running" "$name: harms nobody"
	fi
	[ "$tap_failed" = "$failed" ] || diag "$out" "$err"
	node_recovers "$name"
}

# What it says makes no sense.
hostile ready-twice "said twice that it is ready"
hostile unknown-type "no known type"
hostile answers-nobody "a change that nobody has asked for"
hostile gives-not-its-own "gave memory that nobody has asked for"
hostile ended-unknown "ended a task that it does not have"
hostile ended-beyond "ended a task that it does not have"
hostile ended-twice "ended a task that it does not have" --tasks=1
hostile panic-nonsense '\.\.\.\.\.\.'

like "$(dmesg | tail -n 50)" "hostile\): died: the co-kernel ended a task" \
	"the kernel's log has the reasons too"

# Its indices are impossible, or change while Linux looks.
hostile head-wild "broke the control ring"
hostile head-back "broke the control ring"
hostile tail-wild "broke the control ring" --tasks=1
hostile console-head-wild "broke the console ring"
hostile indices-dance "broke the (control|console) ring|no known type" --cpus=1,2 --tasks=2
hostile console-length "broke the console ring"
hostile console-type "broke the console ring"

# Nonsense everywhere, again and again.
# What is in the status area is for people: a lie there is no reason to end it.
hostile status-nonsense "" --ms=1000
hostile usage-absurd "" --cpus=1,2 --mem=64 --tasks=3 --ms=3500
like "$out" "charged: [0-9.]+ CPUs, [0-9]+ MiB" "usage-absurd: $(sed -n 's/^charged: //p' <<< "$out") of 2 CPUs, 64 MiB"
ok "usage-absurd: no more time than that of its CPUs, for each task no more than its memory" awk \
	'/^charged:/ { found = 1; good = $2 > 1 && $2 <= 2.1 && $4 >= 64 && $4 <= 3 * 64 + 16 }
	END { exit !(found && good) }' <<< "$out"
hostile rings-nonsense "broke the|no known type|that nobody has|does not have" --cpus=1,2
hostile all-nonsense "broke the|no known type|panic|that nobody has|does not have" --cpus=1,2

# Asked for a change, it cheats.
hostile gives-foreign "gave memory that it does not have" --mem=32 --remove-memory=4
hostile gives-twice "gave the same memory twice" --mem=32 --remove-memory=4
hostile gives-image "gave the memory that it runs in" --mem=32 --remove-memory=4
hostile removes-not "said that it has left a CPU, and had not" --cpus=1,2 --remove-cpu=2

# Within the contract, but without end: Linux goes on, and it ends when it is closed.
for name in console-flood control-flood bells-storm ignores-stop parked-runs; do
	hostile $name "" --cpus=1,2 --ms=1000
done
# Whether it is fast enough to be called mad depends on the machine.
run ./boot-image --cpus=1,2 --ms=3000 fake.bin fake=ring-storm
like "$out" "state: (running|dead"$'\n'"reason: .*rang Linux without end)" \
	"ring-storm: Linux goes on: $(sed -n 's/^reason: //p' <<< "$out")"
node_recovers ring-storm

if [ "${LONG:-}" ]; then
	hostile never-arrive "hangs while it boots.*; 0 of 2 CPUs had arrived" --cpus=1,2
	hostile never-ready "hangs while it boots.*; 1 of 1 CPUs had arrived"
	# It has a task, and hears nothing.
	hostile ignores-stop "does not answer" --tasks=1 --ms=9000
else
	# The one who boots it does not wait for that.
	for name in never-arrive never-ready; do
		./boot-image --cpus=1,2 fake.bin fake=$name > /dev/null 2>&1 &
		booter=$!
		wait_until 60 eval 'pisces list --json | grep -q booting' || diag "it does not boot"
		kill -KILL $booter
		wait $booter 2> /dev/null
		node_recovers "$name, and SIGKILL to the one who boots it"
	done
fi

run pisces run --cpus=3 --mem=128M -- $examples/hello
is "$rc" 0 "an honest co-kernel boots"
node_recovers "after all that"
kernel_log_clean
done_testing
