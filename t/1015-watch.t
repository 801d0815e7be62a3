#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A co-kernel that hangs is noticed in time, and nobody else is taken for one.
node_files="t/used-memory"
. "$(dirname "$0")/lib/node.sh"

hang_ms=/sys/module/pisces/parameters/hang_ms
kernel_log_start
is "$(cat $hang_ms)" 5000 "the module's limit is 5 s"

# Seconds that a hang may take to be told: the module says after how many it saw it, and t/1022
# measures how long it takes altogether.
limit_s=$((30 * slow))

# timed COMMAND: runs what says that it is crashing; sets rc, err, and took: the seconds
# from there to the end.
timed() {
	local pid
	: > out.txt
	"$@" > out.txt 2> err.txt &
	pid=$!
	wait_until 60 grep -q crashing out.txt || diag "it did not crash: $(cat err.txt)"
	SECONDS=0 rc=0
	wait $pid || rc=$?
	took=$SECONDS
	err=$(cat err.txt)
}

# ---- what hangs: one CPU; one of two, while the other one is idle; all at once ----

for case in hang-irqs-off:1:'CPU [1-3] hangs in the co-kernel' \
	hang-irqs-off:2:'CPU [1-3] hangs in the co-kernel' \
	silent:2:'CPU [1-3] hangs in the co-kernel' \
	deaf:2:'the co-kernel does not answer'; do
	IFS=: read -r way cpus words <<< "$case"
	timed pisces run --mem=128M --append="crash=$way" --cpus="$cpus" --name="$way$cpus" -- \
		$examples/crash
	is "$rc" 125 "$way on $cpus CPUs: the exit code says that the enclave failed"
	like "$err" "$words: .* for [5-9]" "and in words: $(grep died <<< "$err")"
	ok "after $took s, of at most $limit_s" [ "$took" -le $limit_s ]
	node_recovers "$way"
done

# The proxy cannot say it.
: > out.txt
pisces run --cpus=1 --mem=128M --append=crash=hang-irqs-off --name=stopped -- \
	$examples/crash 3 > out.txt 2> err.txt &
run_pid=$!
wait_until 60 eval 'pisces list --json | grep -q "\"tasks\": *1"'
proxy=$(pgrep -x -P $run_pid pisces-proxy)
# From here on the program calls for nothing but its own sleep: the line is what it ends in.
wait_until 30 grep -q crashing out.txt
kill -STOP "$proxy"
SECONDS=0; rc=0; wait $run_pid || rc=$?
is "$rc" 125 "with its proxy stopped pisces run ends with 125 all the same"
like "$(cat err.txt)" "the co-kernel of enclave [0-9]+ died: CPU" "and says it itself"
ok "after $SECONDS s, of at most $limit_s" [ $SECONDS -le $limit_s ]
node_recovers "a stopped proxy"

# ---- what is left of them ----

list=$(pisces list --gone)
like "$list" "deaf2 +gone .*died: the co-kernel does not answer" "pisces list --gone has them"
unlike "$(pisces list)" "deaf2" "pisces list does not"
run pisces console hang-irqs-off2
is "$rc" 0 "the console of one that is gone"
like "$out" "ready after" "says what it said"
number=$(awk '$2 == "silent2" { print $1 }' <<< "$list")
like "$(pisces console --follow "$number")" "ready after" "and ends, by number and followed"
run setpriv --reuid=user --regid=user --clear-groups pisces console silent2
is "$rc" 1 "not for other users"
like "$err" "for root and for the user" "who hear why: $err"
run pisces stat silent2
is "$rc" 1 "it has no counters any more"

pisces run --cpus=1 --mem=128M --name=silent2 -- $examples/spin $((10 * slow)) > /dev/null 2>&1 &
run_pid=$!
wait_until 60 eval 'pisces list --json | grep -q "\"tasks\": *1"'
like "$(pisces console silent2)" "on 1 CPU" "one that is there is found before one that is gone"
wait $run_pid

for i in {1..17}; do
	# Death in the boot is death too, and the quickest one.
	pisces run --cpus=1 --mem=64M --append=crash=panic -- $examples/crash > /dev/null 2>&1
done
is "$(pisces list --gone | grep -c ' gone ')" 16 "the last 16 are remembered"
unlike "$(pisces list --gone)" "deaf2" "the others are not"
node_recovers "many deaths"

# ---- under Slurm ----

conf=/etc/slurm/plugstack.conf.d/enclave.conf
cp $conf conf.old
sed -i 's/^required enclave.so.*/& append=crash=hang-irqs-off/' $conf
timed srun --enclave=lwk -c1 --mem=256M $examples/crash
cp conf.old $conf
is "$rc" 125 "srun: the exit code"
like "$err" "died: CPU [1-3] hangs in the co-kernel" "and the words: $(grep died <<< "$err")"
ok "after $took s, of at most $limit_s" [ "$took" -le $limit_s ]
node_recovers "srun"
run srun --enclave=lwk -c1 --mem=256M $examples/hello
is "$rc" 0 "the next step runs"
ok "the node is idle, not drained" wait_until 60 node_idle

# ---- what does not hang ----

# A GiB, the second time zeroed in one go where it is touched first.
run pisces run --cpus=1 --mem=1280M -- ./used-memory look 1024
is "$rc" 0 "a program that touches 1 GiB twice: ${err:-no message}"
is "$out" "not zero: 0 words, 0 the second time" "  and has it zeroed"

stress-ng --quiet --cpu 2 --switch 1 --mmap 1 --mmap-bytes 64M --timeout 16 &
stress=$!
run pisces run --cpus=2 --mem=128M -- $examples/spin 12
is "$rc" 0 "one that computes for 12 s on one of two CPUs, with Linux under stress: ${err:-no message}"
wait $stress

pisces run --cpus=1 --mem=128M --name=sleeper -- $examples/spin $((16 * slow)) > /dev/null 2> err.txt &
run_pid=$!
wait_until 60 eval 'pisces list --json | grep -q "\"tasks\": *1"'
proxy=$(pgrep -x -P $run_pid pisces-proxy)
kill -STOP "$proxy"
silent() { pisces list --json | grep -o '"silent_ns": *[0-9]*' | grep -o '[0-9]*$'; }
sleep 10
is "$(silent)" 0 "one whose proxy is stopped for 10 s: nobody is silent"
kill -CONT "$proxy"
rc=0; wait $run_pid || rc=$?
is "$rc" 0 "and goes on: $(cat err.txt)"

run pisces run --cpus=2 --mem=128M -- busybox sleep 8
is "$rc" 0 "one that sleeps longer than the limit"

# ---- off, and shorter ----

echo 0 > $hang_ms
: > out.txt
pisces run --cpus=1 --mem=128M --append=crash=hang-irqs-off -- $examples/crash > out.txt 2>&1 &
run_pid=$!
wait_until 60 grep -q crashing out.txt
ok "hang_ms=0: the silence is seen" wait_until 30 eval '[ "$(silent)" -gt 7000000000 ]'
like "$(pisces list)" "running" "and nobody is ended for it"
echo 1000 > $hang_ms
SECONDS=0; rc=0; wait $run_pid || rc=$?
is "$rc" 125 "hang_ms=1000: it is"
ok "after $SECONDS s, of at most $limit_s" [ $SECONDS -le $limit_s ]
echo 5000 > $hang_ms
node_recovers "hang_ms"

ok "the module can go, whoever is remembered" rmmod pisces
modprobe pisces
run pisces run --cpus=2 --mem=128M -- $examples/hello
is "$rc" 0 "the next enclave boots"
is "$(pisces list --gone | grep -c ' gone ')" 0 "a new module remembers nobody"
kernel_log_clean
done_testing
