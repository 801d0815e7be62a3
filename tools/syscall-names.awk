# SPDX-License-Identifier: GPL-2.0-or-later
# From the macros of <asm/unistd.h> (cc -E -dM) to a table of names by number.
# Anything but a table of the size that Linux has is an error, not a shorter table.
BEGIN {
	print "/* Generated from <asm/unistd.h>. */"
	print "static const char *const syscall_names[] = {"
}
$1 == "#define" && $2 ~ /^__NR_[a-z0-9_]+$/ && $3 ~ /^[0-9]+$/ {
	name = substr($2, 6)
	printf "\t[%d] = \"%s\",\n", $3, name
	number[name] = $3
	count++
}
END {
	print "};"
	if (count < 300 || number["read"] != 0 || number["exit_group"] != 231) {
		print "syscall-names.awk: this is not the list of x86-64's system calls" > "/dev/stderr"
		exit 1
	}
}
