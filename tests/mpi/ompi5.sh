#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: the BTL under Debian 13's Open MPI; run in its root by t-ompi5.sh
#
#	ompi5.sh user|kmod	the port, XNUMA_BUILDDIR built in that root

# shellcheck disable=SC2317 # functions are called by check
# shellcheck disable=SC2034 # set for cases.sh
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"
port=$1
random_count=20000 many_count=500 thread_count=200 flood_count=500 limit=300
# shellcheck source=tests/mpi/cases.sh
. "$srcdir/mpi/cases.sh"
unset OMPI_MCA_mca_base_component_path
tools=$XNUMA_BUILDDIR/tools
eval "$("$tools/xpmem-numa-env" "$XNUMA_BUILDDIR/ompi-btl/.libs")"

series() {
	mpirun --version | grep -F 'mpirun (Open MPI) 5.0.'
}

one_sided() {
	mpi "$1" --mca osc rdma "$(program onesided)" 50
}

# By the BTL's own name alone, as the documentation of osc/rdma has it.
one_sided_named() {
	mpi 2 --mca osc rdma --mca osc_rdma_btls xpmem_numa \
		"$(program onesided)" 50
}

leaves_local() {
	run 2 --mca btl sm,xpmem_numa,self "$(program pingpong)" 1 &&
		said 1 "xpmem_numa: rank 0: port user, peers 0 of 0, "
}

# In a place where Open MPI looks by default, with nothing set.
info_at_home() { # WITH|WITHOUT TEXT
	export HOME=$tmp/home
	mkdir -p "$HOME/.openmpi/components" &&
		ln -sf "$XNUMA_BUILDDIR/ompi-btl/.libs/mca_btl_xpmem_numa.so" \
			"$HOME/.openmpi/components/" || return
	unset OMPI_MCA_mca_base_component_path PMIX_MCA_mca_base_component_path
	[[ $1 = WITHOUT ]] ||
		eval "$("$tools/xpmem-numa-env" "$HOME/.openmpi/components")"
	"$tools/xnuma-info" --ompi > "$tmp/info"
	cat "$tmp/info"
	grep -E "$2" "$tmp/info"
}

at_home() {
	(info_at_home "$@")
}

wins() {
	run 2 "$@" "$(program pingpong)" 1 &&
		said 1 "xpmem_numa: rank 0: port kmod, peers 1 of 1, "
}

check "the Open MPI that runs is 5.0" series
if [[ $port = kmod ]]; then
	check "ping-pong of 0 B to 4 MiB, every byte" \
		mpi 2 "$(program pingpong)" 1
	check "one-sided operations by osc/rdma" one_sided 2
	check "... with atomics on the peer's memory" counted_is atomics ">" 100
	check "it wins over sm, unasked" wins
	check "... and asked for both" wins --mca btl sm,xpmem_numa,self
	tap_done
fi
check "a component in the default place is not found in jobs" \
	at_home WITHOUT 'reason +mpirun gives .*another component path'
check "... but with xpmem-numa-env" at_home WITH 'found_in_job +yes'
OMPI_MCA_btl=xpmem_numa,self check "... and is used when named" \
	at_home WITH 'used +yes'
cases_traffic
cases_self
check "one-sided operations by osc/rdma" one_sided 2
check "... on three ranks" one_sided 3
check "... of BTLs that are named" one_sided_named
check "it leaves its place to sm unless named" steps_aside
check "... and local peers to sm when named with it" leaves_local
check "a rank under another host name is reached" other_host
cases_component
tap_done
