#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A hostile program: random system calls by a plain user, beside another task in the same
# enclave that must not notice.
#
#   SEED=N    repeats the choices of a run that printed it
#   CALLS=N   how many calls (default 40000), in rounds of 20000
node_files="t/fuzz-calls/fuzz-calls"
node_env="SEED CALLS"
limit_file=${LIMIT:-900}
. "$(dirname "$0")/lib/node.sh"

seed=${SEED:-$RANDOM}
calls=${CALLS:-40000}
each=20000
diag "SEED=$seed repeats this"
id user > /dev/null 2>&1 || useradd -m user
here=$PWD
chmod 755 "$here"
work=$(mktemp -d /tmp/fuzz.XXXXXX)
chown user "$work"

# round SEED: as the user, in her directory, where a file may have 64 MiB at most
round() {
	cd "$work" || return
	(
		ulimit -f 65536
		limit=200 run pisces run --user=user --cpus=2 --mem=512M --tasks=2 --name=fuzz -- \
			"$here/fuzz-calls" --witness --unknown --seed="$1" --calls=$each
		echo "$rc" > "$here/rc"
		printf '%s\n' "$out" "$err" | tr -cd '[:print:]\n' > "$here/said"
	)
	cd "$here" || return
}

kernel_log_start
well=0 died=0 bad=
for ((i = 1; well * each < calls && i <= 3 * calls / each; i++)); do
	round $((seed + i))
	case $(cat rc) in
	0) well=$((well + 1)) ;;
	# It broke its own memory, as it would on Linux
	132 | 134 | 135 | 139) died=$((died + 1)) ;;
	*) bad+="seed $((seed + i)): exit code $(cat rc): $(tail -n 12 said)"$'\n' ;;
	esac
	grep -q "^witness: .* looks" said || bad+="seed $((seed + i)): the witness: $(cat said)"$'\n'
	wait_until 60 node_whole || bad+="seed $((seed + i)): the node is not whole"$'\n'
	[ -z "$bad" ] || break
done
is "$bad" "" "$((well * each)) calls and more in $((well + died)) rounds, $died of which broke themselves"
ok "so many as asked for: $calls" [ $((well * each)) -ge "$calls" ]
diag "$(cat said)"
run pisces run --cpus=1 --mem=128M -- $examples/hello
is "$rc" 0 "the next enclave runs"
node_recovers "after all that"
kernel_log_clean
rm -rf "$work"
done_testing
