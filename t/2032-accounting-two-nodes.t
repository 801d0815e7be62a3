#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sacct and sstat of a step with enclaves on two nodes: the CPU time of both, and on which node
# memory was largest. With a slurmdbd and a MariaDB, as t/2030-accounting.t:
#
#   contrib/quickstart check --nodes=2 --packages "mariadb-server slurmdbd" \
#       t/2032-accounting-two-nodes.t
limit_file=1800
node_files="t/usage"
# shellcheck source=t/lib/cluster.sh
. "$(dirname "$0")/lib/cluster.sh"
. "$(dirname "$0")/lib/slurm.sh"
. "$(dirname "$0")/lib/slurmdbd.sh"

# What n1's slurm.conf says is for n2's slurmd as well.
slurmd_of_n2() {
	cp /etc/slurm/slurm.conf slurm.conf.now
	on n2 cp "$PWD/slurm.conf.now" /etc/slurm/slurm.conf
	on n2 pkill -TERM -x slurmd
	wait_until 30 there n2 gone slurmd
	on n2 slurmd -N n2
	wait_until 60 there n2 slurmd_answers || diag "n2's slurmd does not answer"
}

kernel_logs_start
ok "both nodes are idle" wait_until 60 nodes_idle
ok "MariaDB starts" start_database
[ $tap_failed = 0 ] || diag "$(tail -n 20 database.log)"
ok "slurmdbd starts" start_slurmdbd
[ $tap_failed = 0 ] || diag "$(tail -n 20 /var/log/slurm/slurmdbd.log)"
ok "Slurm keeps accounts" accounting linux
slurmd_of_n2
ok "on both nodes" wait_until 120 nodes_idle

# Rank 1, on n2, uses more memory than rank 0.
seconds=8
run srun -N2 -n2 -c2 --mem=600M --enclave=lwk ./usage $seconds 2 128+128
is "$rc" 0 "a step in enclaves on both nodes"
id=$(sed -n 's/^computing in job //p' <<< "$out" | sort -u)
wait_until 60 accounted "$id.0" || diag "sacct knows no end of $id.0: $err"
diag "$out" "$(sacct -n -P -j "$id.0" -o jobid,ntasks,totalcpu,avecpu,mincpu,maxrss,maxrssnode,maxrsstask,avers,averss 2>&1)"
used=$(sed -n 's/^used: cpu \([0-9.]*\) s.*/\1/p' <<< "$out" | awk '{ sum += $1 } END { print sum }')
total=$(in_seconds "$(account "$id.0" totalcpu)")
ok "sacct's TotalCPU is that of both ($total of $used)" \
	between "$total" "$(awk "BEGIN { print $used * 0.85 }")" "$(awk "BEGIN { print $used * 1.15 }")"
ok "which are four CPUs" between "$total" $((seconds * 3)) $((seconds * 6))
is "$(account "$id.0" ntasks)" 2 "2 tasks"
is "$(account "$id.0" maxrssnode)" n2 "MaxRSS is that of n2"
ok "256 MiB" between "$(in_mib "$(account "$id.0" maxrss)")" 256 320
ok "and on average less" between "$(in_mib "$(account "$id.0" averss)")" 192 250

srun -N2 -n2 -c2 --mem=600M --enclave=lwk ./usage $((60 * slow)) 2 128 > watched.txt 2>&1 &
watched=$!
wait_until 120 eval '[ "$(grep -c computing watched.txt)" = 2 ]'
id=$(sed -n 's/^computing in job //p' watched.txt | sort -u)
sstat_says() { sstat -n -P -j "$id.0" -o "$1" 2> sstat.err | head -n 1; }
ok "sstat: the memory is there" wait_until 30 eval \
	'between "$(in_mib "$(sstat_says averss)")" 128 180'
is "$(sstat_says ntasks)" 2 "sstat: of 2 tasks"
first=$(in_seconds "$(sstat_says mincpu)")
ok "sstat: on both nodes CPU time grows (MinCPU, from $first on)" wait_until 60 eval \
	'between "$(in_seconds "$(sstat_says mincpu)")" "$(awk "BEGIN { print $first + 4 }")" 1000'
scancel "$id"
wait $watched 2> /dev/null
cluster_recovers "scancel"
ok "the node is as it was" stop_accounting
slurmd_of_n2
cluster_recovers "after all that"
kernel_logs_clean
done_testing
