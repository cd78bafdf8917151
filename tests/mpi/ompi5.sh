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
smsc=$XNUMA_BUILDDIR/ompi-smsc/.libs
eval "$("$tools/xpmem-numa-env" "$XNUMA_BUILDDIR/ompi-btl/.libs")"
OMPI_MCA_mca_base_component_path=$smsc:$OMPI_MCA_mca_base_component_path

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

# Stock btl/sm, whose memory and messages are moved by the smsc component.
by_sm() {
	run 2 --mca btl sm,self --mca smsc_xpmem_numa_verbose 1 "$@" &&
		said 2 "smsc xpmem_numa: rank" && said 2 "; held 0, failed 0"
}

cases_smsc() {
	check "btl/sm moves messages by the smsc component" \
		by_sm "$(program pingpong)" 1
	check "... by mapping" counted_is maps ">" 0
	check "... and copying" counted_is copied ">" 4000000
	check "... of random sizes" by_sm "$(program random)" 1000
	check "... of four threads" by_sm "$(program threads)" 50 4
	check "... of non-contiguous types" by_sm "$(program datatype)"
	check "... and one-sided operations" by_sm "$(program onesided)" 20
	check "... not when peers may not reach all memory" smsc_aside \
		XNUMA_EXPORT=buffers
}

# Without the module, or where not all memory is offered, cma serves.
smsc_aside() {
	run 2 --mca btl sm,self --mca smsc_xpmem_numa_verbose 2 \
		env "$@" "$(program pingpong)" 1 &&
		said 2 "smsc xpmem_numa: not used" && said 0 "smsc xpmem_numa: rank"
}

exports_smsc() {
	[[ $(nm -D --defined-only "$smsc/mca_smsc_xpmem_numa.so" |
		awk '{ print $3 }') = mca_smsc_xpmem_numa_component ]]
}

check "the Open MPI that runs is 5.0" series
if [[ $port = kmod ]]; then
	check "ping-pong of 0 B to 4 MiB, every byte" \
		mpi 2 "$(program pingpong)" 1
	check "one-sided operations by osc/rdma" one_sided 2
	check "... with atomics on the peer's memory" counted_is atomics ">" 100
	check "it wins over sm, unasked" wins
	check "... and asked for both" wins --mca btl sm,xpmem_numa,self
	cases_smsc
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
check "the smsc component exports its symbol only" exports_smsc
check "... needs no 16-byte atomics of libatomic" \
	needs_no_sync "$smsc/mca_smsc_xpmem_numa.so"
check "... and steps aside without the module" smsc_aside
tap_done
