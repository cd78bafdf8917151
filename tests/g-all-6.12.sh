#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: all guest tests once more, in a guest of Debian 13's kernel

# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
requires_lab
requires_archive
XNUMA_LAB_KERNEL=$("$srcdir/lab/debian-kernel" trixie) ||
	skip_all "no kernel of trixie"
"$srcdir/lab/debian-kernel" --build "$tmp/kmod" trixie > "$tmp/log" 2>&1 || {
	diag < "$tmp/log"
	tap_line 1 "the module is built for trixie's kernel"
	tap_done
}
export XNUMA_LAB_KERNEL XNUMA_KMOD=$tmp/kmod/xpmem_numa.ko
"$srcdir/g-all.sh"
