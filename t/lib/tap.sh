# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# TAP for tests in bash: source it, call ok, is, like, run; end with done_testing.

tap_count=0
tap_failed=0

# Times as long as elsewhere are allowed: on a kernel that looks for faults (lib/node.sh).
slow=1

# A line for the reader; prove shows it when a test fails.
diag() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

pass() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1"
}

fail() {
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $1"
}

# ok NAME COMMAND ...: the command succeeds
ok() {
	local name=$1
	shift
	if "$@"; then pass "$name"; else fail "$name"; diag "failed: $*"; fi
}

# is GOT EXPECTED NAME
is() {
	if [ "$1" = "$2" ]; then
		pass "$3"
	else
		fail "$3"
		diag "     got: $1"
		diag "expected: $2"
	fi
}

# like GOT REGEX NAME (extended regular expression, anywhere in GOT)
like() {
	if [[ $1 =~ $2 ]]; then
		pass "$3"
	else
		fail "$3"
		diag "     got: $1"
		diag "expected: /$2/"
	fi
}

# unlike GOT REGEX NAME
unlike() {
	if [[ $1 =~ $2 ]]; then
		fail "$3"
		diag "          got: $1"
		diag "expected not: /$2/"
	else
		pass "$3"
	fi
}

# Lines that tell how long something has taken so far, or that srun waits for what was before it:
# the last step or job is not over for Slurm yet. How many there are depends on how fast the machine
# is at that moment.
progress_pattern='enclave: .*(\.\.\. \(after [0-9.]+ s\)$|all was given back to Linux in )'
progress_pattern+='|^srun: (Job [0-9]+ step creation (temporarily|still) disabled|Step created for '
progress_pattern+='|Step completed in JobId=|job [0-9]+ (queued and waiting|has been allocated))'

# without_progress: what is read, but for such lines
without_progress() {
	grep -avE "$progress_pattern" || :
}

# run COMMAND ...: sets $out, $err (without_progress), $progress (the rest of it) and $rc; at most
# $limit seconds (120) x $slow, then rc is 124. stdin is the caller's.
run() {
	local dir
	dir=$(mktemp -d)
	rc=0
	timeout --foreground -k 10 $((${limit:-120} * slow)) "$@" >"$dir/out" 2>"$dir/err" || rc=$?
	out=$(tr -d '\0' <"$dir/out")
	err=$(tr -d '\0' <"$dir/err" | without_progress)
	# shellcheck disable=SC2034 # for tests
	progress=$(grep -aE "$progress_pattern" "$dir/err" || :)
	rm -rf "$dir"
}

# wait_until SECONDS COMMAND ...: true as soon as the command is, false after that
# many seconds x $slow.
wait_until() {
	local end=$((SECONDS + $1 * slow))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.2
	done
}

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

done_testing() {
	echo "1..$tap_count"
	[ $tap_failed -eq 0 ]
	exit
}
