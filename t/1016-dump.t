#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# pisces dump: gdb opens what it writes, of a co-kernel that runs, that has
# panicked, and that hangs.
. "$(dirname "$0")/lib/node.sh"

elf=/usr/lib/pisces/cokernel.elf
kernel_log_start

debug() {
	local core=$1
	shift
	gdb -batch -nx -iex 'set auto-load off' "${@/#/-ex=}" "$elf" "$core" 2>&1
}

# The counters of all CPUs of enclave $1: stat_of ENCLAVE FIELD
stat_of() {
	pisces stat "$1" --json | grep -o "\"$2\": *[0-9]*" | grep -o '[0-9]*$' | xargs
}

# start NAME OPTIONS -- PROGRAM: a run in the background, until its task is there
start() {
	local name=$1
	shift
	pisces run --name="$name" --mem=128M "$@" > out.txt 2> err.txt &
	run_pid=$!
	wait_until 60 eval 'pisces list --json | grep -q "\"tasks\": *1"' ||
		diag "$name did not start: $(cat err.txt)"
}

# One that runs: a CPU computes, the other one is idle.
secret=secret-$RANDOM$RANDOM
SECRET=$secret start live --cpus=2 -- $examples/spin $((25 * slow))
wait_until 60 grep -q computing out.txt
# The call that said so may still be on its way back.
wait_until 60 eval 'pisces stat live --json | grep -q "\"state\": *\"user\""'
computing=$(pisces stat live --json | grep -o '"state": *"[a-z]*"' | grep -n user | cut -d: -f1)
before=($(stat_of live interrupts)) strays=$(stat_of live strays)
run pisces dump -o live.core live
after=($(stat_of live interrupts))
is "$rc" 0 "a live enclave is dumped: $err"
diag "$out"
# The first state is the enclave's own.
cpu=$((computing - 2))
is "$((after[cpu] - before[cpu]))" 1 "the CPU that computes got one interrupt for it"
is "$(stat_of live strays)" "$strays" "which was no stray one"
is "$(stat -c %a live.core)" 600 "the file is root's alone"
ok "and has holes: $(du -k live.core | cut -f1) of $(($(stat -c %s live.core) / 1024)) KiB" \
	[ "$(du -k live.core | cut -f1)" -lt $(($(stat -c %s live.core) / 1024 / 4)) ]
ok "the program's memory is in it" grep -aq "SECRET=$secret" live.core
text=$(debug live.core 'info threads' 'thread apply all bt' 'print boot_status->cpus_online' \
	'print block.name' 'dump binary memory rodata.bin &image_start &image_rodata_end')
diag "$text"
is "$(grep -c 'LWP' <<< "$(grep -E '^[ *]+[0-9]+ +' <<< "$text")")" 2 "gdb sees two threads"
like "$text" "cpu_halt.*sched_run" "the idle one in sched_run()"
like "$text" '\$1 = 2' "print boot_status->cpus_online: 2"
ok "what is constant there is as in the image" \
	cmp -n "$(stat -c %s rodata.bin)" rodata.bin /usr/lib/pisces/cokernel.bin
like "$(strings -n 8 live.core 2>/dev/null || grep -ao 'NAME=live' live.core)" "NAME=live" \
	"its notes have the name"
rc=0; wait $run_pid || rc=$?
is "$rc" 0 "the program did not notice"
node_recovers "live"

# dies WAY: the co-kernel dies while nobody lets go of the enclave.
dies() {
	local name try
	for try in 1 2 3; do
		name=$1-$try
		start "$name" --cpus=2 --append="crash=$1" -- $examples/crash 3
		kill -STOP $run_pid
		ok "$1: the enclave is dead" wait_until 30 \
			eval "pisces list --json | grep -q '\"state\": *\"dead\"'"
		run pisces dump -o "$1.core" "$name"
		is "$rc" 0 "$1: it is dumped: $err"
		# A CPU that the host does not let run has no 300 ms to say what is in its
		# registers, and that is told: then it dies once more.
		[[ $try != 3 && $err == *"did not say what is in"* ]] || break
		kill -KILL $run_pid
		wait $run_pid
		node_recovers "$1"
	done
	text=$(debug "$1.core" 'info threads' 'thread apply all bt' 'print boot_status->reason')
	diag "$text"
	is "$(grep -c '^Thread ' <<< "$text")" 2 "$1: gdb sees two threads"
	like "$text" "(crash_test|wild_access).*trap_syscall" "$1: one of them where it died"
	kill -CONT $run_pid
	rc=0; wait $run_pid || rc=$?
	is "$rc" 125 "$1: pisces run: $(grep -m1 died err.txt)"
	node_recovers "$1"
	run pisces dump -o gone.core "$name"
	is "$rc" 0 "$1: when it is gone, its registers are dumped still: $err"
	like "$(debug gone.core 'thread apply all bt 1')" "crash_test|wild_access" "$1: and say where"
}
dies panic
like "$text" 'crash=panic: as the command line asked' "the reason is there to read"
dies hang-irqs-off

# Whoever does not stand by has it written.
run pisces run --cpus=1 --mem=128M --dump=run.core --append=crash=panic -- $examples/crash
is "$rc" 125 "pisces run --dump: the co-kernel died"
like "$err" "run.core: .* of enclave" "pisces run says where the core is"
like "$(debug run.core 'thread apply all bt')" "(crash_test|wild_access).*trap_syscall" "and gdb reads it"
node_recovers "pisces run --dump"

run pisces run --cpus=1 --mem=128M --user=user -- busybox true
pisces run --cpus=1 --mem=128M --name=alien -- $examples/spin $((20 * slow)) > /dev/null 2>&1 &
run_pid=$!
wait_until 60 eval 'pisces list --json | grep -q "\"tasks\": *1"'
run setpriv --reuid=user --regid=user --clear-groups -- pisces dump -o /tmp/alien.core alien
is "$rc" 1 "a user gets no dump"
like "$err" "only root" "and hears why: $err"
ok "and no file" [ ! -e /tmp/alien.core ]
kill -TERM $run_pid
wait $run_pid
node_recovers "all"
kernel_log_clean
done_testing
