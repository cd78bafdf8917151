#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: each safety of the module, switched off, makes a guest test fail

# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
requires_lab
kdir=$(sed -n 's/^LINUX_DIR = //p' "$XNUMA_BUILDDIR/Makefile" 2> /dev/null)
[[ ${kdir:=no} != no ]] || skip_all "no kernel headers"

# The names are those of kmod/mutate.h; the order there gives the numbers.
tests=(
	STRANGER=g-stale RIGHTS=g-rights DENY=g-deny POISON=g-poison
	SECRET=g-writes NODE=g-numa NAMES=g-metadata DIRTY=g-dirty
	RETRY=g-seq CARRY=g-seq OCCUPIED=g-poison CLEARED=g-poison
	CLEARED=g-protocol BATCH=g-batch HUGE=g-thp WRITE=g-writes
	LIMIT=g-limits PROMPT=g-fuse
)
# A boot of their own, since its time is limited.
torture=(
	RETRY=g-torture DIRTY=g-torture POISON=g-torture DENY=g-torture
	WRITE=g-torture ZAP=g-torture
)
# What these leave behind is a broken guest: one boot each.
fatal=(
	SHARED=g-writes ZAP=g-coherence ZAP=g-torture-life GONE=g-torture-life
	NEST=g-mutual
)

number_of() { # NAME
	sed -n 's/^\tXNUMA_MUTATE_\([A-Z]*\),.*/\1/p' \
		"$srcdir/../kmod/mutate.h" | grep -nx "$1" |
		sed 's/:.*//' | { read -r n && echo $((n - 1)); }
}

numbered() { # NAME=PROGRAM...
	local pair

	for pair; do
		echo "$(number_of "${pair%%=*}")=${pair#*=}"
	done
}

# The lab's status says nothing here: a splat is a way to notice.
boot() { # NAME=PROGRAM...
	local pairs

	mapfile -t pairs < <(numbered "$@")
	XNUMA_KMOD=$XNUMA_BUILDDIR/kmod-mutations/xpmem_numa.ko \
		"$srcdir/lab/lab" --timeout 580 -- "$srcdir/lab/mutations" \
		"$builddir" "${pairs[@]}" >> "$tmp/out" 2>> "$tmp/err"
}

build() {
	mkdir -p "$XNUMA_BUILDDIR/kmod-mutations" &&
		env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
		make -s -C "$srcdir/../kmod" KDIR="$kdir" MUTATIONS=1 \
		OUT="$XNUMA_BUILDDIR/kmod-mutations" > "$tmp/log" 2>&1 && return
	cat "$tmp/log"
	return 1
}

noticed() { # NAME=PROGRAM
	grep -qx "noticed $(numbered "$1")" "$tmp/out" && return
	cat "$tmp/out" "$tmp/err"
	return 1
}

# A guest that the mutation has brought down has noticed it as well.
noticed_or_down() { # NAME=PROGRAM
	grep -q '^lab: .*splat in the kernel log' "$tmp/err" || noticed "$1"
}

absent() {
	! modinfo -p "$XNUMA_BUILDDIR/kmod/xpmem_numa.ko" | grep mutate
}

check "a module with faults to switch on is built" build
check "the module itself has none" absent
: > "$tmp/out"
: > "$tmp/err"
boot "${tests[@]}"
boot "${torture[@]}"
for pair in "${tests[@]}" "${torture[@]}"; do
	check "${pair#*=} notices ${pair%%=*}" noticed "$pair"
done
for pair in "${fatal[@]}"; do
	: > "$tmp/err"
	boot "$pair"
	check "${pair#*=} notices ${pair%%=*}" noticed_or_down "$pair"
done
tap_done
