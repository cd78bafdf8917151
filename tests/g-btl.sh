#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: the BTL under Open MPI with the module (port kmod)
echo "# limit: 1500"

# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
port=kmod
random_count=1000 many_count=500 thread_count=100
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
for size in 5000 65536 1000000; do
	check "messages of $size bytes go through windows, once" \
		above_eager $size "window get"
done
check "export none: nothing goes through windows" \
	mpi 2 --mca btl_xpmem_numa_export none "$(program pingpong)" 1
check "... indeed" counted_is "window get" == 0
for size in 0 8 4000 65536 4194304; do
	check "no system call per message of $size bytes" same_calls $size
done
for size in 4000 20000 1048576; do
	check "... of $size bytes, each from another buffer" \
		same_calls $size fresh
done
cases_component
cases_failures
tap_done
