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
	awk '/^MemFree:/ { free = $2 } /^VmallocUsed:/ { print free, $2 }' /proc/meminfo
}

fuzz() {
	limit=$((limit_fuzz)) run ./fuzz-ioctl --seed="$seed" --calls="$calls" "$@" "$image" fake.bin
	diag "$out" "$err"
}
limit_fuzz=$((calls / 150 + 300))

# Things that are made once, and kept, are there from now on.
calls=1000 fuzz
node_recovers "a first look"
kernel_log_start
read -r free vmalloc <<< "$(settled)"

for user in root nobody; do
	options=()
	[ $user = root ] || options=(--uid="$(id -u $user)")
	fuzz "${options[@]}"
	is "$rc" 0 "$user: $calls calls, each of which returns"
	is "$(grep -c 'a plain user' <<< "$err$out")" 0 "$user: gets nothing that is not his"
	node_recovers "$user"
	# What has been called must have been reached.
	for command in VERSION LIST INFO STATUS WHO START BELL SIGNAL; do
		ok "$user: $command was also done, not only refused" \
			grep -qE "^# $command +[1-9]|^$command +[1-9]" <<< "$(sed 's/^# //' <<< "$out")"
	done
	[ $user = root ] || continue
	for command in CREATE OPEN CONSOLE ADD_CPU ADD_MEMORY BOOT TASK; do
		ok "$user: $command was also done, not only refused" \
			grep -qE "^$command +[1-9]" <<< "$(sed 's/^# //' <<< "$out")"
	done
done

run pisces reclaim
is "$rc" 0 "there is nothing that cannot be reclaimed"
ok "no descriptor holds the module" wait_until 10 eval '[ "$(cat /sys/module/pisces/refcnt)" = 0 ]'
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
