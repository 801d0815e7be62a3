#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Staged I/O: files are copied in before and out after a program, which finds there what it
# would find on Linux; while it runs nothing is forwarded.
node_files="t/staged-files t/calls/pipe_waits t/calls/pipes t/fuzz-calls/fuzz-calls"
. "$(dirname "$0")/lib/node.sh"

kernel_log_start
umask 022
work=$(mktemp -d /root/staged.XXXXXX)
program=$PWD/staged-files fuzz=$PWD/fuzz-calls calls=$PWD
chmod 755 "$PWD"
cd "$work" || exit 1

# staged ARGUMENTS...: pisces run with staged I/O
staged() {
	limit=100 run pisces run --cpus=1 --mem=128M --io=staged "$@"
}

# prepare DIR: what staged-files works on
prepare() {
	mkdir -p "$1/in/deep"
	echo "some text" > "$1/in/text"
	ln -s text "$1/in/link"
	echo deep > "$1/in/deep/file"
}

# tree: names, modes, owners, sizes and contents of what is here
tree() {
	find . -printf '%p %M %u %l\n' | sort
	find . -type f -exec sha256sum {} + | sort
}

# ---- the same as on Linux ----

prepare linux
prepare inside
cd linux || exit 1
run "$program" < /dev/null
is "$rc" 0 "what is tested here is so on Linux"
diag "$(grep '^not ok' <<< "$out")"
before=$out
rm -f /tmp/private-of-1043
cd ../inside || exit 1
staged --stage=in -- "$program" staged
is "$rc" 0 "and in a stage"
is "$out" "$before" "in all of it"
is "$err" "the end of staged" "stderr is there too"
is "$(tree)" "$(cd ../linux && tree)" "what is left on Linux is the same"
is "$(stat -c %Y out)" 2000 "times are kept"
ok "nothing of /tmp comes out" test ! -e /tmp/private-of-1043
ok "no other name is left" test -z "$(find . -name '.pisces-stage*')"
cd ..

id user > /dev/null 2>&1 || useradd -m user
cd / || exit 1
for program in pipes pipe_waits; do
	limit=100 run runuser -u user -- "$calls/$program" inside < /dev/null
	is "$rc" 0 "$program: on Linux"
	before=$out
	limit=100 run pisces run --cpus=2 --mem=256M --user=user --io=staged -- \
		"$calls/$program" inside
	is "$rc" 0 "$program: in a stage"
	if [ "$(wc -l <<< "$before")" -gt 80 ] && [ "$out" = "$before" ]; then
		pass "$program: with the same results"
	else
		fail "$program: with the same results"
		diag "$(diff <(echo "$before") <(echo "$out") | head -n 40)"
		diag "$err"
	fi
done
cd "$work" || exit 1

# ---- nothing is forwarded while it runs ----

echo begin > input
cat > loop.sh <<'END'
i=0
while [ $i -lt 3000 ]; do read line < input; echo "$i $line" >> output; i=$((i + 1)); done
: > done
while [ $i -lt 200000 ]; do read line < input; i=$((i + 1)); done
END
forwarded() { pisces stat --json "$1" | grep -o '"forwarded": *[0-9]*' | grep -o '[0-9]*$' |
	awk '{ sum += $1 } END { print sum }'; }
calls() { pisces stat --json "$1" | grep -o '"syscalls": *[0-9]*' | grep -o '[0-9]*$' |
	awk '{ sum += $1 } END { print sum }'; }
computes() { local first; first=$(calls quiet 2>/dev/null) && sleep 0.3 &&
	[ "$(calls quiet)" -gt $((first + 500)) ]; }
pisces run --name=quiet --cpus=1 --mem=128M --io=staged --stage=input,loop.sh -- \
	/bin/sh loop.sh > loop.out 2>&1 &
if wait_until 60 computes; then
	first=$(forwarded quiet) served=$(calls quiet)
	sleep 2
	is "$(forwarded quiet)" "$first" "no call is forwarded while the program reads and writes"
	ok "calls are served meanwhile" test "$(calls quiet)" -gt "$served"
	ok "its output is not on Linux yet" test ! -e output
else
	fail "the program computes"
fi
wait $!
is "$?" 0 "it ends"
is "$(wc -l < output)" 3000 "and then its output is there"

# ---- streams ----

staged -- /bin/sh -c 'echo one; echo two >&2; echo three; exit 7'
is "$rc" 7 "the exit code is the program's"
is "$out/$err" $'one\nthree/two' "streams are told apart"
pisces run --cpus=1 --mem=128M --io=staged -- /bin/sh -c \
	'echo one; echo two >&2; echo three; kill -9 $$' > both 2>&1
is "$?" 137 "death by a signal"
is "$(without_progress < both)" $'one\ntwo\nthree' "the order of writes is kept, and nothing lost"
out=$(echo input | pisces run --cpus=1 --mem=128M --io=staged -- /bin/cat)
is "$out" "" "stdin is empty"

# ---- tasks ----

limit=100 run pisces run --cpus=2 --mem=256M --tasks=2 --io=staged --stage=input -- /bin/sh -c \
	'while read line; do echo "$PISCES_TASK_ID $line"; done < input > "of-$PISCES_TASK_ID"
	echo "$PISCES_TASK_ID" >> common'
is "$rc" 0 "two tasks"
is "$(cat of-0 of-1)" $'0 begin\n1 begin' "each leaves its file"
is "$(sort common)" $'0\n1' "and both what they have in common"

# ---- scripts, links, what is not there ----

printf '#!/bin/sh\necho "script $1"\n' > script
chmod 755 script
staged -- ./script argument
is "$out" "script argument" "a script and its interpreter come in by themselves"
ln -s input soft
staged --stage=soft -- /bin/sh -c 'read line < soft; echo "$line"'
is "$out" begin "so does what a named link leads to"
staged -- /bin/cat input
is "$rc" 1 "what was not staged is not there"
like "$err" "No such file" "  as a program says"

# ---- one program executes another ----

staged --stage=/bin/cat,input -- /bin/sh -c 'echo first; exec /bin/cat input'
is "$out" $'first\nbegin' "a program that was staged takes the place of another"
staged --stage=script -- /bin/sh -c 'exec ./script again'
is "$out" "script again" "so does a script"
staged -- /bin/sh -c 'exec /proc/self/exe -c "echo itself"'
is "$out" itself "and a shell itself"
staged --stage=input -- /bin/sh -c 'exec /bin/cat input'
is "$rc" 127 "what was not staged is not there to be executed"
staged --stage=input -- /bin/sh -c 'exec ./input'
is "$rc" 126 "and what may not be executed is not"

soft=$(ulimit -Sn)
ulimit -Sn 300
staged -- /bin/sh -c 'ulimit -Sn; ulimit -Sn 350 && ulimit -Sn'
is "$out" $'300\n350' "the limit of descriptors can be raised, as on Linux"
ulimit -Sn "$soft"

# refused CODE REASON WHAT ARGUMENTS...
refused() {
	staged "${@:4}"
	is "$rc" "$1" "$3 ends with $1"
	like "$err" "^enclave: .*$2" "  and says: $err"
	is "$(wc -l <<< "$err")" 1 "  in one line"
}
refused 126 "cannot stage nowhere: no such file" "a path that is not there" --stage=nowhere -- /bin/true
refused 126 "own" "a path in /proc" --stage=/proc/version -- /bin/true
refused 126 "neither a file" "a device" --stage=/dev/mem -- /bin/true
refused 127 "no such file" "a program that is not there" -- ./nowhere
truncate -s 300M large
refused 126 "KiB.*--enclave-mem" "more than there is memory" --stage=large -- /bin/true
rm large
run pisces run --stage=input -- /bin/true
is "$rc" 2 "--stage alone is refused"
like "$err" "add --io=staged" "  with what to add"

limit=30 run pisces run --cpus=1 --mem=128M --io=staged -- \
	/bin/dd if=/dev/zero of=holes bs=1 count=1 seek=8796093022207 status=none
is "$rc" 0 "a file of 8 TiB, most of it holes, comes out at once"
is "$(stat -c %s holes)" 8796093022208 "in all its size"
rm -f holes

# ---- what cannot come out ----

mkdir small
mount -t tmpfs -o size=64k tmpfs small
echo old > small/file
refused 125 "cannot copy .*/small/file out.*no space" "a full disk" --stage=small -- /bin/sh -c \
	'i=0; while [ $i -lt 20000 ]; do echo line-$i; i=$((i + 1)); done > small/file'
is "$(cat small/file)" old "and what was there is whole"
is "$(ls -A small)" file "and alone"
umount small

# What was made in a directory gets there, though that is closed by then.
shut=$(mktemp -d /srv/shut.XXXXXX)
cd "$shut" || exit 1
mkdir shut
echo old > shut/old
chown -R user .
limit=100 run pisces run --user=user --cpus=2 --mem=256M --tasks=2 --io=staged --stage=shut -- \
	"$calls/staged-files" shut
is "$rc:$err" "0:" "a task closes directories to itself, with files open in them, and ends last"
is "$(cat shut/late shut/deep/low)" $'late\nlow' "what is written to those is there"
is "$(stat -c %a shut shut/deep | xargs)" "500 0" "in directories that are closed"
ok "from which what was removed is gone" test ! -e shut/old
cd "$work" && rm -rf "$shut"

# ---- a hostile program: it may break itself, and nothing else ----

hostile=$(mktemp -d /srv/hostile.XXXXXX)
chown user "$hostile"
cd "$hostile" || exit 1
limit=150 run pisces run --user=user --cpus=2 --mem=512M --tasks=2 --io=staged -- \
	"$fuzz" --witness --unknown --seed=1043 --calls=15000
case $rc in
0 | 132 | 135 | 139) pass "15,000 random calls in a stage" ;;
*) fail "15,000 random calls in a stage" && diag "exit code $rc: $(tail -n 3 <<< "$err")" ;;
esac

cd / && rm -rf "$work" "$hostile"
node_recovers "after all that"
kernel_log_clean
done_testing
