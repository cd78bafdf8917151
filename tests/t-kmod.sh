#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: the module's build, without configure, with all warnings

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
	mkdir "$tmp/kmod" && kmod W=1 > "$tmp/log" 2>&1 && return
	cat "$tmp/log"
	return 1
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

: > "$tmp/requires"
check "make -C kmod builds outside of the source" build
check "... without a warning at W=1" quiet
check "... and leaves the source alone" source_clean
check "it is GPL" describes license GPL
check "it has a description" describes description '.*[a-z].*'
check "make install obeys INSTALL_MOD_PATH" installed
tap_done
