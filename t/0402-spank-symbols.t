#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# enclave.so lives in srun, slurmd and slurmstepd beside other plugins: what it
# shows them is what SPANK asks for, and what it needs of them is there.
. "$(dirname "$0")/lib/tap.sh"

plugin=${ENCLAVE_SO:-$(cd "${top_builddir:-.}" && pwd)/.libs/enclave.so}
[ -e "$plugin" ] || skip_all "the SPANK plugin was not built"

exported=$(nm -D --defined-only "$plugin" | awk '{ print $3 }' | sort | tr '\n' ' ')
is "$exported" "plugin_name plugin_type plugin_version slurm_spank_exit slurm_spank_init \
slurm_spank_init_post_opt slurm_spank_job_epilog slurm_spank_local_user_init \
slurm_spank_task_exit slurm_spank_task_init slurm_spank_task_post_fork slurm_spank_user_init spank_plugin_version " \
	"exported is what SPANK looks for"

# Functions of Slurm: those of spank.h, and some that may be missing.
undefined=$(nm -D --undefined-only "$plugin" | awk '$1 == "U" { print $2 }' | grep -v @)
is "$(grep -vE '^(spank_|slurm_(error|info|spank_log)$|pthread_|hwloc_)' <<< "$undefined" |
	tr '\n' ' ')" "" "needed of Slurm is what spank.h has"
weak=$(nm -D --undefined-only "$plugin" | awk '$1 == "w" { print $2 }' | grep -v '^_\|@' | tr '\n' ' ')
is "$weak" "slurm_conf slurm_conf_get_res_spec_info slurm_get_log_level slurm_xstrdup xcpuinfo_abs_to_mac " "and what may be missing"

unlike "$(nm -D --undefined-only "$plugin")" "pthread_create| (fork|system|popen)@" \
	"no thread is made in slurmstepd, and no process but by posix_spawn"
like "$(nm -D --undefined-only "$plugin")" "posix_spawn" "(which the epilog does)"
done_testing
