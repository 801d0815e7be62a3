#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Who dies x what the enclave is at: the node is whole in time, the user is told, the next
# program runs. The table with the times that it took is printed at the end.
# ROWS="proxy panic" takes some rows only. Slurm's daemons are in t/2010-kill-matrix.t.
node_env="ROWS"
. "$(dirname "$0")/lib/node.sh"
. "$(dirname "$0")/lib/matrix.sh"

kernel_log_start
rows=${ROWS:-program proxy run panic hang silent}
places="booting idle computing io teardown"

# Seconds that the node may take, where nobody has to notice anything; and where the
# module's watchdog has to.
at_once=$((5 * slow))
noticed=$((10 * slow))

started() {
	wait_until 60 eval 'proxy=$(pgrep -x -P '"$run_pid"' pisces-proxy)' &&
		wait_until 60 eval 'pisces list --json | grep -q "\"tasks\": *1"' ||
		diag "the program did not start: $(cat err)"
}

# begin PLACE [OPTIONS]: an enclave that is there by now; sets run_pid and proxy.
begin() {
	local place=$1
	shift
	proxy=
	: > err
	: > out
	case $place in
	booting) set -- "$@" -- $examples/hello ;;
	idle) set -- "$@" -- busybox sleep 100 ;;
	computing) set -- "$@" -- $examples/spin $((100 * slow)) ;;
	io) set -- "$@" -- busybox cat ;;
	# It ends by itself, and all is given back.
	teardown) set -- "$@" -- busybox echo over ;;
	esac
	pisces run --cpus=2 --mem=128M "$@" > out 2> err < fifo &
	run_pid=$!
	case $place in
	booting) wait_until 60 taken ;;
	teardown) wait_until 60 grep -q over out ;;
	*) started ;;
	esac
}

# The standard input of all: nothing comes, and it does not end.
mkfifo fifo
exec 9<> fifo

# ---- rows: somebody of Linux dies ----

# killed ROW PLACE VICTIM SIGNAL STATUS [MESSAGE]
killed() {
	local since
	since=$(now)
	kill -"$4" "$3" 2> /dev/null
	rc=0
	wait $run_pid 2> /dev/null || rc=$?
	like "$rc" "^($5)$" "$1, $2: what the shell is told: $rc"
	recovered "$1" "$2" "$since" $at_once
}

# proxy_gets ROW PLACE SIGNAL STATUS
proxy_gets() {
	case $2 in
	booting) cell[$1,booting]="not there yet" ;;
	teardown)
		# With exit code 0 it has ended before the signal came.
		begin teardown
		killed "$1" teardown "$(pgrep -x -P $run_pid pisces-proxy || echo $run_pid)" "$3" "0|$4"
		;;
	*)
		begin "$2"
		killed "$1" "$2" "$proxy" "$3" "$4"
		;;
	esac
}

at_program() { proxy_gets program "$1" TERM 143; }
at_proxy() { proxy_gets proxy "$1" KILL 137; }

at_run() {
	local status=0
	begin "$1"
	killed run "$1" $run_pid KILL '0|137' || status=1
	[ -z "$proxy" ] || ok "run, $1: its proxy is gone too" \
		wait_until 30 eval '! kill -0 '"$proxy"' 2> /dev/null'
	return $status
}

# ---- rows: the co-kernel dies ----

# crashes ROW KIND PLACE SECONDS MESSAGE
crashes() {
	local row=$1 kind=$2 place=$3 allowed=$4 message=$5 since program how=$2@$3
	case $place in
	booting | teardown) program="$examples/hello" ;;
	idle) program="busybox sleep 100" ;;
	computing)
		# Its own call makes the co-kernel die.
		program="$examples/crash"
		how=$kind
		;;
	io) program="busybox cat" ;;
	esac
	: > out
	# shellcheck disable=SC2086 # words are arguments
	pisces run --cpus=2 --mem=128M --append="crash=$how" -- $program > out 2> err < fifo &
	run_pid=$!
	# It dies after that, in an instant that only it knows.
	if [ "$place" = computing ]; then
		wait_until 60 grep -q crashing out
	else
		wait_until 60 taken
	fi
	since=$(now)
	rc=0
	wait $run_pid || rc=$?
	err=$(< err)
	if [ "$place" = teardown ]; then
		# Its program has had its end.
		is "$rc" 0 "$row, $place: the program's exit code"
	else
		# Before there is a program, pisces run itself has failed.
		is "$rc" "$([ "$place" = booting ] && echo 1 || echo 125)" \
			"$row, $place: the exit code says that the enclave failed"
		like "$err" "$message" "$row, $place: and in words: $(tail -n 1 <<< "$err")"
	fi
	recovered "$row" "$place" "$since" "$allowed"
}

at_panic() { crashes panic panic "$1" $at_once 'died|crash=panic'; }
hung='hangs? in the co-kernel|hangs while it boots|does not answer'
at_hang() { crashes hang hang-irqs-off "$1" $noticed "$hung"; }
at_silent() { crashes silent silent "$1" $noticed "$hung"; }

for row in $rows; do
	fill_row "$row"
	run pisces run --cpus=2 --mem=128M -- $examples/hello
	is "$rc" 0 "$row: the next program runs"
	node_recovers "$row: the next program"
done

diag "$(matrix)"
kernel_log_clean
done_testing
