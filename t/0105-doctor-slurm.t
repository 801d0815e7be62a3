#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# pisces doctor reads Slurm's files: it finds what is recommended, and what is not.
. "$(dirname "$0")/lib/tap.sh"

top_builddir=${top_builddir:-$(cd "$(dirname "$0")/.." && pwd)/build}
pisces=$top_builddir/pisces
[ -x "$pisces" ] || skip_all "there is no $pisces (built without hwloc?)"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export SLURM_CONF=$dir/slurm.conf

# site PLUGSTACK-LINE: a site that does all that is recommended
site() {
	echo "$1" > "$dir/plugstack.conf"
	: > "$dir/enclave.so"
	cat > "$SLURM_CONF" <<-EOF
		PluginDir=$dir
		SlurmdParameters=config_overrides
		TaskPlugin=task/cgroup,task/affinity
		ProctrackType=proctrack/cgroup
		SelectTypeParameters=CR_Core_Memory
		NodeName=n1 CpuSpecList=0
	EOF
	printf 'ConstrainCores=yes\nConstrainRAMSpace=yes # as it should be\n' > "$dir/cgroup.conf"
}

# finds VERDICT WHAT [REMEDY]
finds() {
	run "$pisces" doctor
	like "$out" "(^|"$'\n'")$1 +$2 " "$2: $1"
	[ -z "${3:-}" ] || like "$out" "$2 [^"$'\n'"]*"$'\n'" +-> $3" "  and the line that repairs it"
}
finds_all() {
	local what
	for what in "Slurm plugin" "restart of slurmd" "step's CPUs" "step's memory" confinement \
		tracking "memory of jobs"; do
		finds ok "$what"
	done
}

site "required enclave.so"
finds_all
site "optional enclave.so"
finds advice "Slurm plugin" "required enclave.so"
site "required other.so"
finds BAD "Slurm plugin" "echo 'required enclave.so' >> $dir/plugstack.conf"
site "required enclave.so"
rm "$dir/enclave.so"
finds BAD "Slurm plugin"

# without WHAT FILE KEY REMEDY
without() {
	site "required enclave.so"
	sed -i "/$3=/d" "$dir/$2"
	finds advice "$1" "$4"
}
without "restart of slurmd" slurm.conf SlurmdParameters "SlurmdParameters=config_overrides"
without "step's CPUs" cgroup.conf ConstrainCores "ConstrainCores=yes in cgroup.conf"
without "step's memory" cgroup.conf ConstrainRAMSpace "ConstrainRAMSpace=yes in cgroup.conf"
without confinement slurm.conf TaskPlugin "TaskPlugin=task/cgroup"
without "memory of jobs" slurm.conf SelectTypeParameters "SelectTypeParameters=CR_Core_Memory"
site "required enclave.so"
sed -i 's|proctrack/cgroup|proctrack/linuxproc|' "$SLURM_CONF"
finds advice tracking "ProctrackType=proctrack/cgroup"
site "required enclave.so"
sed -i 's/^ConstrainCores=yes/# &/' "$dir/cgroup.conf"
finds advice "step's CPUs"
done_testing
