#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The ways in which people start programs by Slurm: each of them goes into the enclave, or
# says why not; none runs on Linux without a word.
. "$(dirname "$0")/lib/node.sh"

kernel_log_start
job_is_over() { [ -z "$(squeue -h -j "$1" 2> /dev/null)" ]; }
ok "the node is idle" wait_until 60 node_idle
version=$(srun --version | awk '{ print $2 }')
newer() { [ "$(printf '%s\n' "$1" "$version" | sort -V | head -n 1)" = "$1" ]; }

# shellcheck disable=SC2016 # for the program's shell
where='echo in ${SLURM_ENCLAVE:-Linux}'
inside() { is "$rc:$out" "0:in lwk" "$1"; diag "$err"; }
outside() { is "$rc:$out" "0:in Linux" "$1"; diag "$err"; }
run_where() { run "$@" busybox sh -c "$where"; }

# ---- the option, and the environment that says the same ----

run_where srun --enclave=lwk
inside "srun --enclave=lwk"
node_recovers "srun --enclave=lwk"
run_where env ENCLAVE_KIND=lwk srun
inside "ENCLAVE_KIND=lwk srun"
run_where env ENCLAVE_KIND=lwk srun --export=NONE
inside "ENCLAVE_KIND=lwk srun --export=NONE"
run_where env ENCLAVE_KIND=lwk srun --enclave=none
outside "--enclave=none counts more than ENCLAVE_KIND=lwk"
run env ENCLAVE_MEM=lots srun --enclave=lwk true
unlike "$rc" '^0$' "ENCLAVE_MEM=lots is refused"
like "$err" "enclave: --enclave-mem: .*lots" "  with the reason"
run_where env ENCLAVE_MEM=256M srun
outside "ENCLAVE_MEM alone is a default, and makes no enclave"
run srun --enclave=lwk --export=NONE busybox sh -c 'echo "${HOME:-no home} $SLURM_ENCLAVE"'
is "$out" "no home lwk" "--export=NONE keeps the environment away, but not the enclave"
run srun --enclave=lwk --export=FROM=here busybox sh -c 'echo "$FROM $SLURM_ENCLAVE"'
is "$out" "here lwk" "--export=VARIABLE=VALUE"

printf '#!/bin/sh\n#SBATCH -n2\necho batch $SLURM_ENCLAVE\nsrun -n1 busybox sh -c "%s"\nsrun -n1 --enclave=none busybox sh -c "%s"\n' \
	'echo in \${SLURM_ENCLAVE:-Linux}' 'echo in \${SLURM_ENCLAVE:-Linux}' > job.sh
run env ENCLAVE_KIND=lwk sbatch -W -o "$PWD/batch.txt" job.sh
is "$rc" 0 "a batch job with ENCLAVE_KIND=lwk"
is "$(without_progress < batch.txt | tr '\n' ' ')" "batch in lwk in Linux " "  its steps, not the script, are inside"
run_where salloc -n1 --enclave=lwk srun
like "$out" "in lwk" "salloc --enclave=lwk srun"

# ---- what else srun can do ----

printf '#!/bin/sh\necho export FROM_PROLOG=yes\necho "print prolog ${SLURM_ENCLAVE:-Linux}"\n' > prolog
printf '#!/bin/sh\necho "epilog ${SLURM_ENCLAVE:-Linux}" > %s/epilog.txt\n' "$PWD" > epilog
chmod +x prolog epilog
run srun --enclave=lwk --task-prolog="$PWD/prolog" --task-epilog="$PWD/epilog" \
	busybox sh -c 'echo "$FROM_PROLOG $SLURM_ENCLAVE"'
is "$(tr '\n' ' ' <<< "$out")" "prolog Linux yes lwk " "a task prolog runs on Linux, and its variables reach the program"
is "$(cat epilog.txt)" "epilog Linux" "so does a task epilog"

cat > wrapper <<'END'
#!/bin/sh
export WRAPPED=$SLURM_PROCID
exec nice -n 1 env busybox sh -c 'echo $WRAPPED $SLURM_ENCLAVE'
END
chmod +x wrapper
run srun -n2 --enclave=lwk ./wrapper
is "$(sort <<< "$out" | tr '\n' ' ')" "0 lwk 1 lwk " "a script that sets something up and executes the program"

mkdir -p copied
run srun --enclave=lwk --bcast="$PWD/copied/busybox" "$(command -v busybox)" sh -c "$where"
inside "--bcast"
ok "  of the copy" test -e copied/busybox
run srun --enclave=lwk -D /usr busybox pwd
is "$rc:$out" 0:/usr "-D"; diag "$err"
run srun --enclave=lwk -n2 -o "$PWD/task-%t.txt" busybox sh -c 'echo "$SLURM_PROCID $SLURM_ENCLAVE"'
is "$(cat task-0.txt task-1.txt | tr '\n' ' ')" "0 lwk 1 lwk " "-o with a file for each task"
echo typed > typed.txt
run srun --enclave=lwk -n2 -l --input=1 busybox cat < typed.txt
is "$out" "1: typed" "--input=1: stdin is that of one task"
run srun --enclave=lwk -n2 -l busybox cat < typed.txt
is "$(sort <<< "$out" | tr '\n' ' ')" "0: typed 1: typed " "without it, all have it"
run srun --enclave=lwk --input=none busybox cat < typed.txt
is "$rc:$out" 0: "--input=none"
run srun --enclave=lwk -n2 --kill-on-bad-exit=1 \
	busybox sh -c 'if [ $SLURM_PROCID = 1 ]; then exit 3; fi; while :; do :; done'
like "$rc" '^(3|143|137)$' "--kill-on-bad-exit: the others do not go on alone ($rc)"
node_recovers "--kill-on-bad-exit"

printf '#!%s sh\necho "$1 in ${SLURM_ENCLAVE:-Linux}"\n' "$(command -v busybox)" > where
chmod +x where
printf '0-1 ./where %%t\n' > programs
run srun -n2 --enclave=lwk --multi-prog programs
if newer 23.11; then
	is "$(sort <<< "$out" | tr '\n' ' ')" "0 in lwk 1 in lwk " "--multi-prog"
else
	is "$rc" 1 "--multi-prog is refused"
	like "$err" "enclave: --enclave and --multi-prog do not go together" "  with the reason"
fi

printf '#!/bin/sh\necho "in ${SLURM_ENCLAVE:-Linux}"\n' > orted
chmod +x orted
run srun --enclave=lwk ./orted
outside "what mpirun starts by srun stays on Linux"

run srun -v --enclave=lwk busybox true
like "$progress" "enclave: n1: taking CPU" "srun -v tells what is done: taking CPUs"
like "$progress" "enclave: n1: taking .* of memory of NUMA node" "  memory"
like "$progress" "enclave: n1: all was given back to Linux in [0-9.]+ s" "  and that all is given back"

# ---- components of a heterogeneous srun have one set of a plugin's options ----

run srun --enclave=lwk busybox true : --enclave=none busybox true
unlike "$rc" '^0$' "two kinds in a heterogeneous srun are refused"
like "$err" "enclave: the components .*--enclave=lwk:none" "  with what to write"
run srun --enclave=lwk busybox true : busybox true
like "$err" "enclave: the components .*--enclave=lwk:none" "so is one for the first component only"
run srun --enclave=lwk:moon busybox true
like "$err" "enclave: --enclave: .*moon" "each kind of a list is checked"
run srun --enclave=lwk:none busybox sh -c "$where"
is "$rc" 1 "a list of kinds for a job that is not heterogeneous is refused"
like "$err" "enclave: --enclave=lwk:none has a kind for each component" "  with the reason"
is "$out" "" "  and nothing is run"

# ---- in one allocation: some CPUs of a step for the enclave, others for Linux ----

cat > job.sh <<-EOF
	#!/bin/bash
	#SBATCH -n1 -c3 --mem=600M
	srun -n1 -c3 --mem=400M --overlap --enclave=lwk --enclave-cpus=2 busybox sh -c \
		'trap "exit 0" USR1; echo has CPUs; while :; do :; done' > inside.txt 2>&1 &
	until grep -q has inside.txt || ! kill -0 \$!; do sleep 0.2; done
	srun -n1 -c3 --mem=100M --overlap busybox sh -c 'echo beside in \${SLURM_ENCLAVE:-Linux}'
	echo rc \$?
	scancel -s USR1 \$SLURM_JOB_ID.0
	wait
EOF
run sbatch -W -o "$PWD/batch.txt" job.sh
diag "$(cat batch.txt inside.txt)"
like "$(cat batch.txt)" "enclave: of CPUs [0-9,-]+ of this step, [0-9]+ are with Linux" \
	"a step that overlaps one with --enclave-cpus hears which CPUs it has"
like "$(cat batch.txt)" "beside in Linux.*rc 0" "and runs on them"
ok "the node is idle" wait_until 60 node_idle

# ---- a node whose Slurm does not load the plugin ----

there=/etc/slurm/plugstack.conf.d
mkdir -p login away
sed "s|^PlugStackConfig=.*|PlugStackConfig=$PWD/login/plugstack.conf|" /etc/slurm/slurm.conf > login/slurm.conf
cat $there/*.conf > login/plugstack.conf
trap 'mv away/*.conf $there/' EXIT
mv $there/*.conf away/
run env SLURM_CONF="$PWD/login/slurm.conf" srun --enclave=lwk busybox sh -c "$where"
mv away/*.conf $there/
trap - EXIT
unlike "$rc" '^0$' "the program is not run by a node that does not load the plugin"
is "$out" "" "  not even outside"
like "$err" "this-node-does-not-load-enclave.so/busybox: No such file" "  and the message says so"
diag "$err"
run_where srun --enclave=lwk
inside "with the plugin it is"

node_recovers "after all that"
ok "the node is idle" wait_until 60 node_idle
kernel_log_clean
done_testing
