#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What stands against an enclave, in each hook of the plugin where it is met: srun says it in
# one line and fails, the job has FAILED, and the node stays in service. As a table at the end.
limit_file=1800
. "$(dirname "$0")/lib/node.sh"

kernel_log_start
job_is_over() { ! squeue -h -j "$1" 2> /dev/null | grep -q .; }
field() { scontrol -o show job "$1" | grep -o "$2=[^ ]*" | head -n 1 | cut -d= -f2; }
ok "the node is idle" wait_until 60 node_idle

conf=/etc/slurm/plugstack.conf.d/enclave.conf
image=/usr/lib/pisces/cokernel.bin
proxy=/usr/libexec/pisces/pisces-proxy
cp $conf conf.good
# Whatever happens, other tests find the node as it was.
put_right() {
	cp conf.good $conf
	for file in $image $proxy; do [ ! -e $file.away ] || mv $file.away $file; done
	chmod +x $proxy
	rm -f /dev/shm/hog
	modprobe pisces
}
trap put_right EXIT
plug() { echo "required enclave.so $*" > $conf; }
table=()

# What srun's plugin is told if the node's is told something else.
mkdir -p login
cp $conf login/plugstack.conf
sed "s|^PlugStackConfig=.*|PlugStackConfig=$PWD/login/plugstack.conf|" /etc/slurm/slurm.conf > login/slurm.conf

# fails HOOK CAUSE CODE REGEX SRUN-WORDS...: a batch job that is such an srun
fails() {
	local hook=$1 cause=$2 code=$3 words=$4 job lines state exit_code node
	shift 4
	printf '#!/bin/sh\n#SBATCH -n3 --mem=%s\nexec %s\n' "${job_mem:-600M}" "$*" > job.sh
	job=$(sbatch --parsable -o "$PWD/out.txt" job.sh)
	wait_until 120 job_is_over "$job" || diag "$cause: the job does not end"
	state=$(field "$job" JobState)
	exit_code=$(field "$job" ExitCode)
	lines=$(without_progress < out.txt | grep -cE 'enclave: |this-node-does-not-load-enclave.so')
	is "$state $exit_code" "FAILED $code:0" "$cause: the job has failed, with $code"
	is "$lines" 1 "  there is one line"
	like "$(cat out.txt)" "$words" "  which says: $(grep -oE '(enclave: |this-node-).*' out.txt | head -n 1)"
	unlike "$(cat out.txt)" "not to be seen" "  nothing ran"
	ok "  the node is idle" wait_until 60 node_idle
	ok "  and whole" wait_until 30 node_whole
	node=$(sinfo -h -o %T)
	table+=("$(printf '%-15s %-32s %5s %6s %-11s %-6s' "$hook" "$cause" "$code" "$lines" "$state" "$node")")
	diag "$(tr '\n' '|' < out.txt | cut -c 1-500)"
}

run="srun --enclave=lwk -n1 -c2 --mem=300M"
seen="busybox echo not to be seen"

# ---- init_post_opt: nothing of the node has been taken yet ----

rmmod pisces
fails init_post_opt "module not loaded" 1 "not loaded on node n1: modprobe pisces" "$run $seen"
modprobe pisces
plug colour=green
fails init_post_opt "bad word in plugstack.conf" 1 "plugstack.conf: 'colour=green' is no argument" \
	"env SLURM_CONF=$PWD/login/slurm.conf $run $seen"
cp conf.good $conf
fails init_post_opt "option of another release" 1 "--enclave-mem: 'lots' is not a size" \
	"env SLURM_CONF=$PWD/login/slurm.conf $run --export=ALL,_SLURM_SPANK_OPTION_enclave_enclave_mem=lots $seen"

# ---- task_post_fork: plan, take, boot ----

mv $image $image.away
fails task_post_fork "image missing" 1 "the co-kernel $image on node n1 cannot be opened" "$run $seen"
mv $image.away $image
cp $image other.bin
printf '~' | dd of=other.bin bs=1 seek=16 conv=notrunc status=none
plug image="$PWD/other.bin"
fails task_post_fork "image of another build" 1 "is of build ~.*install both from one build" "$run $seen"
head -c 5000 $image > short.bin
plug image="$PWD/short.bin"
fails task_post_fork "image damaged" 1 "short.bin is damaged" "$run $seen"
cp conf.good $conf
fails task_post_fork "more memory than the step has" 1 "64 GiB of memory were asked for the enclave" \
	"$run --enclave-mem=64G $seen"
fails task_post_fork "more CPUs than the step has" 1 "3 CPUs were asked for, and there are 2" \
	"$run --enclave-cpus=3 $seen"

# Memory that Linux needs itself; Slurm does not know of it.
numactl --interleave=all head -c 1900M /dev/zero > /dev/shm/hog
job_mem=2100M fails task_post_fork "Linux has no memory left" 1 "2000 MiB of memory were asked" \
	"srun --enclave=lwk -n1 -c3 --mem=2000M $seen"
rm /dev/shm/hog

pisces run --cpu-list=3 --mem=128M --name=other -- $examples/spin $((120 * slow)) > spin.txt 2>&1 & other=$!
wait_until 60 grep -q computing spin.txt
node_whole() { [ "$(< /sys/devices/system/cpu/online)" = 0-2 ]; }
fails task_post_fork "CPU is another enclave's" 1 "CPU 3 is not online in Linux" \
	"srun --enclave=lwk -n1 -c3 --mem=300M --cpu-bind=none $seen"
kill $other
wait $other 2> /dev/null
# shellcheck source=t/lib/node.sh
node_whole() {
	[ "$(< /sys/devices/system/cpu/online)" = "$node_cpus" ] && ! grep -q 'pisces enclave' /proc/iomem
}
ok "the other enclave is over" wait_until 30 node_whole

plug append=crash=panic@booting
fails task_post_fork "co-kernel panics at boot" 1 "the co-kernel on node n1 died while it booted: ." "$run $seen"
plug append=crash=hang-irqs-off@booting
fails task_post_fork "co-kernel hangs at boot" 1 "the co-kernel on node n1 (died while it booted|did not come up in time)" "$run $seen"
cp conf.good $conf

# ---- task_init: the task itself ----

mv $proxy $proxy.away
fails task_init "proxy missing" 1 "the proxy $proxy: No such file" "$run $seen"
mv $proxy.away $proxy
chmod -x $proxy
fails task_init "proxy not executable" 1 "the proxy $proxy: Permission denied" "$run $seen"
chmod +x $proxy

# ---- no hook, but what was executed, and later ----

mv $conf away.conf
fails "(none)" "node does not load the plugin" 2 "this-node-does-not-load-enclave.so/busybox: No such file" \
	"env SLURM_CONF=$PWD/login/slurm.conf $run $seen"
mv away.conf $conf
# One built for another Slurm, by the version in it. As "required", slurmd would not start with it.
plugin=$(find /usr/lib -name enclave.so)
version=$(srun --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+')
perl -pe 'BEGIN {
		($a, $b, $c) = split /\./, shift;
		($here, $other) = (pack("V", $a << 16 | $b << 8 | $c), pack("V", $a - 1 << 16 | $b << 8 | $c));
	}
	s/\Q$here/$other/g' "$version" "$plugin" > other.so
ok "a plugin of another Slurm" eval '! cmp -s other.so "$plugin"'
echo "optional $PWD/other.so" > $conf
fails "(none)" "plugin of another Slurm" 2 "this-node-does-not-load-enclave.so/busybox: No such file" \
	"env SLURM_CONF=$PWD/login/slurm.conf $run $seen"
cp conf.good $conf
fails "(proxy)" "no such program" 127 "cannot run /nowhere: no such file" "$run /nowhere"
fails "(proxy)" "program not executable" 126 "cannot run /etc/passwd: no permission to execute" "$run /etc/passwd"
plug append=crash=panic
fails "(task_exit)" "co-kernel dies under the program" 125 "the co-kernel of enclave [0-9]+ died" "$run $examples/crash"
cp conf.good $conf

run srun --enclave=lwk -n1 -c2 $examples/hello
is "$rc" 0 "with all of that put right, the next step runs"
diag "$(printf '%-15s %-32s %5s %6s %-11s %-6s' hook cause srun lines job node)"
for row in "${table[@]}"; do diag "$row"; done
node_recovers "after all that"
kernel_log_clean
done_testing
