# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Sourced by tests that change the node's Slurm and start it again; slurm_restore puts
# back what was there.

# slurm_conf SED-SCRIPT: slurm.conf as it was when the test began, changed by the script.
slurm_conf() {
	[ -e slurm.conf.before ] || cp /etc/slurm/slurm.conf slurm.conf.before
	sed -e "$1" slurm.conf.before > /etc/slurm/slurm.conf
}

# All daemons anew, and the node idle. A changed node is one that the controller has not seen.
slurm_restart() {
	pkill -TERM -x slurmd
	wait_until 30 gone slurmd || diag "slurmd does not end"
	pkill -TERM -x slurmctld
	wait_until 30 gone slurmctld || diag "slurmctld does not end"
	rm -rf /run/slurmctld
	install -d -o slurm /run/slurmctld
	install -o slurm /dev/null /run/slurmctld.pid
	runuser -u slurm -- /usr/sbin/slurmctld
	wait_until 60 scontrol ping > /dev/null || diag "slurmctld does not answer"
	slurmd -N n1
	wait_until 60 slurmd_answers || diag "slurmd does not answer"
	wait_until 120 node_idle
}

slurm_restore() {
	slurm_conf ''
	slurm_restart
}
