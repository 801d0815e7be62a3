#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# CPUs and memory come to an enclave that runs, and leave it; what is refused, or dies
# in the middle, leaves the node and the others as they were.
# LONG=yes: more often, and at more moments.
limit_file=900
node_env="LONG"
. "$(dirname "$0")/lib/node.sh"

often=8
kill_delays="0.05 0.2"
resize_delays="0.1"
if [ "${LONG:-}" ]; then
	often=20
	kill_delays="0 0.05 0.1 0.2 0.4"
	resize_delays="0 0.1 0.3"
fi
kernel_log_start

says_something() { [ -n "$(without_progress < "$1.txt")" ]; }

# start NAME OPTIONS ... -- PROGRAM ...: runs it in the background until it says something.
start() {
	local name=$1
	shift
	: > "$name.txt"
	pisces run --name="$name" "$@" > "$name.txt" 2>&1 &
	pid=$!
	wait_until 60 says_something "$name" || diag "$name did not start: $(cat "$name.txt")"
}

# What an administrator sees of the partition, without ages.
partition() {
	pisces list | awk '{ print $1, $2, $3, $4, $5, $6 }'
	grep 'pisces enclave' /proc/iomem
	cat /sys/devices/system/cpu/online
}

# cpus_in STATE NAME: how many CPUs of the enclave are in that state.
cpus_in() {
	pisces stat "$2" | awk -v state="$1" '$2 == state { n++ } END { print n + 0 }'
}

has_cpus_in() {
	[ "$(cpus_in "$1" "$2")" = "$3" ]
}

interrupts() {
	pisces stat --json "$1" | awk -F: '/"interrupts"/ { gsub(/[ ,]/, "", $2); n += $2 } END { print n }'
}

cpus_of() {
	pisces list | awk -v name="$1" '$2 == name { print $4 }'
}

memory_of() {
	pisces list | awk -v name="$1" '$2 == name { print $5 $6 }'
}

# ---- a CPU comes and goes ----

start grow --cpu-list=1 --mem=128M -- $examples/spin $((600 * slow)) 3
grow=$pid
ok "three threads on one CPU" wait_until 30 has_cpus_in user grow 1
run pisces resize grow --cpus=+1 -v
is "$rc" 0 "a CPU is added"
diag "$err"
like "$err" "CPU [23] added in [0-9.]+ ms" "-v says which, and how long it took"
ok "the program uses it" wait_until 30 has_cpus_in user grow 2
run pisces resize grow --cpus=1-3 -v
is "$rc" 0 "a list of the CPUs that it is to have"
is "$(cpus_of grow)" 1-3 "it has these"
ok "the program uses all" wait_until 30 has_cpus_in user grow 3
is "$(cat /sys/devices/system/cpu/online)" 0 "and Linux has the rest"
run pisces resize grow --cpus=-2 -v
is "$rc" 0 "two are given back"
diag "$err"
is "$(cpus_of grow)" 1 "it has one again"
is "$(cat /sys/devices/system/cpu/online)" "0,2-3" "and Linux the others"
for cpu in 2 3; do
	ok "CPU $cpu runs programs" taskset -c $cpu true
done
ok "the program still computes" wait_until 30 has_cpus_in user grow 1

# Its first CPU goes as well, once there is another one.
run pisces resize grow --add-cpus=3 --remove-cpus=1
is "$rc" 0 "its first CPU goes"
is "$(cpus_of grow)" 3 "and it lives on another one"
ok "where it computes" wait_until 30 has_cpus_in user grow 1
run pisces resize grow --cpus=1
is "$rc" 0 "and comes back: $err"
is "$(cpus_of grow)" 1 "to where it was"

# ---- again and again, while Linux is busy ----

stress-ng --cpu 2 --vm 1 --vm-bytes 128M --hdd 1 --hdd-bytes 16M --timeout 300 > stress.txt 2>&1 &
stress=$!
failed=0
begin=$(date +%s%N)
for i in $(seq $often); do
	cpu=$((2 + i % 2))
	pisces resize grow --add-cpus=$cpu -v 2>> times.txt &&
		pisces resize grow --remove-cpus=$cpu -v 2>> times.txt || failed=$((failed + 1))
done
is $failed 0 "a CPU comes and goes $often times under stress-ng"
[ $failed -eq 0 ] || diag "$(tail -n 4 times.txt)"
diag "$(awk '/added in/ { a += $(NF - 1); na++ } /given back in/ { r += $(NF - 1); nr++ }
	END { printf "added in %.0f ms, given back in %.0f ms on average", a / na, r / nr }' times.txt)"
failed=0
for i in $(seq $((often / 4))); do
	pisces resize grow --mem=+64M > err.txt 2>&1 && pisces resize grow --mem=-64M >> err.txt 2>&1 ||
		failed=$((failed + 1))
done
is $failed 0 "so does memory, $((often / 4)) times"
[ $failed -eq 0 ] || diag "$(cat err.txt)"
kill $stress
wait $stress
is "$(cpus_of grow)" 1 "it is as it was"
is "$(memory_of grow)" 128MiB "with its memory"

# ---- what is refused changes nothing ----

start other --cpu-list=3 --mem=128M -- $examples/spin $((600 * slow))
other=$pid
before=$(partition)
refused() { # PATTERN WHAT ARGUMENTS ...
	local pattern=$1 what=$2
	shift 2
	run pisces resize "$@"
	is "$rc" 1 "refused: $what"
	like "$err" "$pattern" "$err"
	is "$(wc -l <<< "$err")" 1 "in one line"
	is "$(partition)" "$before" "and nothing has changed"
}
refused "last one" "the last CPU" grow --remove-cpus=1
refused "needs one" "all of its CPUs" grow --cpus=-1
refused "CPU 3 .*pisces list" "a CPU of another enclave" grow --add-cpus=3
refused "CPU 0 " "CPU 0" grow --add-cpus=0
refused "CPU 77 " "a CPU that there is not" grow --add-cpus=77
refused "no CPU 3" "giving back what it does not have" grow --remove-cpus=3
refused "64 GiB .*ask for less" "more memory than there is" grow --mem=+64G
refused "cannot be given back .*MiB there that nothing uses" "memory in use" grow --mem=-128M
refused "no NUMA node 5" "another NUMA node" grow --mem=+64M --node=5
refused "no enclave" "an enclave that there is not" nobody --cpus=+1
id user > /dev/null 2>&1 || useradd -m user
run runuser -u user -- pisces resize grow --cpus=+1
is "$rc" 1 "refused: a plain user"
like "$err" "root" "$err"
is "$(partition)" "$before" "and nothing has changed"
run pisces resize grow --cpus=2 --mem=+64G
is "$rc" 1 "a step that fails after another one"
like "$err" "before that: CPU 2 added" "says what was done: $err"
run pisces resize grow --remove-cpus=2
is "$(partition)" "$before" "which can be undone"
ok "both programs still compute" kill -0 $grow $other

kill -TERM $other $grow
wait $other $grow
node_recovers "two enclaves ended"

# ---- memory is there for programs, and comes back when they have let go of it ----

ways=contig
! modinfo -p pisces | grep -q memory_way || ways="contig block remove"
for way in $ways; do
	rm -f go
	start memory --cpus=1 --mem=128M -- $examples/hog 180 600 "$PWD/go"
	run pisces resize memory --mem=+128M --mem-way=$way -v
	is "$rc" 0 "128 MiB are added ($way)"
	diag "$err"
	is "$(memory_of memory)" 256MiB "it has 256 MiB"
	touch go
	ok "the program has eaten more than it had before, and let go of it" \
		wait_until 60 grep -q freed memory.txt
	run pisces resize memory --mem=-128M -v
	is "$rc" 0 "128 MiB are given back"
	diag "$err"
	is "$(memory_of memory)" 128MiB "it has 128 MiB"
	kill -TERM $pid
	wait $pid
	node_recovers "memory ($way)"
done

start full --cpus=1 --mem=256M -- $examples/hog 150 600
ok "a program has 150 of 256 MiB" wait_until 60 grep -q written full.txt
before=$(partition)
refused "cannot be given back" "128 MiB of it" full --mem=-128M
run pisces resize full --mem=-32M
is "$rc" 0 "but 32 MiB can be given back: $err"
kill -TERM $pid
wait $pid
node_recovers "a full enclave"

# ---- somebody dies in the middle ----

for delay in $kill_delays; do
	start doomed --cpu-list=1 --mem=128M -- $examples/spin $((600 * slow)) 2
	pisces resize doomed --cpus=+2 --mem=+128M > resize.txt 2>&1 &
	resize=$!
	sleep $delay
	kill -KILL $pid
	wait $pid 2> /dev/null
	wait $resize
	diag "owner killed after $delay s: pisces resize said '$(cat resize.txt)'"
	node_recovers "owner killed $delay s into a resize"
done
for delay in $resize_delays; do
	start living --cpu-list=1 --mem=128M -- $examples/spin $((600 * slow)) 2
	pisces resize living --cpus=+2 --mem=+128M > resize.txt 2>&1 &
	resize=$!
	sleep $delay
	kill -KILL $resize
	wait $resize 2> /dev/null
	# Its two threads, on whatever CPUs it has by now
	busy=$([ "$(cpus_of living)" = 1 ] && echo 1 || echo 2)
	ok "pisces resize killed after $delay s: the program goes on" \
		wait_until 30 has_cpus_in user living "$busy"
	run pisces resize living --cpus=1
	is "$rc" 0 "and the enclave can be changed again: $err"
	kill -TERM $pid
	wait $pid
	node_recovers "resize killed"
done

start dying --cpu-list=1 --mem=128M --append=crash=panic -- $examples/crash 3
changes=0
while pisces resize dying --cpus=+1 2> resize.txt && pisces resize dying --cpus=-1 2> resize.txt; do
	changes=$((changes + 1))
	[ $changes -lt 200 ] || break
done
diag "$changes changes until the co-kernel died: '$(cat resize.txt)'"
ok "a co-kernel that dies is heard of" test $changes -lt 200
wait $pid
is $? 125 "its owner is told"
node_recovers "co-kernel died while it was resized"

# ---- many at once, and the others do not notice ----

start a --cpu-list=1 --mem=128M -- $examples/spin $((600 * slow))
a=$pid
start b --cpu-list=3 --mem=128M -- $examples/spin $((600 * slow))
b=$pid
start c --cpu-list=2 --mem=128M -- $examples/spin $((600 * slow)) 2
c=$pid
is "$(cpus_of a) $(cpus_of b) $(cpus_of c)" "1 3 2" "three enclaves at once"
wait_until 30 has_cpus_in user a 1
wait_until 30 has_cpus_in user b 1
before_a=$(interrupts a) before_b=$(interrupts b)
failed=0
for i in 1 2 3 4 5; do
	pisces resize c --mem=+64M && pisces resize c --mem=-64M || failed=$((failed + 1))
done
is $failed 0 "one of them changes its memory"
is "$(interrupts a) $(interrupts b)" "$before_a $before_b" "the others get no interrupt"
kill -TERM $b
wait $b
failed=0
for i in 1 2 3 4 5; do
	pisces resize c --cpus=2-3 && pisces resize c --cpus=2 || failed=$((failed + 1))
done
is $failed 0 "and its CPUs, when there is one to have"
is "$(interrupts a)" "$before_a" "the other gets no interrupt"
kill -TERM $a $c
wait $a $c
node_recovers "three enclaves"
kernel_log_clean
diag "$(dmesg | grep -c 'has given CPU') CPUs and $(dmesg | grep -c 'MiB back') times memory were given back"
done_testing
