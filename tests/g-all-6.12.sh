#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: the guest tests once more, in a guest of Debian 13's kernel
#
# But not UCX's: Debian 13 has another UCX than this machine, and what the
# transport asks of the module the others ask as well. Nor what messages cost:
# system calls and bytes are counted, and both are the library's.

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
for other in g-ucx.sh g-btl-cost.sh; do
	[[ -z ${XNUMA_GUEST_TESTS-} ]] ||
		export XNUMA_GUEST_TESTS=${XNUMA_GUEST_TESTS/$other/}
done
export XNUMA_LAB_KERNEL XNUMA_KMOD=$tmp/kmod/xpmem_numa.ko
"$srcdir/g-all.sh"
