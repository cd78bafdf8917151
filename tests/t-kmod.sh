#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: the module's build, without configure, with all warnings, and
# what sparse and checkpatch say of it

# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
kdir=$(sed -n 's/^LINUX_DIR = //p' "$XNUMA_BUILDDIR/Makefile" 2> /dev/null)
[[ ${kdir:=no} != no ]] || skip_all "no kernel headers"

kmod() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u TESTS \
		make -C "$srcdir/../kmod" KDIR="$kdir" OUT="$tmp/kmod" "$@"
}

build() {
	mkdir "$tmp/kmod" && kmod W=1 C="$sparse" > "$tmp/log" 2>&1 && return
	cat "$tmp/log"
	return 1
}

# Every source has been looked at; what it said of them is a warning, too.
sparse_looked() {
	local file

	for file in "$srcdir"/../kmod/*.c; do
		[[ $file = *.mod.c ]] || grep "CHECK .*/${file##*/}$" "$tmp/log" ||
			return
	done
}

# Only the source of a kernel has it, the debug kernel's for one.
checkpatch_find() {
	local image

	checkpatch=$(command -v checkpatch.pl) && return
	image=$("$srcdir/lab/debug-kernel" --where) || return
	checkpatch=$(printf '%s\n' \
		"${image%/*}"/linux-source-*/scripts/checkpatch.pl)
}

checkpatch_sees() {
	printf '// SPDX-License-Identifier: GPL-2.0-only\nint x ;\n' > "$tmp/x.c"
	! "$srcdir/lab/checkpatch" "$checkpatch" "$tmp/x.c"
}

# BTF needs vmlinux, which Debian's headers do not have.
quiet() {
	! grep -i warning "$tmp/log"
}

source_clean() {
	[[ -z $(find "$srcdir/../kmod" -newer "$tmp/requires" \
		\( -name '*.o' -o -name '*.ko' -o -name '*.cmd' \)) ]]
}

describes() {
	modinfo -F "$1" "$tmp/kmod/xpmem_numa.ko" | grep -x "$2"
}

installed() {
	kmod install INSTALL_MOD_PATH="$tmp/root" DEPMOD=true &&
		find "$tmp/root/lib/modules" -name 'xpmem_numa.ko*' | grep .
}

sparse=0
! command -v sparse > /dev/null || sparse=1
: > "$tmp/requires"
check "make -C kmod builds outside of the source" build
check "... without a warning at W=1" quiet
if ((sparse)); then
	check "... nor of sparse, which looked at every source" sparse_looked
else
	skip_test "... nor of sparse, which looked at every source" "no sparse"
fi
if checkpatch_find; then
	check "checkpatch finds nothing" \
		"$srcdir/lab/checkpatch" "$checkpatch"
	check "... and this would be seen" checkpatch_sees
else
	skip_test "checkpatch finds nothing" "no checkpatch.pl"
fi
check "... and leaves the source alone" source_clean
check "it is GPL" describes license GPL
check "it has a description" describes description '.*[a-z].*'
check "make install obeys INSTALL_MOD_PATH" installed
tap_done
