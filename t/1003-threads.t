#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Threads use all CPUs of their task; time is read without a trap.
. "$(dirname "$0")/lib/node.sh"

kernel_log_start

run pisces run --cpus=2 --mem=256M -- $examples/omp
is "$rc" 0 "a static OpenMP program on 2 CPUs"
like "$out" "2 threads" "has 2 threads"
like "$out" "2 CPUs" "which were on 2 CPUs"

run env OMP_NUM_THREADS=5 pisces run --cpus=2 --mem=256M -- $examples/omp
is "$rc" 0 "5 OpenMP threads share 2 CPUs"

run pisces run --cpus=3 --mem=256M -- $examples/threads
is "$rc" 0 "pthreads: mutexes, conditions, joins on 3 CPUs"
diag "$out"

run pisces run --cpus=1 --mem=256M -- $examples/threads
is "$rc" 0 "the same on 1 CPU"

run pisces run --cpus=1 --mem=128M -- $examples/clock
is "$rc" 0 "clock_gettime runs on"
like "$out" "0 system calls" "and does not trap"
diag "$out"

inside=$(pisces run --cpus=1 --mem=128M -- busybox date +%s)
outside=$(date +%s)
ok "the wall clock is Linux's ($inside, $outside)" test $((outside - inside)) -le 10 -a $((inside - outside)) -le 2

node_recovers "after all that"
kernel_log_clean
done_testing
