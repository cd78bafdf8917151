# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# verbs.sh - what is behind the BTL's functions, for t-btl-verbs.sh and
# g-btl-verbs.sh: the verbs themselves, keys, which peers are ours
#
# shellcheck disable=SC2317 # functions are called by check

# ---- one-sided verbs ----

cases_verbs() {
	check "every one-sided verb, on a peer and on self" \
		mpi 2 "$(program verbs)"
	check "... and btl_dump tells of both" dumped
	check "... with small rings and few fragments" \
		mpi 2 --mca btl_xpmem_numa_ring_size 16k \
		--mca btl_xpmem_numa_max_rings 1 \
		--mca btl_xpmem_numa_free_list_max 8 "$(program verbs)"
	check "one-sided operations of four threads a rank" \
		mpi 2 --mca osc rdma "$(program winthreads)" "$thread_count" 4
}

dumped() {
	said 1 "xpmem_numa: rank 1, process .*: open, 0 waiting" &&
		said 1 "xpmem_numa: rank 0, process .*: self, 0 waiting"
}

# ---- who is a peer ----

# with_key KEY PROGRAM...: rank 1 has that instead of the job's
with_key() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	mpi 2 --mca btl_xpmem_numa_local_peers always sh -c '
		name=OMPI_MCA_orte_precondition_transports
		[ "$OMPI_COMM_WORLD_RANK" = 0 ] || export "$name=$0"
		exec "$@"' "$@"
}

other_key() {
	btl=xpmem_numa,vader,self with_key 0123456789abcdef-fedcba9876543210 \
		"$(program pingpong)" 1 &&
		said 2 "peers 0 of 0, " && said 2 "another key"
}

policy() { # NUMBER POLICY LIST
	btl=$3 mpi 2 --mca btl_xpmem_numa_local_peers "$2" \
		"$(program pingpong)" 1 && said 2 "peers $1 of $1, "
}

unreachable() {
	must_fail run 2 --mca btl xpmem_numa,self \
		--mca btl_xpmem_numa_port "$port" \
		--mca btl_xpmem_numa_local_peers never "$(program pingpong)" 1 &&
		grep -q "process is unreachable" "$tmp/mpi"
}

cases_peers() {
	check "who has not the job's key is not let in" \
		mpi 2 "$(program stranger)"
	check "a rank with another key is left to another BTL" other_key
	check "two spawned jobs connect to each other" \
		mpi 1 "$(program spawn)" connect
	check "local_peers always: on this node we come before vader" \
		policy 1 always xpmem_numa,vader,self
	check "... never: it comes before us" \
		policy 0 never xpmem_numa,vader,self
	check "... never, and no other is named: the job cannot start" \
		unreachable
}

# ---- who is killed ----

# The exit status of mpirun says nothing, with recovery; see killed().
lost() { # VERB
	limit=60 run 2 --mca btl xpmem_numa,self \
		--mca btl_xpmem_numa_port "$port" \
		--mca orte_enable_recovery 1 "$(program lost)" "$1"
	[[ $? != 124 ]] && said 1 "^lost: all right" &&
		said 1 ": xpmem_numa: rank 0 lost rank 1 (host .*): [^ ]"
}

killed_all() {
	run 3 --mca btl xpmem_numa,self --mca btl_xpmem_numa_port "$port" \
		"$(program killed)" large
	[[ $? != 124 ]] && said 1 "^rank 2 is killed" && said 0 "too long"
}

cases_lost() {
	local verb

	for verb in get put op fop cswap flush stopped; do
		check "of a killed peer the verbs are errors ($verb first)" \
			lost $verb
	done
	check "also under osc/rdma, in words" killed rma --mca osc rdma
	check "a job that is killed leaves no name" \
		leaves_no_name killed_all
}
