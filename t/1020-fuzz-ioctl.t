#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A hostile user of /dev/pisces: random calls, as root and as a plain user.
#
#   SEED=N    repeats the choices of a run that printed it
#   CALLS=N   how many calls, for each of the two users (default 15000)
node_files="t/fuzz-ioctl t/fake-cokernel/fake.bin"
node_env="SEED CALLS"
limit_file=${LIMIT:-600}
. "$(dirname "$0")/lib/node.sh"

seed=${SEED:-$RANDOM$RANDOM}
calls=${CALLS:-15000}
diag "SEED=$seed repeats this"
image=/usr/lib/pisces/cokernel.bin

# What is free when caches are not counted, and what is mapped by vmalloc, in KiB.
settled() {
	sync
	echo 3 > /proc/sys/vm/drop_caches
	echo "$(mem_free_kib) $(awk '/^VmallocUsed:/ { print $2 }' /proc/meminfo)"
}

fuzz() {
	limit=$((limit_fuzz)) run ./fuzz-ioctl --calls="$calls" "$@" "$image" fake.bin
	diag "$out" "$err"
}
limit_fuzz=$((calls / 150 + 300))

# Those of $commands that, as the file done says, were only refused
never_done() {
	for command in $commands; do
		grep -qE "^(# )?$command +[1-9]" done || echo "$command"
	done
}

# Things that are made once, and kept, are there from now on.
calls=1000 fuzz --seed="$seed"
node_recovers "a first look"
kernel_log_start
read -r free vmalloc <<< "$(settled)"

for user in root nobody; do
	options=()
	[ $user = root ] || options=(--uid="$(id -u $user)")
	commands="VERSION LIST INFO STATUS WHO START BELL SIGNAL"
	[ $user != root ] || commands+=" CREATE OPEN CONSOLE ADD_CPU ADD_MEMORY BOOT TASK"
	: > done
	# What is called must be reached as well, which a few sequences may miss by chance.
	for ((i = 0; i < 5; i++)); do
		fuzz --seed=$((seed + i)) "${options[@]}"
		is "$rc" 0 "$user: $calls calls, each of which returns"
		is "$(grep -c 'a plain user' <<< "$err$out")" 0 "$user: gets nothing that is not his"
		node_recovers "$user"
		printf '%s\n' "$out" >> done
		[ -n "$(never_done)" ] || break
	done
	is "$(never_done)" "" "$user: all commands were also done, not only refused"
done

run pisces reclaim
is "$rc" 0 "there is nothing that cannot be reclaimed"
ok "no descriptor holds the module" wait_until 30 eval '[ "$(cat /sys/module/pisces/refcnt)" = 0 ]'
# Without what the last enclaves leave for people to look at.
read -r free_now vmalloc_now <<< "$(settled)"
ok "no memory is lost: $free KiB free before, $free_now KiB now" \
	[ "$free_now" -gt $((free - 40960)) ]
ok "nor address space: $vmalloc KiB mapped before, $vmalloc_now KiB now" \
	[ "$vmalloc_now" -lt $((vmalloc + 8192)) ]
run pisces run --cpus=3 --mem=256M -- $examples/hello
is "$rc" 0 "the next program runs"
node_recovers "after all that"
kernel_log_clean
done_testing
