#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each header of the contract compiles alone in each of its three worlds (user
# space, the freestanding co-kernel, Linux's kernel), and every structure has the
# same size and the same places of its members in all of them.
. "$(dirname "$0")/lib/tap.sh"

top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
top_builddir=${top_builddir:-$top_srcdir/build}
CC=${CC:-cc}
include=$top_srcdir/include
generated=$top_builddir/include
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

[ -f "$generated/pisces/build_id.h" ] || skip_all "nothing is built in $top_builddir yet"

headers=$(cd "$include/pisces" && echo ./*.h | sed 's,\./,,g; s,\.h,,g')
warnings='-Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wshadow -Wundef
	-Wtype-limits -Wconversion'

# A file for each header: alone, and twice, as it comes when two headers need it.
for header in $headers build_id; do
	printf '%s\n' "#include <pisces/$header.h>" "#include <pisces/$header.h>" \
		"extern int this_is_$header;" "int this_is_$header;" > "$dir/$header.c"
done

# And one that writes down what a structure looks like in memory.
{
	for header in $headers build_id; do echo "#include <pisces/$header.h>"; done
	echo '#ifdef __KERNEL__'
	echo '#include <linux/stddef.h>'
	echo '#endif'
	echo 'extern const unsigned long long layout[];'
	echo 'const unsigned long long layout[] __attribute__((section(".layout"))) = {'
	cat "$include"/pisces/*.h | awk '
		/^struct pisces_[a-z_]+ \{/ {
			name = $2
			print "sizeof(struct " name "), __alignof__(struct " name "),"
			next
		}
		/^}/ { name = "" }
		# A member: the last word before ; or [ is its name.
		name != "" && /^\t[a-z].*;/ {
			line = $0
			sub(/;.*/, "", line)
			sub(/\[.*/, "", line)
			count = split(line, word, /[ \t*]+/)
			print "__builtin_offsetof(struct " name ", " word[count] "),"
		}'
	grep -ho 'PISCES_IOC_[A-Z_]*' "$include/pisces/ioctl.h" | sort -u | grep -v _MAGIC |
		sed 's/$/,/'
	grep -ho '^	PISCES_[A-Z_]* = ' "$include"/pisces/*.h | tr -d '\t =' | sort -u | sed 's/$/,/'
	echo '};'
} > "$dir/all.c"
places=$(grep -c offsetof "$dir/all.c")
ok "there is something to compare: $places members" test "$places" -gt 150

# compiles WORLD FLAGS ...: each header in that world
compiles() {
	local world=$1 header errors
	shift
	for header in $headers build_id; do
		# shellcheck disable=SC2086 # words are flags
		errors=$($CC "$@" $warnings -I "$include" -I "$generated" -c "$dir/$header.c" \
			-o "$dir/$header.o" 2>&1)
		is "$errors" "" "$world: <pisces/$header.h> compiles alone"
	done
	# shellcheck disable=SC2086
	errors=$($CC "$@" $warnings -I "$include" -I "$generated" -c "$dir/all.c" \
		-o "$dir/all-$world.o" 2>&1)
	is "$errors" "" "$world: and all together"
	objcopy -O binary -j .layout "$dir/all-$world.o" "$dir/layout-$world"
}

compiles user -std=gnu11
compiles strict-user -std=c11 -pedantic -Wno-pedantic -D_GNU_SOURCE
compiles co-kernel -std=gnu11 -ffreestanding -nostdlib -fno-pic -mcmodel=kernel -mno-red-zone \
	-mgeneral-regs-only -fno-stack-protector -fno-asynchronous-unwind-tables

ok "structures look the same in user space and in the co-kernel" \
	cmp "$dir/layout-user" "$dir/layout-co-kernel"
ok "the layout is not empty" test -s "$dir/layout-user"

# The kernel's own build compiles them, with the kernel's own flags.
kernel=${KERNEL_DIR:-/lib/modules/$(uname -r)/build}
objects=$(for header in $headers build_id all; do echo "$header.o"; done)
if [ -f "$kernel/include/config/kernel.release" ]; then
	release=$(cat "$kernel/include/config/kernel.release")
	mkdir "$dir/kernel"
	cp "$dir"/*.c "$dir/kernel/"
	{
		echo "obj-m := contract.o"
		echo "contract-y :=" $objects
		echo "ccflags-y := -I$include -I$generated -Wextra -Wno-unused-parameter -Wno-sign-compare" \
			"-Wno-missing-field-initializers -Wundef -Werror"
	} > "$dir/kernel/Kbuild"
	# shellcheck disable=SC2086
	errors=$(cd "$dir/kernel" && env -u MAKEFLAGS -u MAKELEVEL -u MAKEOVERRIDES make -C "$kernel" \
		M="$dir/kernel" $objects 2>&1) || failed=yes
	for object in $objects; do
		if [ -f "$dir/kernel/$object" ]; then
			pass "kernel $release: <pisces/${object%.o}.h> compiles alone"
		else
			fail "kernel $release: <pisces/${object%.o}.h> compiles alone"
		fi
	done
	[ -z "${failed:-}" ] || diag "$errors"
	objcopy -O binary -j .layout "$dir/kernel/all.o" "$dir/layout-kernel" 2> /dev/null
	ok "structures look the same in user space and in Linux's kernel" \
		cmp "$dir/layout-user" "$dir/layout-kernel"
else
	for object in $objects; do
		pass "<pisces/${object%.o}.h> in Linux's kernel # SKIP no kernel headers in $kernel"
	done
fi

# No two ioctls share a number, nor two messages.
commands=$(grep -E '^#define PISCES_IOC_[A-Z_]+ _IO' "$include/pisces/ioctl.h" |
	sed 's/.*MAGIC, \(0x[0-9a-f]*\).*/\1/')
ok "there are ioctls" test "$(wc -w <<< "$commands")" -ge 14
is "$(sort <<< "$commands" | uniq -d)" "" "each ioctl has a number of its own"
messages=$(grep -oE '^	PISCES_MSG_[A-Z_]+ = 0x[0-9a-f]+' "$include/pisces/message.h" | sed 's/.* //')
ok "there are messages" test "$(wc -w <<< "$messages")" -ge 16
is "$(sort <<< "$messages" | uniq -d)" "" "each message has a type of its own"

done_testing
