#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What people see of two enclaves: pisces top on a terminal, in a pipe and as JSON; and
# pisces draw, with the CPUs that Linux gave away at their place.
. "$(dirname "$0")/lib/node.sh"

kernel_log_start

pisces draw before.txt || diag "pisces draw failed"
pisces run --cpu-list=1 --mem=128M --name=first -- $examples/spin 300 > first.txt 2>&1 &
first=$!
pisces run --cpu-list=3 --mem=192M --name=second -- $examples/spin 300 > second.txt 2>&1 &
second=$!
ok "an enclave is up" wait_until 60 grep -q computing first.txt
ok "and another" wait_until 60 grep -q computing second.txt
is "$(cat /sys/devices/system/cpu/online)" 0,2 "Linux has CPUs 0 and 2"

# ---- draw ----
run pisces draw
is "$rc" 0 "pisces draw: $err"
diag "$out"
like "$out" "PU P#0 " "CPU 0 is Linux's"
like "$out" "PU P#2 " "and CPU 2"
declare -A letter
for name in first second; do
	letter[$name]=$(grep -o "[A-Z] = enclave $name:" <<< "$out" | cut -c 1)
done
isnt() { if [ "$1" != "$2" ]; then pass "$3"; else fail "$3"; fi; }
isnt "${letter[first]}" "${letter[second]}" "each has a letter: ${letter[first]}, ${letter[second]}"
like "$out" "${letter[first]} P#1 " "CPU 1 is the first's"
like "$out" "${letter[second]} P#3 " "CPU 3 is the second's"
like "$out" "${letter[first]} = enclave first: CPUs 1; 128 MiB: 128 MiB of NUMA node 0" "a legend"
like "$out" "${letter[second]} = enclave second: CPUs 3; 192 MiB: 192 MiB of NUMA node 1" "for both"

# The shape of the machine is what it was when all CPUs were Linux's.
shape() { sed 's/[A-Z]\{1,2\} P#/P#/g' "$1" | grep -o 'P#[0-9]*' | sort | uniq -c; }
echo "$out" > during.txt
is "$(shape during.txt)" "$(shape before.txt)" "no package, NUMA node, core or PU has gone from it"
run pisces draw picture.svg
is "$rc" 0 "and as SVG"
is "$(grep "class='PU'" picture.svg | grep -o "fill='rgb([0-9,]*)' stroke" | sort -u | wc -l)" 3 \
	"in three colours: Linux's and two"
run pisces plan --cpus=1 --mem=64M --draw=plan.txt
is "$rc" 0 "a plan beside them"
like "$(cat plan.txt)" "C P#2 " "has a letter of its own"

# ---- top, once ----
run pisces top
is "$rc" 0 "pisces top in a pipe prints once"
diag "$out"
like "$out" "first +running +1 " "the first runs on one CPU"
like "$out" "second +running +1 .* / 192 MiB" "the second has 192 MiB"
run pisces top first
like "$out" "[[:space:]]1 +0  user +0 " "one by name: CPU 1 of node 0 computes for task 0"
unlike "$out" second "and not the other"
run pisces top --json
is "$rc" 0 "as JSON"
echo "$out" > top.json
run perl -MJSON::PP -0777 -ne '
	my $top = decode_json($_);
	my %by = map { $_->{name} => $_ } @{$top->{enclaves}};
	my $one = $by{second};
	print join(" ", scalar keys %by, $one->{state}, $one->{cpus}, $one->{memory} >> 20,
		scalar @{$one->{cpu}}, $one->{cpu}[0]{cpu}, $one->{cpu}[0]{node},
		$one->{cpu}[0]{state}, exists $one->{silent_ns} ? "silent" : "",
		exists $one->{syscalls_per_second} ? "rates" : "",
		$top->{interval_ns} >= 1e9 ? "interval" : ""), "\n"' top.json
is "$out$err" "2 running 3 192 1 3 1 user silent rates interval" "which a program understands"
run pisces list --json
like "$(perl -MJSON::PP -0777 -e 'print join ",", sort map { $_->{name} } @{decode_json(<STDIN>)}' <<< "$out")" \
	"^first,second$" "pisces list --json too"

# A rate is what the counters say: the system calls of a program that makes them all the time.
kill -TERM $second
wait $second
pisces run --cpu-list=3 --mem=192M --name=busy -- /bin/sh -c 'while :; do umask > /dev/null; read -r x < /proc/version; done' > busy.txt 2>&1 &
busy=$!
ok "one that makes system calls is up" wait_until 60 sh -c 'pisces list | grep -q "busy.*running"'
calls_of() { perl -MJSON::PP -0777 -e '
	my ($e) = grep { $_->{name} eq "busy" } @{decode_json(<STDIN>)->{enclaves}};
	print $e->{syscalls_per_second} // -1' <<< "$(pisces top --json)"; }
grows() { [ "$(calls_of)" -gt 10 ]; }
ok "its system calls are seen" wait_until 60 grows

# ---- top on a terminal ----
cat > top.exp <<'EOF'
set timeout 60
log_user 0
proc must {what pattern} {
	expect {
		-re $pattern { puts "ok $what" }
		timeout { puts "not ok $what"; exit 1 }
		eof { puts "not ok $what (it ended)"; exit 1 }
	}
}
spawn pisces top -d 0.5
stty rows 10 columns 120 < $spawn_out(slave,name)
must "it takes a screen of its own" "\033\\\[\\?1049h"
must "and shows both" "first.*busy"
must "again and again" "NUMBER.*first.*busy"
stty rows 4 columns 40 < $spawn_out(slave,name)
exec kill -WINCH [exp_pid]
must "in what room there is" "\033\\\[HNUMBER NAME         STATE    CPUS MEMORY\033"
send "q"
must "it gives the screen back" "\033\\\[\\?1049l"
expect eof
puts "exit [lindex [wait] 3]"
spawn pisces top -d 60
must "once more" "first"
send "\003"
must "Ctrl-C ends it at once" "\033\\\[\\?1049l"
expect eof
puts "exit [lindex [wait] 3]"
spawn pisces top -d 0.2 -n 2 first
must "so many screens" "first"
expect eof
puts "exit [lindex [wait] 3]"
EOF
if command -v expect > /dev/null; then
	run expect -f top.exp
	diag "$out"
	is "$rc" 0 "pisces top on a terminal"
	unlike "$out" "not ok" "shows, resizes, ends"
	is "$(grep -c '^exit 0' <<< "$out")" 3 "exit code 0 each time"
else
	fail "expect is not here"
fi

kill -TERM $busy $first
wait $busy $first
run pisces top
is "$rc" 0 "without any enclave"
like "$out" "no enclave" "it says so"
node_recovers "top"
run pisces top --once nobody
is "$rc" 1 "an enclave that is not there"
like "$err" "nobody" "is named: $err"
kernel_log_clean
done_testing
