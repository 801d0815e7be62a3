#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What srun, sbatch and salloc know of --enclave, and what they refuse at once:
# the commands themselves with the built plugin, and no daemon anywhere.
. "$(dirname "$0")/lib/tap.sh"

plugin=${ENCLAVE_SO:-$(cd "${top_builddir:-.}" && pwd)/.libs/enclave.so}
[ -e "$plugin" ] || skip_all "the SPANK plugin was not built"
command -v srun > /dev/null || skip_all "this machine has no srun"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export SLURM_CONF=$dir/slurm.conf
cat > "$SLURM_CONF" <<-EOF
	ClusterName=none
	SlurmctldHost=$(hostname)(127.0.0.1)
	SlurmctldPort=1
	AuthType=auth/none
	CredType=cred/none
	PlugStackConfig=$dir/plugstack.conf
	MessageTimeout=2
	NodeName=$(hostname) CPUs=1
	PartitionName=all Nodes=ALL Default=YES
EOF

# plugstack WORDS: the plugin with these arguments
plugstack() { echo "required $plugin $*" > "$dir/plugstack.conf"; }

# No controller answers, so whatever passes the plugin ends there.
passes() { like "$err" "slurm controller|Unable to (contact|allocate)|allocation failure" "$1 goes on to the controller"; }
refused() {
	is "$rc" 255 "$1 is refused: ${err%%$'\n'*}"
	like "$err" "enclave: $2" "  with the reason"
	unlike "$err" "controller" "  before anything else"
}

plugstack
for command in srun sbatch salloc; do
	run $command --help
	like "$out" "--enclave=KIND" "$command --help has --enclave"
	like "$out" "--enclave-mem=SIZE" "and --enclave-mem"
	like "$out" "--enclave-cpus=NUMBER" "and --enclave-cpus"
	like "$out" "--enclave-smt=" "and --enclave-smt"
	unlike "$out" "enclave-(device|image)" "and nothing that does not work yet"
done

run srun --enclave=moon true
refused "an unknown kind" "--enclave: .*'moon'"
run srun --enclave=vm true
refused "a kind of the future" "--enclave: .*'vm'.*not in this release"
run srun --enclave= true
refused "an empty kind" "--enclave"
run srun --enclave=lwk --enclave-mem=lots true
refused "a size that is none" "--enclave-mem: .*lots"
run srun --enclave=lwk --enclave-mem=-5G true
refused "a negative size" "--enclave-mem: .*-5G"
run srun --enclave=lwk --enclave-smt=off true
refused "another word for SMT siblings" "--enclave-smt: .*off.*keep or split"
run srun --enclave=lwk "--enclave-name=a b" true
refused "a name with a space" "--enclave-name: .*a b"
run srun --enclave=lwk "--enclave-name=a#b" true
refused "a value that sbatch would cut" "--enclave-name: .*#"
for option in device=0000:00:03.0 image=vm.img; do
	run srun --enclave=lwk --enclave-$option true
	refused "--enclave-$option" "--enclave-${option%%=*}: .*not in this release"
done

run srun --enclave-mem=1G true
is "$rc" 1 "--enclave-mem alone is refused"
like "$err" "enclave: --enclave-mem alone makes no enclave: add --enclave=lwk" "  with what to add"

limit=20
run srun --enclave=lwk --enclave-mem=1.5g --enclave-smt=split --enclave-name=ours true
passes "a good request"
run srun --enclave=none true
passes "--enclave=none"
run srun true
passes "srun without an option of ours"
run env SLURM_SPANK__SLURM_SPANK_OPTION_enclave_enclave_mem=1G srun true
passes "--enclave-mem that was inherited from a batch job without --enclave"
run env SLURM_SPANK__SLURM_SPANK_OPTION_enclave_enclave=lwk srun --enclave=none true
passes "--enclave=none against an inherited --enclave=lwk"
run env SLURM_SPANK__SLURM_SPANK_OPTION_enclave_enclave=moon srun true
unlike "$rc" '^0$' "an inherited kind that does not exist is refused"
like "$err" "enclave: --enclave: .*moon" "  with the reason"

# ---- the environment that says the same ----

run env ENCLAVE_KIND=moon srun true
unlike "$rc" '^0$' "ENCLAVE_KIND=moon is refused"
like "$err" "enclave: --enclave: .*moon" "  with the reason"
run env ENCLAVE_KIND=moon sbatch --wrap true
unlike "$rc" '^0$' "by sbatch as well"
run env ENCLAVE_KIND=lwk ENCLAVE_MEM=512M ENCLAVE_CPUS=2 ENCLAVE_SMT=split ENCLAVE_NAME=ours srun true
passes "what is good in the environment"
run env ENCLAVE_MEM=512M srun true
passes "ENCLAVE_MEM alone, which is a default"
run env ENCLAVE_KIND=moon SLURM_SPANK__SLURM_SPANK_OPTION_enclave_enclave=lwk srun true
passes "an inherited --enclave=lwk, against ENCLAVE_KIND=moon"

# ---- the components of a heterogeneous job ----

run srun --enclave=lwk:none true : true
passes "a list of kinds"
run srun --enclave=lwk:moon true : true
refused "a list with a kind that there is not" "--enclave: .*'moon'"
run srun --enclave=lwk: true : true
refused "a list with an empty kind" "--enclave: "
for options in "--enclave=lwk true : --enclave=none true" "--enclave=lwk true : true" "true : --enclave=lwk true"; do
	# shellcheck disable=SC2086 # words
	run srun $options
	unlike "$rc" '^0$' "srun $options is refused"
	like "$err" "enclave: the components of a heterogeneous job have one --enclave.*--enclave=lwk:none" \
		"  with what to write"
	unlike "$err" "controller" "  before anything else"
done
run srun --enclave=lwk true : --enclave=lwk true
passes "the same kind for each component"
run env SLURM_SPANK__SLURM_SPANK_OPTION_enclave_enclave=lwk srun true : true
passes "an inherited kind for all components"

cat > "$dir/job.sh" <<-EOF
	#!/bin/sh
	#SBATCH --enclave=moon
	true
EOF
run sbatch "$dir/job.sh"
unlike "$rc" '^0$' "a bad #SBATCH --enclave is refused at submission"
like "$err" "enclave: --enclave: .*moon" "  with the reason"

plugstack default_mem=512M image=/usr/lib/pisces/cokernel.bin proxy=/usr/libexec/pisces/pisces-proxy
run srun --enclave=lwk true
passes "with good words in plugstack.conf a good request"
for word in colour=green default_mem=lots image=here proxy= default_mem; do
	plugstack $word
	run srun --enclave=lwk true
	is "$rc" 1 "the word '$word' in plugstack.conf"
	like "$err" "enclave: plugstack.conf: .*${word#*=}" "  is refused: ${err%%$'\n'*}"
	run srun true
	passes "  but only to those who want an enclave:"
done
done_testing
