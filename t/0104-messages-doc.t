#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The table of errors in enclave(7): each one is in the source, and each one of the source that a
# user of srun can meet is in the table.
. "$(dirname "$0")/lib/tap.sh"

cd "$(dirname "$0")/.." || exit 1
command -v perl > /dev/null || skip_all "there is no perl"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# Where they come from; what only pisces(1) does is not here.
sources=(spank/*.c proxy/*.c cokernel/fs/stage_in_*.c cokernel/syscall/table.c)
for name in request size device image enclave memory plan plan-cpus plan-memory map topology \
	node_lock cgroup-v1; do
	sources+=(hwloc-glue/$name.c)
done

# The strings of calls that tell people something, with ... where a value is put in.
cat > "$dir/messages" <<'EOF'
use strict;
foreach my $file (@ARGV) {
	local $/;
	open my $in, '<', $file or die "$file: $!";
	my $text = <$in>;
	while ($text =~ /\b(pisces_fail|remember|refuse|wrong|slurm_error|slurm_spank_log|message_fail|snprintf|process_report)\s*\(/g) {
		my ($call, $at, $depth, $quoted) = ($1, pos $text, 1, 0);
		my $end = $at;
		for (; $depth and $end < length $text; $end++) {
			my $c = substr $text, $end, 1;
			if ($quoted) { $c eq '\\' ? $end++ : $c eq '"' ? ($quoted = 0) : 0 }
			elsif ($c eq '"') { $quoted = 1 }
			elsif ($c eq '(') { $depth++ }
			elsif ($c eq ')') { $depth-- }
		}
		my $args = substr $text, $at, $end - $at - 1;
		next if $call eq 'snprintf' and $args !~ /^\s*((error|why|news|error_here)(->|\.)text|text, size)\b/;
		# The first string and those that are written next to it
		next unless $args =~ /((?:"(?:[^"\\]|\\.)*"\s*)+)/;
		my $message = join '', $1 =~ /"((?:[^"\\]|\\.)*)"/g;
		$message =~ s/\\(.)/$1/g;
		$message =~ s/^enclave: //;
		$message =~ s/%[-.0-9]*[a-z]{0,2}[sudimxc]/.../g;
		$message =~ s/\s+/ /g;
		# Nothing but values: the words are elsewhere
		next unless $message =~ /[a-zA-Z]{3}/;
		print "$file\t$message\n";
	}
}
EOF
perl "$dir/messages" "${sources[@]}" | sort -u > "$dir/source"

# The table: the first line behind each .TP of its section.
awk '/^\.SH/ { inside = $2 == "ERRORS" } inside && take { print; take = 0 } inside && /^\.TP/ { take = 1 }' \
	doc/enclave.7 | sed -e 's/^\.B //' -e 's/\\&//g' -e 's/\\-/-/g' -e 's/\\e/\\/g' > "$dir/table"
ok "there is a table of $(wc -l < "$dir/table") errors" [ "$(wc -l < "$dir/table")" -gt 80 ]
is "$(sort "$dir/table" | uniq -d)" "" "none is there twice"
is "$(sed 's/\.\.\.//g; s/[^a-zA-Z]//g' "$dir/table" | awk 'length($0) < 4')" "" "none is so short that it would fit to all"

# Not for users of srun: said by pisces(1), to the administrator in slurmd's log, the end of
# another one, or no error.
cat > "$dir/others" <<'EOF'
there is no option '...'
there is no way '...' to take memory
the co-kernel's command line has
only root can take of a node
a task cannot have ... CPUs from number ... of the enclave on
the enclave does not have CPUs number ... to ...
the enclave has not been booted
the enclave has too little memory free to map so much more
... is not a topology in hwloc's XML
'...' is not a topology in hwloc's synthetic syntax
hwloc cannot load the topology
...: ...; steps with --enclave will fail on this node
an enclave of job ... cannot be ended
task ... cannot be told of its enclave
of CPUs ... of this step, ... are with Linux
...: ... ... (after ... s)
...: up with ... CPUs
...: all was given back to Linux
it is neither a file nor a directory nor a link
that is the enclave's own
; its last line was
EOF

# lacking WHAT IN: lines of WHAT of which no line of IN is the beginning (... is any text)
cat > "$dir/lacking" <<'EOF'
use strict;
my ($what, @in) = @ARGV;
my @begins;
foreach my $file (@in) {
	open my $in, '<', $file or die;
	while (<$in>) { chomp; my $re = join '.*', map { quotemeta } split /\.\.\./, $_, -1; push @begins, qr/^$re/ }
}
open my $lines, '<', $what or die;
LINE: while (<$lines>) {
	chomp;
	my ($file, $message) = /\t/ ? split /\t/ : ('', $_);
	foreach (@begins) { next LINE if $message =~ $_ }
	print "$file: $message\n";
}
EOF
is "$(perl "$dir/lacking" "$dir/source" "$dir/table" "$dir/others")" "" \
	"each message of the source is in the table"

# And the other way round: an entry is the beginning of some message.
cat > "$dir/stale" <<'EOF'
use strict;
my ($source, $table) = @ARGV;
open my $in, '<', $source or die;
my @messages = map { chomp; (split /\t/)[1] } <$in>;
open my $entries, '<', $table or die;
while (<$entries>) {
	chomp;
	my $re = join '.*', map { quotemeta } split /\.\.\./, $_, -1;
	print "$_\n" unless grep { /^$re/ } @messages;
}
EOF
is "$(perl "$dir/stale" "$dir/source" "$dir/table")" "" "each one of the table is in the source"
is "$(perl "$dir/stale" "$dir/source" "$dir/others")" "" "and so is each of those that are left out"
done_testing
