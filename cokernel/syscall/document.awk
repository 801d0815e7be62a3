# SPDX-License-Identifier: GPL-2.0-or-later
# From the macros of <asm/unistd.h> (cc -E -dM) and then syscall/list.h: doc/SYSCALLS.md.
# What a call cannot do stands behind its row of the list, as a comment.

# The release whose calls are meant, so that newer headers make the same document.
BEGIN {
	highest = 450
}

$1 == "#define" && $2 ~ /^__NR_[a-z0-9_]+$/ && $3 ~ /^[0-9]+$/ && $3 <= highest {
	name[$3] = substr($2, 6)
}

/^CALL\(/ {
	split($0, field, /[(), ]+/)
	number = field[2]
	if (name[number] != field[3]) {
		print "document.awk: call " number " is not " field[3] > "/dev/stderr"
		failed = 1
	}
	kind[number] = tolower(field[4])
	count[kind[number]]++
	limit[number] = ""
	if (match($0, /\/\*.*\*\//))
		limit[number] = substr($0, RSTART + 3, RLENGTH - 6)
}

END {
	for (number = 0; number <= highest; number++)
		if (number in name && !(number in kind))
			count["absent"]++
	if (failed || count["inside"] < 50 || count["forwarded"] < 50 || count["absent"] < 20) {
		print "document.awk: these are not the calls of x86-64" > "/dev/stderr"
		exit 1
	}
	print "# System calls of a program in an enclave"
	print ""
	print "Made from `cokernel/syscall/list.h` by `cokernel/syscall/document.awk`; do not edit it."
	print "The calls are those of Linux 6.1 on x86-64: " count["inside"] " are served inside, " \
	      count["forwarded"] " forwarded,"
	print count["either"] " either, " count["absent"] " are absent."
	print ""
	print "* **inside**: the co-kernel does it. Linux is not asked, and cannot delay it."
	print "* **forwarded**: the proxy does it on Linux, with the user's rights. Only the thread that"
	print "  called waits; a signal ends the wait as on Linux."
	print "* **either**: inside or forwarded, as its arguments say."
	print "* **absent**: `ENOSYS`, and `pisces stat` counts that a program asked for it."
	print ""
	print "What a call does not do as Linux does stands beside it."
	print ""
	print "With staged I/O (enclave(7)) nothing is forwarded: what is so here is then served inside, or"
	print "refused as that page says."
	print ""
	print "| number | call | where | limits |"
	print "|---:|---|---|---|"
	for (number = 0; number <= highest; number++)
		if (number in kind)
			print "| " number " | " name[number] " | " kind[number] " | " limit[number] " |"
	print ""
	print "Absent:"
	print ""
	for (number = 0; number <= highest; number++)
		if (number in name && !(number in kind))
			line = line (line ? ", " : "") name[number]
	while (length(line) > 96) {
		for (cut = 96; substr(line, cut, 1) != " "; cut--)
			;
		print substr(line, 1, cut - 1)
		line = substr(line, cut + 1)
	}
	print line "."
}
