# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Sourced by quickstart and its helpers: where things are, and how they speak.

# A failure inside $(...) is a failure too
shopt -s inherit_errexit

# shellcheck disable=SC2034 # most of these are for the files that source this one
testbed=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(cd "$testbed/../.." && pwd)
build=${PISCES_BUILD:-$checkout/build}
[[ $build == /* ]] || build=$PWD/$build
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/pisces-testbed
suite=${PISCES_GUEST:-bookworm}

# Progress goes to file descriptor 7: it must neither mix with the output of a
# command on the node nor be lost, so quickstart decides what 7 is.
{ : >&7; } 2>/dev/null || exec 7>&2

say() {
	printf '%s\n' "$*" >&7
}

die() {
	printf 'quickstart: %s\n' "$*" >&2
	exit 1
}

# file_list FILE: the names in a list with comments, on one line
file_list() {
	sed 's/#.*//' "$1" | xargs
}

# A dot every few seconds while a quiet command runs in the foreground, where
# Ctrl-C reaches it. The ticker looks for its parent, so that it ends even if
# that was killed.
ticker_start() {
	(
		exec 8>&- 9>&-
		while sleep 3 && kill -0 $$ 2>/dev/null; do
			printf .
		done
	) >&7 2>/dev/null &
	ticker=$!
}

ticker_stop() {
	kill "${ticker-}" 2>/dev/null || true
	wait "${ticker-}" 2>/dev/null || true
}

# step LOG WHAT COMMAND...: run COMMAND with its output in LOG, saying WHAT,
# that time passes, and how it ended
step() {
	local log=$1 what=$2 began=$SECONDS status=0
	shift 2
	mkdir -p "$(dirname "$log")"
	printf '%s ' "$what" >&7
	ticker_start
	# Not "|| status=$?": that would switch off set -e inside COMMAND. And it
	# must not inherit our descriptors: dash, which apt uses, knows none above 9.
	set +e
	(set -e && "$@") >"$log" 2>&1 </dev/null 7>&- 8>&- 9>&-
	status=$?
	set -e
	ticker_stop
	if ((status)); then
		printf 'failed\n' >&7
		tail -n 20 "$log" | sed 's/^/  | /' >&2
		die "$what failed (status $status); the whole log is $log"
	fi
	printf '%d s\n' "$((SECONDS - began))" >&7
}
