# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Sourced after lib/slurm.sh: MariaDB and slurmdbd on the node, which has their packages, and
# Slurm that keeps accounts by them. Without them the test fails here.

command -v slurmdbd > /dev/null && command -v mariadbd > /dev/null || {
	fail "slurmdbd and MariaDB are on the node"
	diag "NOT TRIED: packages are not there; see --packages at the top of this test"
	done_testing
}

database=/run/accounting

start_database() {
	install -d -o mysql -m 700 $database
	install -d -o mysql /run/mysqld
	mariadb-install-db --no-defaults --user=mysql --datadir=$database --skip-test-db \
		--innodb-log-file-size=8M --auth-root-authentication-method=socket \
		> database.log 2>&1 || return
	mariadbd --no-defaults --user=mysql --datadir=$database --skip-networking \
		--socket=/run/mysqld/mysqld.sock --innodb-log-file-size=8M \
		--innodb-buffer-pool-size=64M --innodb-flush-log-at-trx-commit=0 \
		--innodb-lock-wait-timeout=900 --character-set-server=latin1 >> database.log 2>&1 &
	database_pid=$!
	wait_until 120 mariadb-admin --no-defaults --socket=/run/mysqld/mysqld.sock ping > /dev/null 2>&1 ||
		return
	mariadb --no-defaults --socket=/run/mysqld/mysqld.sock <<-'SQL'
		CREATE DATABASE slurm_acct_db;
		CREATE USER slurm@localhost IDENTIFIED BY 'testbed';
		GRANT ALL ON slurm_acct_db.* TO slurm@localhost;
	SQL
}

start_slurmdbd() {
	cat > slurmdbd.conf <<-'EOF'
		AuthType=auth/munge
		DbdHost=n1
		DbdAddr=10.0.2.15
		SlurmUser=slurm
		LogFile=/var/log/slurm/slurmdbd.log
		PidFile=/run/slurmdbd.pid
		StorageType=accounting_storage/mysql
		StorageHost=localhost
		StorageUser=slurm
		StoragePass=testbed
		StorageLoc=slurm_acct_db
	EOF
	install -o slurm -m 600 slurmdbd.conf /etc/slurm/slurmdbd.conf
	install -o slurm /dev/null /run/slurmdbd.pid
	runuser -u slurm -- slurmdbd
	# sacctmgr does not ask it before slurm.conf says so.
	wait_until 180 grep -q 'slurmdbd version .* started' /var/log/slurm/slurmdbd.log
}

# accounting GATHER: what jobs use is found out by jobacct_gather/GATHER, and kept. The
# controller forgets the number of its last job, the database does not.
accounting() {
	slurm_conf "s,^JobAcctGatherType=.*,JobAcctGatherType=jobacct_gather/$1\nJobAcctGatherFrequency=task=2\nFirstJobId=$((SECONDS + 100)),
		s,^AccountingStorageType=.*,AccountingStorageType=accounting_storage/slurmdbd\nAccountingStorageHost=n1,"
	slurm_restart
}

stop_accounting() {
	slurm_restore
	pkill -TERM -x slurmdbd
	wait_until 60 gone slurmdbd
	kill "$database_pid"
	wait "$database_pid"
	rm -rf $database /etc/slurm/slurmdbd.conf
}

# account JOB.STEP FIELD: what sacct says of a step, once slurmdbd has heard of its end
account() {
	sacct -n -P -j "$1" -o "$2" 2> /dev/null | head -n 1
}
accounted() { [[ $(account "$1" end) == 20* ]]; }

# in_seconds [DAYS-][HOURS:]MINUTES:SECONDS[.PARTS]
in_seconds() {
	awk -v text="$1" 'BEGIN {
		days = 0
		if (split(text, part, "-") == 2) { days = part[1]; text = part[2] }
		n = split(text, part, ":")
		for (i = 1; i <= n; i++) seconds = seconds * 60 + part[i]
		printf "%.3f\n", seconds + days * 86400
	}'
}

# in_mib SIZE: 262144K, 256M, 1.5G, or bytes
in_mib() {
	awk -v text="$1" 'BEGIN {
		unit = substr(text, length(text))
		factor = unit == "K" ? 1 / 1024 : unit == "M" ? 1 : unit == "G" ? 1024 : 1 / 1048576
		printf "%d\n", text * factor
	}'
}

# between VALUE LEAST MOST
between() {
	awk -v value="$1" -v least="$2" -v most="$3" \
		'BEGIN { exit !(value + 0 >= least + 0 && value + 0 <= most + 0) }'
}
