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
tap_done
