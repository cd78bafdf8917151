#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: the BTL between ranks that believe to be on two hosts (port
# user): two daemons, each in a UTS namespace with a name of its own. Reach is
# the fabric's, not the host name's.

# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
# shellcheck disable=SC2034 # for what is sourced
port=user
# shellcheck source=tests/mpi/cases.sh
. "$srcdir/mpi/cases.sh"
requires unshare --uts true

# over NP [OPTION...] PROGRAM [ARG...]: half of the ranks on each host
over() {
	two_hosts "$1"
	mpi "$1" "${hosts[@]}" "${@:2}"
}

# all_ours NP PEERS COMMAND...: and each rank had so many peers over our BTL,
# which is all that could carry anything
all_ours() {
	over "$1" "${@:3}" && said "$1" "peers $2 of $2, " &&
		counted_is sent ">" 0
}

far_from_vader() {
	btl=vader,self must_fail over 2 "$(program init)" &&
		said 0 "init: all right"
}

# Those on the host go by vader, the others by us: one of them was spoken to.
shared_out() {
	btl=xpmem_numa,vader,self over 4 "$(program hosts)" 2 greet &&
		said 2 "peers 1 of 1, " && said 2 "peers 0 of 0, " &&
		counted_is sent ">" 0
}

# What is read, written or added to is in the peer; messages are few.
one_sided() {
	over 2 --mca osc rdma "$(program onesided)" 20 &&
		counted_is syscall ">" 3000000
}

cross_killed() {
	two_hosts 2
	killed "$1" "${hosts[@]}" && said 1 "lost rank 1 (host partb, "
}

check "vader does not take them for one host" far_from_vader
check "we reach them: MPI's windows, messages" all_ours 2 1 "$(program hosts)" 1
check "an endpoint is made at the first message, by whoever got it" \
	all_ours 2 1 "$(program hosts)" 1 greet
check "... only of who is spoken to" shared_out
check "... or of all at the start, if told so" all_ours 4 3 \
	--mca mpi_add_procs_cutoff 100 "$(program hosts)" 2
check "ping-pong of 0 B to 4 MiB, every byte" \
	all_ours 2 1 "$(program pingpong)" 1
check "... long ones in one copy" counted_is syscall ">" 4000000
check "... and when all goes through the queue" \
	all_ours 2 1 --mca btl_xpmem_numa_export none "$(program pingpong)" 1
check "random sizes, both directions at once" \
	all_ours 2 1 "$(program random)" 5000
check "non-contiguous types" all_ours 2 1 "$(program datatype)"
check "four ranks to one, from any source" \
	over 4 "$(program manytoone)" 500
check "four threads a rank" all_ours 2 1 "$(program threads)" 200 4
check "one-sided operations" one_sided
check "... of four threads" \
	all_ours 2 1 --mca osc rdma "$(program winthreads)" 50 4
check "a spawned job" over 2 "$(program spawn)"
for mode in recv large; do
	check "a killed peer is reported, its host too ($mode)" \
		cross_killed $mode
done
tap_done
