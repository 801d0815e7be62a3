#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Drawings of plans on machines that nobody here has: as text, and as SVG with the
# colours and the legend looked at; what is said where there is no lstopo.
. "$(dirname "$0")/lib/tap.sh"

top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
top_builddir=${top_builddir:-$top_srcdir/build}
pisces=$(cd "$top_builddir" && pwd)/pisces
[ -x "$pisces" ] || skip_all "there is no $pisces (built without hwloc?)"
command -v lstopo-no-graphics > /dev/null || skip_all "lstopo is not here (hwloc-nox)"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
machine="package:2 [numa(memory=8589934592)] core:4 pu:2"

# draw FILE WORDS: the plan with these options to a file
draw() {
	local file=$dir/$1
	shift
	run "$pisces" plan "$@" --draw="$file"
}

draw plan.txt --topology="$machine" --cpus=4 --mem=1G --name=sim
is "$rc" 0 "a drawing as text: $err"
like "$out" "4 CPUs" "the plan itself is printed as well"
text=$(cat "$dir/plan.txt")
diag "$text"
for cpu in 2 3 4 5; do like "$text" "A P#$cpu " "CPU $cpu has the letter of the enclave"; done
for cpu in 0 1 6 7 8 15; do like "$text" "PU P#$cpu " "CPU $cpu is Linux's"; done
is "$(grep -o 'A P#' <<< "$text" | wc -l)" 4 "four CPUs have it"
is "$(grep -o 'PU P#' <<< "$text" | wc -l)" 12 "and twelve have not"
is "$(grep -o 'A: 1 GiB' <<< "$text" | wc -l)" 1 "its memory is in one NUMA node"
like "$text" "A = enclave sim: CPUs 2-5; 1 GiB: 1 GiB of NUMA node 0" "the legend"

draw plan.svg --topology="$machine" --cpus=10 --mem=1G --name=wide
is "$rc" 0 "a drawing as SVG: $err"
svg=$(cat "$dir/plan.svg")
like "$svg" "<svg " "is SVG"
colours() { grep "class='$1'" <<< "$svg" | grep -o "fill='rgb([0-9,]*)' stroke" | sort | uniq -c | sort -n; }
is "$(colours PU | wc -l)" 2 "PUs have two colours"
is "$(colours PU | awk '{ print $1 }' | xargs)" "6 10" "ten PUs one, six the other"
ours=$(colours PU | tail -1 | grep -o 'rgb([0-9,]*)')
is "$(colours Misc | grep -o 'rgb([0-9,]*)')" "$ours" "its memory has the colour of its PUs: $ours"
is "$(colours Misc | awk '{ print $1 }')" 2 "in both NUMA nodes"
is "$(colours Core | grep -F "$ours" | awk '{ print $1 }')" 5 "and its five cores"
like "$svg" "A = enclave wide: CPUs [0-9,-]+; 1 GiB: [0-9]+ MiB of NUMA node 0, [0-9]+ MiB of NUMA node 1" \
	"the legend"

draw smt.txt --topology="$top_srcdir/t/topologies/two-sockets-smt.xml" --cpus=3 --mem=1G
is "$rc" 0 "on a machine in XML"
is "$(grep -o 'A P#' "$dir/smt.txt" | wc -l)" 4 "with the sibling that came along"
like "$out" "note +4 CPUs, not 3: [0-9]+ came along" "which the note tells"
draw split.txt --topology="$top_srcdir/t/topologies/two-sockets-smt.xml" --cpus=3 --mem=1G --smt=split
is "$(grep -o 'A P#' "$dir/split.txt" | wc -l)" 3 "and without it"

draw large.svg --topology="package:8 group:2 [numa(memory=68719476736)] core:32 pu:2" --cpus=300 --mem=8G
is "$rc" 0 "1,024 PUs"
svg=$(cat "$dir/large.svg")
is "$(colours PU | awk '{ sum += $1 } END { print sum }')" 1024 "all are drawn"
is "$(colours PU | awk '{ print $1 }' | xargs)" "300 724" "in their colours"

draw plan.jpg --topology="$machine" --cpus=2
is "$rc" 1 "a kind of file that there is not"
like "$err" "plan.jpg.*\.svg, \.png or \.txt" "it says which there are: $err"
draw nowhere/plan.svg --topology="$machine" --cpus=2
is "$rc" 1 "a directory that is not there"
like "$err" "nowhere/plan.svg: No such file" "is named: $err"

draw plan.png --topology="$machine" --cpus=2
if [ "$rc" = 0 ]; then
	is "$(head -c 4 "$dir/plan.png" | tail -c 3)" PNG "this lstopo draws PNG, and it is PNG"
else
	like "$err" "draws no \.png: .*\.svg.*apt-get install hwloc" "no PNG here: $err"
	ok "and no file" test ! -e "$dir/plan.png"
fi

echo kept > "$dir/old.svg"
run env PATH=/nonexistent "$pisces" plan --topology="$machine" --cpus=2 --draw="$dir/old.svg"
is "$rc" 1 "without lstopo"
like "$err" "lstopo, which is not here: apt-get install hwloc-nox" "it says what would help: $err"
is "$(cat "$dir/old.svg")" kept "and leaves the old file alone"

done_testing
