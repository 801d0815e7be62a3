#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What cannot be run: the message names the file and says why, the exit code is a
# shell's (127 not found, 126 cannot run), and the enclave goes away as always.
. "$(dirname "$0")/lib/node.sh"

kernel_log_start
work=$(mktemp -d /tmp/bad.XXXXXX)
cd "$work" || exit 1
cp "$examples/hello" good
cp /bin/true dynamic

# change FROM TO OFFSET BYTES: a copy of FROM with these bytes (a perl string) there
change() {
	perl -e 'my ($from, $to, $at, $bytes) = @ARGV;
		open my $in, "<:raw", $from or die; local $/; my $file = <$in>;
		$bytes = eval qq("$bytes"); substr($file, $at, length $bytes) = $bytes;
		open my $out, ">:raw", $to or die; print $out $file; close $out; chmod 0755, $to' "$@"
}

# grow FROM TO BYTES [FILE]: a copy whose last segment that can be written has BYTES of
# memory, and with FILE as many in the file, which has a hole there.
grow() {
	perl -e 'my ($from, $to, $bytes, $hole) = @ARGV;
		open my $in, "<:raw", $from or die; local $/; my $file = <$in>;
		my $headers = unpack("Q<", substr($file, 32)), $count = unpack("S<", substr($file, 56));
		my $at;
		for my $i (0 .. $count - 1) {
			my ($type, $flags) = unpack("L<L<", substr($file, $headers + 56 * $i));
			$at = $headers + 56 * $i if $type == 1 && $flags & 2;
		}
		substr($file, $at + 40, 8) = pack("Q<", $bytes);
		substr($file, $at + 32, 8) = pack("Q<", $bytes) if $hole;
		open my $out, ">:raw", $to or die; print $out $file; close $out; chmod 0755, $to;
		truncate $to, $bytes + unpack("Q<", substr($file, $at + 8)) if $hole' "$@"
}

# refuses FILE EXIT-CODE REASON WHAT
refuses() {
	limit=60 run pisces run --cpus=1 --mem=64M -- "$1" < /dev/null
	is "$rc" "$2" "$4: exit code $2"
	like "$err" "${1##*/}.*$3" "$4: ${err:-no message}"
}

limit=60 run pisces run --cpus=1 --mem=64M -- ./good < /dev/null
is "$rc" 0 "the program that the others are made of runs"

head -c 40 good > cut-header
head -c 100 good > cut-headers
head -c 10000 good > cut-text
: > empty
printf 'echo no interpreter\n' > plain-text
printf '#!/nowhere/shell\n' > lost-script
printf '#!\n' > nameless-script
chmod 755 cut-* empty plain-text *-script
refuses ./cut-header 126 . "an ELF file that ends in its header"
refuses ./cut-headers 126 . "one that ends in its program headers"
refuses ./cut-text 126 . "one that ends in its text"
refuses ./empty 126 "neither" "an empty file"
refuses ./plain-text 126 "neither" "a script without #!"
refuses ./lost-script 127 "/nowhere/shell" "a script whose interpreter is not there"
refuses ./nameless-script 126 "neither" "a script that names none"

change good other-machine 18 '\xb7\x00'
change good other-class 4 '\x01'
change good other-order 5 '\x02'
change good many-headers 56 '\xff\xff'
change good far-headers 32 '\xff\xff\xff\xff\xff\xff\xff\x7f'
change good kernel-entry 24 '\x00\x00\x00\x00\x00\x80\xff\xff'
refuses ./other-machine 126 "machine|architecture|x86" "a program for ARM"
refuses ./other-class 126 . "one for 32 bits"
refuses ./other-order 126 . "one for the other byte order"
refuses ./many-headers 126 . "65,535 program headers"
refuses ./far-headers 126 . "program headers at the end of the world"
refuses ./kernel-entry 126 . "an entry in the co-kernel"

perl -0777 -pe 's|/lib64/ld-linux-x86-64\.so\.2|/lib64/ld-nowhere-x86-64.so|' dynamic > lost-interpreter
chmod 755 lost-interpreter
refuses ./lost-interpreter 127 "ld-nowhere" "a program whose ELF interpreter is not there"
grow good reserved $((256 << 20))
limit=60 run pisces run --cpus=1 --mem=64M -- ./reserved < /dev/null
is "$rc" 0 "one that has more address space than there is memory, and does not touch it, runs"
grow good large $((256 << 20)) file
refuses ./large 126 "memory" "a program that is larger than the enclave"
grow good endless $((1 << 62))
refuses ./endless 126 . "one that is larger than all memory"

cp good hidden
chmod 644 hidden
refuses ./hidden 126 "permission" "a file that is not executable"
refuses /tmp 126 "directory" "a directory"
refuses ./nowhere 127 "no such file" "no file"
refuses nowhere-in-path 127 "not found" "no command"

# By execve(2): what the file tells is the old program's to hear, the rest ends it with a line.
# executes FILE EXIT-CODE REASON WHAT
executes() {
	limit=60 run pisces run --cpus=1 --mem=64M -- /bin/sh -c "exec $1" < /dev/null
	is "$rc" "$2" "executed, $4: exit code $2"
	like "$err" "$3" "executed, $4: ${err:-no message}"
}
executes ./good 0 '^$' "the good one"
executes ./cut-headers 126 "exec: ./cut-headers: Exec format error" "one that ends in its headers"
executes ./lost-interpreter 127 "exec: ./lost-interpreter: not found" "no ELF interpreter"
executes ./hidden 126 "exec: ./hidden: Permission denied" "one that is not executable"
executes ./large 126 "enclave: cannot run ./large: .*memory" "one that is larger than the enclave"
executes ./endless 126 "exec: ./endless: Exec format error" "one that is larger than all memory"

# There is no fork.
run pisces run --cpus=1 --mem=64M -- perl -e 'fork() // fork() // print "here"'
is "$rc:$out" "0:here" "a program that wants processes hears that there are none: exit code and output"
is "$(grep -c "enclave: no new process for perl: an enclave has threads, but no fork" <<< "$err")" 1 \
	"  and the user why, once"
diag "$err"

cd / && rm -rf "$work"
node_recovers "after all that"
kernel_log_clean
done_testing
