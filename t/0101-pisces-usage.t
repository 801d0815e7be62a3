#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# pisces(1) without any enclave: help, usage errors, plans, and a node that is not
# ready. Exit codes: 0 it is done, 1 it failed, 2 the command line was wrong.
. "$(dirname "$0")/lib/tap.sh"

top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
top_builddir=${top_builddir:-$top_srcdir/build}
pisces=$top_builddir/pisces
topologies=$top_srcdir/t/topologies
[ -x "$pisces" ] || skip_all "there is no $pisces (built without hwloc?)"

commands="run resize list top stat console dump plan draw doctor reclaim slurmd"

run "$pisces"
is "$rc" 2 "no command: exit code 2"
like "$err" "usage: pisces COMMAND" "and the usage on stderr"
run "$pisces" dance
is "$rc" 2 "an unknown command: exit code 2"
like "$err" "dance" "it is named: $err"
for way in --help -h help; do
	run "$pisces" $way
	is "$rc" 0 "pisces $way: exit code 0"
	for command in $commands; do like "$out" "  $command " "it has $command"; done
done
run "$pisces" version
is "$rc" 0 "pisces version"
like "$out" "^pisces [0-9.]+, build [0-9a-f]{32}$" "says $out"

for command in $commands; do
	run "$pisces" $command --help
	is "$rc" 0 "pisces $command --help"
	like "$out" "^usage: pisces $command" "shows its usage on stdout"
	is "$err" "" "and nothing on stderr"
	help=$out
	run "$pisces" help $command
	is "$out" "$help" "pisces help $command is the same"
	run "$pisces" $command --colour
	is "$rc" 2 "pisces $command --colour: exit code 2"
	like "$err" "^pisces $command: --colour .*--help" "it is named: $err"
	is "$(wc -l <<< "$err")" 1 "in one line"
done

# What is wrong on the command line is found before anything is done.
usage() {
	local what=$1
	shift
	run "$pisces" "$@"
	is "$rc" 2 "pisces $*: exit code 2"
	like "$err" "$what" "says why: $err"
	is "$out" "" "nothing on stdout"
}
usage "which program" run
usage "which program" run --cpus=2
usage "which program" run --
usage "zero" run --cpus=zero -- true
usage "1 to 1024" run --cpus=0 -- true
usage "lots" run --mem=lots -- true
usage "1-" run --cpu-list=1- -- true
usage "needs a value" run --mem
usage "letters" run --name='a b' -- true
usage "'1.5'" run --tasks=1.5 -- true
usage "1 to 1024" run --tasks=0 -- true
usage "nobody-at-all" run --user=nobody-at-all -- true
usage "#" run --append='one # two' -- true
usage "'extra'" list extra
usage "one enclave" stat
usage "one enclave" console 1 2
usage "'extra'" plan extra
usage "'extra'" doctor extra
usage "'-5'" reclaim --job=-5
usage "'0'" reclaim --job=0

# Plans of other machines.
run "$pisces" plan --topology="$topologies/two-sockets-smt.xml" --cpus=2 --mem=1G
is "$rc" 0 "a plan on a machine in a file"
like "$out" "2 CPUs \(1,9\), 1 GiB" "names CPUs and memory"
like "$out" "NUMA node 0 +CPUs 1,9, 1 GiB" "by NUMA node"
like "$out" "proxy +CPUs 0,2-8,10-15" "and where the proxy may run"
run "$pisces" plan --topology="package:2 core:2 pu:1" --allocation=0-1 --mem=64M
is "$rc" 0 "a plan on a machine in hwloc's words"
like "$out" "note .*CPU 0" "with a note about CPU 0"
run "$pisces" plan --topology="package:2 core:2 pu:1" --cpus=64
is "$rc" 1 "what does not work: exit code 1"
like "$err" "^enclave: 64 CPUs .*at most 3" "says what would: $err"
run "$pisces" plan --topology="package:1 core:1 pu:1"
is "$rc" 1 "one CPU is not enough"
run "$pisces" plan --topology=/nowhere/at-all.xml
is "$rc" 1 "no such file"
like "$err" "/nowhere/at-all.xml: No such file" "says so: $err"

run "$pisces" plan --topology="$topologies/uneven.xml" --cpus=7 --mem=700M --json
is "$rc" 0 "the plan for programs"
summary=$(perl -MJSON::PP -0777 -e '
	my $plan = decode_json(<STDIN>);
	print join(",", map { $_->{cpu} . "@" . $_->{node} } @{$plan->{cpus}}), " ",
		join(",", map { ($_->{size} >> 20) . "@" . $_->{node} } @{$plan->{memory}}),
		" $plan->{linux_cpus}"' <<< "$out")
is "$summary" '1@0,2@1,3@1,4@1,5@1,6@1,7@1 100@0,600@1 0' "is JSON"

# A plan of this machine is one, or says why not.
run "$pisces" plan --mem=64M
like "$rc$out$err" "^(0enclave +[0-9]+ CPU|1enclave: )" "a plan of this machine: ${out%%$'\n'*}$err"
run env HWLOC_SYNTHETIC="package:2 core:2 pu:1" "$pisces" plan
is "$rc" 1 "a plan of this machine is not one of another"
like "$err" "HWLOC_" "that the environment describes: $err"

# The doctor says yes or no by its exit code, in the same way for programs.
run "$pisces" doctor
like "$rc" "^[01]$" "pisces doctor"
if [ "$rc" -eq 0 ]; then
	like "$out" "is ready" "finds this machine ready"
else
	like "$out" "is not ready" "finds this machine not ready"
	like "$out" "BAD .*
 .*-> " "each finding has the line that repairs it"
fi
verdict=$rc
run "$pisces" doctor --json
is "$rc" "$verdict" "the same with --json"
bad=$(perl -MJSON::PP -0777 -e '
	print scalar grep { $_->{verdict} eq "BAD" } @{decode_json(<STDIN>)}' <<< "$out")
is "$((bad > 0))" "$verdict" "$bad BAD findings"

# Standard output that cannot be written is a failure, not a shorter list.
run bash -c '"$1" plan --topology="package:2 core:2 pu:1" > /dev/full' sh "$pisces"
is "$rc" 1 "a full disk is no success"

if [ ! -e /dev/pisces ]; then
	for command in list "list --json" "stat 1" "console 1" "run -- true"; do
		# shellcheck disable=SC2086 # words are arguments
		run "$pisces" $command
		is "$rc" 1 "without the module, pisces $command: exit code 1"
		is "$err" "enclave: the kernel module is not loaded on node $(hostname): modprobe pisces" \
			"says what to do"
		is "$out" "" "nothing on stdout"
	done
fi

done_testing
