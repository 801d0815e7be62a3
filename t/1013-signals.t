#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Signals from outside, sent to the proxy's pid: with who sent them and what, none of the
# real-time ones lost; and what a program inherits of its starter's signals.
node_files="t/outside-signals"
. "$(dirname "$0")/lib/node.sh"

kernel_log_start

# received COMMAND...: runs it in the background as what receives; sets $run_pid and $proxy.
received() {
	: > out.txt
	"$@" > out.txt 2>&1 &
	run_pid=$!
	ok "the program is ready" wait_until 60 grep -q ready out.txt
	proxy=$(pgrep -x pisces-proxy | head -n 1)
}

# On Linux first: what is expected below is what it says.
received ./outside-signals receive 300
./outside-signals send $run_pid 300
kill -USR1 $run_pid
ok "SIGUSR1 is read on Linux" wait_until 60 grep -q "^User defined signal 1" out.txt
kill -HUP $run_pid
ok "SIGHUP is handled on Linux" wait_until 60 grep -q "^handler" out.txt
kill -TERM $run_pid
wait $run_pid
linux=$(cat out.txt)
like "$linux" "300 queued, 300 as they were sent" "Linux itself"

received pisces run --cpus=1 --mem=128M -- ./outside-signals receive 300
./outside-signals send "$proxy" 300
kill -USR1 "$proxy"
ok "SIGUSR1 is read" wait_until 60 grep -q "^User defined signal 1" out.txt
kill -HUP "$proxy"
ok "SIGHUP is handled" wait_until 60 grep -q "^handler" out.txt
kill -TERM "$proxy"
rc=0; wait $run_pid || rc=$?
is "$rc" 0 "SIGTERM ends it"
is "$(without_progress < out.txt)" "$linux" "all that it says is what it says on Linux"

# Ignored by who started it; the program thinks otherwise.
received bash -c 'trap "" HUP; exec pisces run --cpus=1 --mem=128M -- ./outside-signals receive'
like "$(cat out.txt)" "SIGHUP is ignored" "what was ignored is ignored inside"
like "$(cat out.txt)" "SIGUSR1 is not ignored" "and nothing else"
kill -HUP "$proxy"
ok "SIGHUP gets through to its handler" wait_until 60 grep -q "^handler of SIGHUP: 1, code 0" out.txt
kill -TERM "$proxy"
rc=0; wait $run_pid || rc=$?
is "$rc" 0 "SIGTERM ends it"

# Ignored, and left so: it lives on.
bash -c 'trap "" HUP; exec pisces run --cpus=1 --mem=128M -- "$0" 200' "$examples/spin" > out.txt 2>&1 &
run_pid=$!
ok "another one computes" wait_until 60 grep -q computing out.txt
proxy=$(pgrep -x pisces-proxy | head -n 1)
kill -HUP "$proxy"
sleep 1
ok "SIGHUP does not end who ignores it" kill -0 "$proxy"
kill -TERM "$proxy"
rc=0; wait $run_pid || rc=$?
is "$rc" 143 "SIGTERM does"

node_recovers "signals"
kernel_log_clean
done_testing
