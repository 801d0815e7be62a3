#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Machines that the ordinary node is not, one after the other, each a node of its own.
# MACHINES: only these.
if [ -n "${PISCES_ON_NODE:-}" ]; then
	# shellcheck source=t/lib/on-machine.sh
	. "$(dirname "$0")/lib/on-machine.sh"
fi
# shellcheck source=t/lib/machine.sh
. "$(dirname "$0")/lib/machine.sh"

for machine in ${MACHINES:-12cpus smt la57 intremap x2apic gbpages meltdown 12cpus,la57,x2apic}; do
	on_machine "$machine"
done
done_testing
