#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: the module builds for newer kernels, with their own compilers

# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
requires_archive
kernel=$srcdir/lab/debian-kernel

build() { # RELEASE
	"$kernel" --build "$tmp/$1" "$1" -j2 W=1 > "$tmp/log" 2>&1 && return
	cat "$tmp/log"
	return 1
}

# "Skipping BTF generation" is none.
quiet() {
	! grep -iw -e warning -e error "$tmp/log"
}

made_for() { # RELEASE
	modinfo -F vermagic "$tmp/$1/xpmem_numa.ko" |
		grep -F "$("$kernel" --release "$1") "
}

for release in trixie newest; do
	name=$("$kernel" --release "$release") || continue
	check "builds for Linux $name, of $release" build "$release"
	check "... without a warning at W=1" quiet
	check "... and says so" made_for "$release"
done
tap_done
