# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For a test that starts virtual nodes of its own: source this first, call
# on_machine, and end with done_testing. What is checked there is below on_machine's
# caller, in the same file, from where $PISCES_ON_NODE is set.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=t/lib/tap.sh
. "$here/lib/tap.sh"

# on_machine WORDS: start a node with such a machine (contrib/quickstart --machine), run
# this test there, and count its checks as ours.
on_machine() {
	local line text ended=no
	while IFS= read -r line; do
		text=$1:${line#*ok * -}
		case $line in
		'ok '*) pass "$text" ;;
		'not ok '*) fail "$text" ;;
		1..*) ended=yes ;;
		*) diag "${line#\# }" ;;
		esac
	done < <(cd "$here" && tar -c lib "$(basename "$0")" |
		"$here/../contrib/quickstart" run --no-build --machine="$1" -- sh -c '
			dir=$(mktemp -d /tmp/test.XXXXXX) && cd "$dir" && tar -x &&
			PISCES_ON_NODE=1 PISCES_MACHINE=$2 timeout -k 10 600 "./$1" < /dev/null' \
			sh "$(basename "$0")" "$1" 2>&1)
	is "$ended" yes "$1: the node came up, and all was run to its end"
}
