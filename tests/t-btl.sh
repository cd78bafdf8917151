#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: the BTL under Open MPI without the module (port user)

# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
port=user limit=300
random_count=100000 many_count=2000 thread_count=500 flood_count=2000
# shellcheck source=tests/mpi/cases.sh
. "$srcdir/mpi/cases.sh"

refused_once() {
	must_fail run 2 --mca btl "$1" --mca btl_xpmem_numa_port kmod \
		"$(program init)" &&
		said 1 "kernel module xpmem_numa is not loaded"
}

one_warning() {
	run 3 --mca btl xpmem_numa,self "$(program init)" &&
		said 1 "runs without its kernel module" &&
		said 3 "port user"
}

cases_traffic
cases_self
cases_regions
check "one-sided operations" mpi 2 "$(program onesided)" 50
check "eager messages go through the queue only" \
	mpi 2 "$(program stream)" 1000 4000
check "... not by system calls" counted_is syscall == 0
check "export none: all goes through the queue" \
	mpi 2 --mca btl_xpmem_numa_export none "$(program pingpong)" 1
check "... not by system calls" counted_is syscall == 0
check "no system calls per message of 8 bytes" same_calls 8
check "... of 4000 bytes" same_calls 4000
cases_counted 8 all:8:30 all:4000:30 fetch:8:300
if [[ -c /dev/xpmem_numa ]]; then
	skip_test "port kmod without the module" "this host has the module"
else
	check "port kmod without the module ends the job, once said why" \
		refused_once xpmem_numa,self
	check "... also when vader could have served" \
		refused_once xpmem_numa,vader,self
	check "port auto warns once for the whole job" one_warning
	check "... and steps aside for vader unless named" steps_aside
	check "... or when excluded" steps_aside --mca btl ^xpmem_numa
fi
cases_component
cases_failures
tap_done
