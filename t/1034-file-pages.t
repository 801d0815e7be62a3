#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Pages of files are read once for all tasks of an enclave, and given up when memory
# is short.
node_files="t/memory-cache t/memory-shared"
. "$(dirname "$0")/lib/node.sh"

kernel_log_start

head -c 60M /dev/urandom > file
# What was written just now is not kept: its times might not show the next change.
sleep 4
run pisces run --cpus=1 --mem=256M -- ./memory-cache file 220
is "$rc" 0 "a file of 60 MiB is mapped twice, and then 220 of 256 MiB are needed"
diag "$out" "$err"

# Bytes that the proxies of so many tasks have read, by what their parent knows of them.
bytes_read() {
	bash -c 'pisces run --cpus=3 --mem=256M --tasks='"$1"' -- ./memory-shared '"$1"' > /dev/null &&
		sed -n "s/^rchar: //p" /proc/$$/io'
}
one=$(bytes_read 1)
three=$(bytes_read 3)
libc=$(stat -L -c %s "$(ldd ./memory-shared | awk '/libc\.so/ { print $3 }')")
ok "one task reads $one bytes, three read $three: not the C library ($libc) three times" \
	[ $((three - one)) -lt $((libc / 2)) ]
ok "but one reads it" [ "$one" -gt "$libc" ]

node_recovers "after all that"
kernel_log_clean
done_testing
