#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: the BTL with Debian 13's Open MPI 5.0, from the same source

# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
top=$(cd "$srcdir/.." && pwd)
root=$srcdir/lab/debian-root
build=$tmp/build
kmod=$XNUMA_BUILDDIR/kmod/xpmem_numa.ko

[[ -z ${XNUMA_NO_NET-} ]] || skip_all "XNUMA_NO_NET is set"
[[ $(uname -m) = x86_64 ]] || skip_all "the root is of x86-64"
requires unshare --mount true
"$root" > "$tmp/root" 2>&1 || skip_all "no root: $(tail -n 1 "$tmp/root")"
cache=$("$root")
cache=${cache%/roots/*}

# A make of its own, not a part of the one that runs this test.
in_root() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u TESTS XNUMA_BUILDDIR="$build" \
		"$root" -- "$@"
}

# The root has no autotools, and the tree's times say nothing in a checkout.
make_in_root() {
	in_root make -j2 AUTOMAKE=: AUTOCONF=: AUTOHEADER=: ACLOCAL=: "$@"
}

# The guest's home is another, and of what is below /tmp it sees where it starts.
in_guest() {
	cd "$cache" || return
	XNUMA_CACHE=$cache XNUMA_KMOD=$kmod XNUMA_BUILDDIR=$build \
		"$srcdir/lab/lab" -- "$root" -- "$@"
}

# A tree that is configured itself cannot be built elsewhere.
source_tree() {
	[[ -e $top/config.status ]] || { echo "$top" && return; }
	mkdir "$tmp/source" &&
		tar -C "$top" -c --exclude-vcs --exclude=./build \
			--exclude=./config.status --exclude=Makefile \
			--exclude=./config.h --exclude='*.o' --exclude='*.lo' \
			--exclude='*.la' --exclude=.libs --exclude=.deps . |
		tar -C "$tmp/source" -x && echo "$tmp/source"
}

# Only what is needed; make check has had the rest with this system's compiler.
build() {
	local source program programs=()

	for program in "$srcdir"/mpi/*.c; do
		# these know the inside of 4.1
		[[ $program == */@(lost|stranger|verbs).c ]] ||
			programs+=("mpi/${program##*/}")
	done
	source=$(source_tree) && mkdir -p "$build" && cd "$build" || return
	in_root "$source/configure" -q --with-linux-dir=no &&
		make_in_root SUBDIRS=". include lib tools ompi-btl ompi-smsc" &&
		make_in_root -C tests "${programs[@]/%.c/.mpi}"
}

quiet() {
	! grep -iE 'warning|error:' "$tmp/log"
}

# Lines of a TAP stream become lines of this script's.
relay() { # PREFIX
	local line plan=

	while IFS= read -r line; do
		case $line in
		"ok "*) tap_line 0 "$1${line#ok * - }" ;;
		"not ok "*) tap_line 1 "$1${line#not ok * - }" ;;
		1..*) plan=1 ;;
		*) echo "# ${line#\# }" ;;
		esac
	done
	[[ $plan ]] || tap_line 1 "$1 reaches its end"
}

if ! build > "$tmp/log" 2>&1; then
	diag < "$tmp/log"
	tap_line 1 "it builds for Open MPI 5.0"
	tap_done
fi
check "it builds for Open MPI 5.0 without a warning" quiet
cd "$build" || exit
relay "" < <(in_root "$srcdir/mpi/ompi5.sh" user 2>&1)
if [[ ${XNUMA_NO_LAB-} || ! -f $kmod ]]; then
	skip_test "with the module" "XNUMA_NO_LAB is set, or no module is built"
else
	relay "with the module: " < <(in_guest "$srcdir/mpi/ompi5.sh" kmod 2>&1)
fi
tap_done
