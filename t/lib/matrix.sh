# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For the kill matrices, behind lib/node.sh: $rows, who dies, by $places, what the enclave is at.
# For each row there is a function at_ROW PLACE, in which someone dies, once, and which ends
# with recovered's status.

declare -A cell

# In microseconds
now() { echo "${EPOCHREALTIME/./}"; }

taken() { [ "$(< /sys/devices/system/cpu/online)" != "$node_cpus" ]; }

# recovered ROW PLACE SINCE LIMIT: how long it took from SINCE on, into the table. False: longer
# than it may take, LIMIT seconds.
recovered() {
	local took
	while ! node_whole && [ $((($(now) - $3) / 1000000)) -le $((60 * slow)) ]; do
		sleep 0.02
	done
	took=$((($(now) - $3) / 1000))
	cell[$1,$2]="$took ms"
	ok "$1, $2: the node is whole" node_whole
	[ $took -gt $(($4 * 1000)) ] || return 0
	diag "$1, $2: after $took ms, at most $4 s: load $(cat /proc/loadavg)"
	return 1
}

# in_time ROW PLACE: of a time, the least of up to three: the host may have had the node wait.
in_time() {
	local try
	for try in 1 2 3; do
		at_"$1" "$2" && return
	done
	cell[$1,$2]+=" !"
	return 1
}

# fill_row ROW: it dies in each place.
fill_row() {
	local place
	for place in $places; do
		ok "$1, $place: in time" in_time "$1" "$place"
	done
}

# The table, as lines for the reader
matrix() {
	local row place
	printf '%-12s' ""
	for place in $places; do printf '%-15s' "$place"; done
	echo
	for row in $rows; do
		printf '%-12s' "$row"
		for place in $places; do printf '%-15s' "${cell[$row,$place]:--}"; done
		echo
	done
}
