#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: the transport of UCX with the module (port kmod)
echo "# limit: 900"

# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
port=kmod limit=300 count=200
random_count=2000 many_count=200 flood_count=200
# shellcheck source=tests/ucx/cases.sh
. "$srcdir/ucx/cases.sh"

cases_atomics() {
	local name size

	for name in add_lat fadd swap cswap; do
		for size in 4 8; do
			check "UCT: $name of $size bytes" \
				uct -t "$name" -s "$size"
		done
	done
}

cases_perf
cases_atomics
cases_mpi
UCX_XPMEM_NUMA_SHARE_MIN=inf \
	check "bytes of large messages are copied once" copied_once "window get"
check "no system calls per message of 300000 bytes" same_calls 300000
cases_death

# The receiver's window get is that of the messages.
many_read() {
	UCX_LOG_LEVEL=info UCX_XPMEM_NUMA_SHARE_MIN=inf \
		ucx "$builddir/ucx/rndv" many > "$tmp/mpi" 2>&1 || return
	cat "$tmp/mpi"
	counted_is "window get" ">=" $((20 * (4 << 20)))
}

check "under error handling, too, large messages are copied once" many_read
check "a sender that gives up takes its message back" \
	ucx "$builddir/ucx/rndv" closed
tap_done
