#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: the BTL under Open MPI with the module (port kmod)
echo "# limit: 900"

# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
port=kmod limit=300
random_count=100000 many_count=500 thread_count=100 flood_count=500
# shellcheck source=tests/mpi/cases.sh
. "$srcdir/mpi/cases.sh"

# vader is there, but we have the higher exclusivity
wins() {
	run 2 "$@" "$(program pingpong)" 1 &&
		said 1 "xpmem_numa: rank 0: port kmod, peers 1 of 1, " &&
		counted_is "window get" ">" 4000000
}

cases_traffic
cases_self
cases_regions
check "one-sided operations by osc/rdma" \
	mpi 2 --mca osc rdma "$(program onesided)" 50
check "... with atomics on the peer's memory" counted_is atomics ">" 100
check "the module makes it win over vader, unasked" wins
check "... and asked for both" wins --mca btl vader,xpmem_numa,self
check "export none: nothing goes through windows" \
	mpi 2 --mca btl_xpmem_numa_export none "$(program pingpong)" 1
check "... indeed" counted_is "window get" == 0
cases_component
cases_failures
tap_done
