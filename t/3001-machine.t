#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A machine with more than one thing that the ordinary node has not: 12 CPUs, 5-level
# page tables, remapped interrupts. Each alone, and x2APIC: t/3002-machines.t.
if [ -n "${PISCES_ON_NODE:-}" ]; then
	# shellcheck source=t/lib/on-machine.sh
	. "$(dirname "$0")/lib/on-machine.sh"
fi
# shellcheck source=t/lib/machine.sh
. "$(dirname "$0")/lib/machine.sh"

# As with all tests for a node: without `contrib/quickstart check` there is none
"$here/../contrib/quickstart" status > /dev/null 2>&1 ||
	skip_all "no virtual node is up; \`contrib/quickstart check\` starts one"
on_machine 12cpus,la57,intremap
done_testing
