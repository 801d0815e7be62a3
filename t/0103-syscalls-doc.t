#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# doc/SYSCALLS.md says what the table of system calls is: it is made from that.
. "$(dirname "$0")/lib/tap.sh"

top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
top_builddir=${top_builddir:-$top_srcdir/build}
made=$top_builddir/cokernel/SYSCALLS.md
list=$top_srcdir/cokernel/syscall/list.h

[ -f "$made" ] || skip_all "nothing is built in $top_builddir yet"

if cmp -s "$made" "$top_srcdir/doc/SYSCALLS.md"; then
	pass "doc/SYSCALLS.md is up to date"
else
	fail "doc/SYSCALLS.md is up to date"
	diag "cp $made $top_srcdir/doc/SYSCALLS.md"
	diag "$(diff "$top_srcdir/doc/SYSCALLS.md" "$made" | head -n 10)"
fi
is "$(grep -cE '^\| [0-9]+ \|' "$made")" "$(grep -c '^CALL(' "$list")" "it has a row for each call of the table"
like "$(grep '| 202 |' "$made")" "futex \| inside" "futexes are served inside"
like "$(sed -n '/^Absent/,$p' "$made")" "fork, vfork, semget" "no call that there is not is told as there"
done_testing
