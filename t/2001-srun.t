#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# srun --enclave=lwk: output, input, exit codes, several tasks.
. "$(dirname "$0")/lib/node.sh"

kernel_log_start
ok "the node is idle" wait_until 60 node_idle

run srun --enclave=lwk -c2 --mem=512M $examples/hello
is "$rc" 0 "hello on 2 CPUs and 512M"
like "$out" "CPUs:.*2" "sees 2 CPUs"
like "$out" "Pisces co-kernel" "on a co-kernel"
is "$err" "" "without noise"
diag "$out"

for cpus in 1 3; do
	run srun --enclave=lwk -c$cpus --mem=256M $examples/hello
	is "$rc" 0 "hello on $cpus CPU(s)"
	like "$out" "CPUs:.*$cpus" "sees them"
done

run srun --enclave=lwk --enclave-mem=200M -c1 $examples/hello
is "$rc" 0 "--enclave-mem"

head -c 64M /dev/urandom > data
is "$(srun --enclave=lwk busybox sha256sum < data)" "$(sha256sum < data)" \
	"busybox sha256sum of 64 MiB of stdin"

for code in 0 1 77 255; do
	run srun --enclave=lwk busybox sh -c "exit $code"
	is "$rc" $code "exit code $code"
done

run srun --enclave=lwk $examples/fault
is "$rc" 139 "death by SEGV is srun's 139"
like "$err" "rip 0x" "with a message: $err"

run srun --enclave=lwk -n3 -l --mem=512M $examples/hello
is "$rc" 0 "three tasks in one enclave"
for task in 0 1 2; do
	like "$out" "$task: .*Pisces co-kernel" "task $task is inside, and labelled"
done
is "$(grep -o 'CPUs:.*' <<< "$out" | sort -u | wc -l)" 3 "each task has CPUs of its own"
diag "$out"

run srun --enclave=lwk -c2 $examples/omp
is "$rc" 0 "an OpenMP program on 2 CPUs"
like "$out" "2 CPUs" "uses them"

run srun --enclave=lwk env
unlike "$out" "PISCES_PROXY" "the proxy's variables stay with the proxy"

run srun --enclave=none uname -v
unlike "$out" "co-kernel" "--enclave=none is plain Linux"

id user > /dev/null 2>&1 || useradd -m user
run runuser -u user -- srun --enclave=lwk busybox id -u
is "$out" "$(id -u user)" "a plain user's program has her uid"

ok "the node is idle again" wait_until 60 node_idle
node_recovers "after all that"
kernel_log_clean
done_testing
