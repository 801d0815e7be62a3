#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `pisces run` boots a co-kernel and runs a program on it: on 1, 2 and 3 CPUs,
# on one NUMA node and on two, of several kinds of static program.
. "$(dirname "$0")/lib/node.sh"

kernel_log_start

for cpus in 1 2 3; do
	run pisces run --cpus=$cpus --mem=256M -- $examples/hello
	is "$rc" 0 "hello on $cpus CPU(s) ends well"
	like "$out" "CPUs:.*$cpus" "hello sees $cpus CPU(s)"
	like "$out" "Pisces co-kernel" "and that it is on a co-kernel"
	is "$err" "" "nothing on stderr"
done

run pisces run --cpu-list=2-3 --mem=256M -- $examples/hello
is "$rc" 0 "one NUMA node: CPUs 2 and 3 are node 1"
run pisces run --cpu-list=1,3 --mem=256M -- $examples/hello
is "$rc" 0 "two NUMA nodes: CPU 1 is on node 0, CPU 3 on node 1"

for program in hello-pie hello-nopie hello-musl; do
	[ -x $examples/$program ] || continue
	run pisces run --cpus=1 --mem=128M -- $examples/$program
	is "$rc" 0 "$program runs"
	like "$out" "Pisces co-kernel" "$program is inside"
done

run pisces run --cpus=1 --mem=128M -- busybox uname -a
like "$out" "^Linux $(hostname) .*Pisces co-kernel.*x86_64" "uname tells the truth: $out"

run pisces run --cpus=1 --mem=128M -- busybox echo one "two words" '' '*'
is "$out" "one two words  *" "arguments arrive as they were given"

run env -i PATH="$PATH" COLOUR=green pisces run --cpus=1 --mem=128M -- busybox env
like "$out" "COLOUR=green" "so does the environment"
unlike "$out" PISCES_PROXY "but not what the proxy was told"

run pisces run --cpus=1 --mem=128M -- /nowhere/at-all
is "$rc" 127 "a missing program: 127"
like "$err" "/nowhere/at-all" "the message names it: $err"

run pisces run --cpus=1 --mem=128M -- /etc/passwd
is "$rc" 126 "a file that is no program: 126"

run pisces run --cpus=64 --mem=128M -- $examples/hello
is "$rc" 1 "more CPUs than there are: refused"
like "$err" "64" "the message says what was asked: $err"

run pisces run --cpus=1 --mem=64G -- $examples/hello
is "$rc" 1 "more memory than there is: refused"
like "$err" "64 GiB" "the message says what was asked: $err"

node_recovers "after all that"
kernel_log_clean
done_testing
