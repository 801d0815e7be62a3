#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Standard streams cross the task ring without loss, exit codes as they are.
. "$(dirname "$0")/lib/node.sh"
# shellcheck disable=SC2086 # $inside is words

inside="pisces run --cpus=1 --mem=128M --"

dir=$(mktemp -d)
head -c 64M /dev/urandom > "$dir/data"
expected=$(sha256sum < "$dir/data")

is "$($inside busybox sha256sum < "$dir/data")" "$expected" "64 MiB of stdin: the checksum is Linux's"
is "$($inside busybox cat < "$dir/data" | sha256sum)" "$expected" "64 MiB through, from a file"
is "$(busybox cat "$dir/data" | $inside busybox cat | sha256sum)" "$expected" "64 MiB through, from a pipe"

bytes=$($inside busybox dd if=/dev/zero bs=1M count=100 2>/dev/null | wc -c)
is "$bytes" 104857600 "100 MiB of stdout, none lost"

run $inside busybox sh -c 'echo to stdout; echo to stderr >&2'
is "$out" "to stdout" "stdout is stdout"
is "$err" "to stderr" "stderr is stderr"

is "$($inside busybox cat < /dev/null)" "" "an empty stdin ends at once"
is "$(printf 'no newline' | $inside busybox cat)" "no newline" "a last line without newline"

# head closes the pipe: the program must end, not the node.
lines=$($inside busybox yes | head -n 3 | wc -l)
is "$lines" 3 "a reader that goes away ends the writer"

limit=200 run pisces run --cpus=2 --mem=256M -- $examples/files
is "$rc" 0 "files, pipes, poll, several calls at a time"
diag "$out"

for code in 0 1 77 255; do
	run $inside busybox sh -c "exit $code"
	is "$rc" $code "exit code $code"
done

rm -rf "$dir"
node_recovers "after all that"
done_testing
