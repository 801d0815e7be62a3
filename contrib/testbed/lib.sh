# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Sourced by quickstart and its helpers: where things are, and how they speak.

# A failure inside $(...) is a failure too
shopt -s inherit_errexit

# shellcheck disable=SC2034 # most of these are for the files that source this one
testbed=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(cd "$testbed/../.." && pwd)
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/pisces-testbed

# choose_guest NAME: what runs on the virtual node. Sets
#   suite        the Debian release of its programs
#   kernel_from  where its kernel is from: that suite, another one, or "debug"
#   build        the build directory; each guest but the first has its own
# and tells other programs of this test bed the same.
# shellcheck disable=SC2034 # for the files that source this one
choose_guest() {
	guest=$1
	case $guest in
	bookworm | trixie) suite=$guest kernel_from=$guest ;;
	trixie-backports) suite=trixie kernel_from=$guest ;;
	debug) suite=bookworm kernel_from=debug ;;
	*) die "there is no guest '$guest': bookworm, trixie, trixie-backports or debug" ;;
	esac
	build=$build_base
	[[ $guest == bookworm ]] || build+=/guest-$guest
	export PISCES_GUEST=$guest PISCES_BUILD=$build
}

# What a machine can be besides: see ./qemu
# shellcheck disable=SC2034 # used by quickstart
machine_words=(12cpus smt la57 intremap x2apic gbpages meltdown counted cgroup1)

# machine_cpus WORDS: how many sockets, cores of each and threads of those the machine of
# these words (see ./qemu) has
machine_cpus() {
	local cores=2 threads=1

	[[ " $1 " != *' 12cpus '* ]] || cores=6
	[[ " $1 " != *' smt '* ]] || threads=2
	echo 2 $cores $threads
}

# node_state STATE NUMBER: where the state of that node is, in the cluster (see ./cluster)
# whose first node has STATE; and cluster_state STATE NUMBER: the way back
node_state() {
	if (($2 == 1)); then
		printf '%s\n' "$1"
	else
		printf '%s/n%s\n' "$1" "$2"
	fi
}

cluster_state() {
	if (($2 == 1)); then
		printf '%s\n' "$1"
	else
		dirname "$1"
	fi
}

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

# cached NAME WHAT MAKER ARGS...: print the cached directory NAME, made by MAKER
# DIR ARGS if need be; it appears in one rename, so it is whole or not there
cached() {
	local dir=$cache/$1 what=$2 maker=$3
	shift 3
	if [[ ! -d $dir ]]; then
		mkdir -p "$cache"
		exec 8>"$dir.lock"
		flock 8
	fi
	if [[ ! -d $dir ]]; then
		# shellcheck disable=SC2064 # to be expanded now
		trap "rm -rf '$dir.new'" EXIT
		rm -rf "$dir.new"
		mkdir -m 700 "$dir.new"
		step "$dir.log" "$what" "$maker" "$dir.new" "$@"
		mv "$dir.new" "$dir"
	fi
	exec 8>&-
	printf '%s\n' "$dir"
}

# kernel_release SYSTEM: the version of the kernel that the guest boots, whose root
# is in the cache directory SYSTEM
kernel_release() {
	local from=$1
	[[ $kernel_from != debug ]] || from=$("$testbed/debug-kernel")
	cat "$from/kernel"
}

# key: a short name of what comes in
key() {
	sha256sum | cut -c 1-12
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

# A build directory of a guest may be given too, as the tests do
build_base=${PISCES_BUILD:-$checkout/build}
[[ $build_base == /* ]] || build_base=$PWD/$build_base
case $build_base in
*/guest-*)
	: "${PISCES_GUEST:=${build_base##*/guest-}}"
	build_base=${build_base%/guest-*}
	;;
esac
choose_guest "${PISCES_GUEST:-bookworm}"
