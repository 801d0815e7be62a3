#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# System calls with good and bad arguments give what Linux gives: each program of
# t/calls prints results and errors, as a plain user, on Linux and in an enclave of
# the same node, and both must have printed the same.
node_files="t/calls/events t/calls/exec t/calls/faults t/calls/files t/calls/identity t/calls/mappings t/calls/peer_memory t/calls/pipe_waits t/calls/pipes t/calls/signalfd t/calls/signals t/calls/sockets t/calls/threads t/calls/timers"
. "$(dirname "$0")/lib/node.sh"

kernel_log_start
id user > /dev/null 2>&1 || useradd -m user
here=$PWD
chmod 755 "$here"

# in_place OUTPUT COMMAND...: in an empty directory of hers; $rc is its exit code
in_place() {
	local output=$here/$1
	shift
	work=$(mktemp -d /tmp/calls.XXXXXX)
	chown user "$work"
	cd "$work" || return
	rc=0
	# No descriptors but the standard streams: their numbers are compared.
	timeout -k 5 100 "$@" < /dev/null > "$output" 2> "$output.err" 3>&- 4>&- 5>&- || rc=$?
	cd "$here" || return
	rm -rf "$work"
}

for program in events exec faults files identity mappings peer_memory pipe_waits pipes signalfd signals sockets threads timers; do
	in_place linux runuser -u user -- "$here/$program"
	is "$rc" 0 "$program: runs on Linux"
	in_place enclave pisces run --cpus=2 --mem=256M --user=user -- "$here/$program"
	is "$rc" 0 "$program: runs in an enclave"
	lines=$(wc -l < linux)
	if [ "$lines" -gt 30 ] && cmp -s linux enclave; then
		pass "$program: all $lines lines are the same"
	else
		fail "$program: all $lines lines are the same"
		diag "$(diff linux enclave | head -n 40)"
		diag "$(cat enclave.err)"
	fi
done

# What was written to a mapping is the file's when the program is gone, however it went.
left=$(mktemp -d /tmp/calls.XXXXXX)
chown user "$left"

# blank FILE: two pages of zeros, the user's
blank() {
	head -c "${2:-8192}" /dev/zero > "$left/$1"
	chown user "$left/$1"
}

{ printf left; head -c 4092 /dev/zero; printf behind; head -c 4090 /dev/zero; } > "$left/expected"
for how in exit:0 kill:143; do
	blank "${how%:*}"
	run pisces run --cpus=1 --mem=128M --user=user -- "$here/mappings" "${how%:*}" \
		"$left/${how%:*}"
	is "$rc" "${how#*:}" "mappings: a program writes to a mapping and leaves by ${how%:*}"
	ok "mappings: and what it wrote is in the file" cmp "$left/${how%:*}" "$left/expected"
	[ -z "$err" ] || diag "$err"
done

blank shared 12288
run pisces run --cpus=2 --mem=256M --tasks=2 --user=user -- "$here/mappings" share \
	"$left/shared"
is "$rc" 0 "mappings: two tasks write to one file"
[ -z "$err" ] || diag "$err"
{ printf '\2'; head -c 4095 /dev/zero
	printf '1a page'; head -c 4089 /dev/zero
	printf '2a page'; head -c 4089 /dev/zero; } > "$left/expected"
ok "mappings: and what both wrote is in it" cmp "$left/shared" "$left/expected"
rm -rf "$left"

node_recovers "after all that"
kernel_log_clean
done_testing
