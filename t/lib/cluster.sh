# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# In place of lib/node.sh for a test that needs two nodes, n1 and n2, as one cluster. It runs on
# the first, which has Slurm's controller too, in a directory that both have. If the cluster
# that is up is none of two (contrib/quickstart check --nodes=2), it starts one of its own.

# shellcheck disable=SC2034 # for node.sh
node_count=2
# shellcheck source=t/lib/node.sh
. "$(dirname "$0")/lib/node.sh"

# Users' jobs have their files here too
chmod 755 .

# on NODE COMMAND...: as root, in this directory
on() {
	if [ "$1" = n1 ]; then
		"${@:2}"
	else
		/usr/lib/testbed/on "$@"
	fi
}

# there NODE FUNCTION ARGS...: one of lib/node.sh, on that node
there() {
	# shellcheck disable=SC2016 # expanded there
	on "$1" env PISCES_ON_NODE=1 kernel_log_mark="${kernel_log_mark:-}" \
		bash -c '. lib/node.sh && "$@"' sh "${@:2}" < /dev/null
}

nodes_idle() {
	[ "$(sinfo -h -N -o '%N %T' | sort -u | xargs)" = "n1 idle n2 idle" ]
}

cluster_whole() {
	node_whole && there n2 node_whole
}

# cluster_recovers WHAT [SECONDS]: both nodes are whole again within 15 s of WHAT
cluster_recovers() {
	local node
	if wait_until "${2:-15}" cluster_whole; then
		pass "$1: both nodes are whole again"
		return
	fi
	fail "$1: both nodes are whole again"
	for node in n1 n2; do
		diag "$node: online $(on $node cat /sys/devices/system/cpu/online)" \
			"$(on $node pisces list 2>&1)"
	done
}

kernel_logs_start() {
	kernel_log_start
	# shellcheck disable=SC2016 # expanded there
	on n2 sh -c 'echo "$1" > /dev/kmsg' sh "$kernel_log_mark"
}

kernel_logs_clean() {
	local node
	for node in n1 n2; do
		is "$(there $node kernel_log_bad)" "" "the kernel log of $node is clean"
	done
}

# job_field NAME FIELD: of the last job of that name, also for a while after its end
job_field() {
	scontrol -o show job | grep " JobName=$1 " | tail -n 1 | grep -o " $2=[^ ]*" | head -n 1 |
		cut -d= -f2
}
