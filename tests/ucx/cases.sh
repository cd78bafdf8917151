# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# cases.sh - the transport under UCX, and UCX under Open MPI, with the port of
# the script that sources this: t-ucx.sh (user, on the host) and g-ucx.sh
# (kmod, in a guest)
#
# shellcheck disable=SC2317 # functions are called by check

transport=$XNUMA_BUILDDIR/ucx-tl/.libs/libuct_xpmemnuma.so.0
[[ -e $transport ]] || skip_all "built without UCX"
requires ucx_perftest -h
# shellcheck source=tests/mpi/cases.sh
. "$srcdir/mpi/cases.sh"
export OMPI_MCA_mca_base_component_path=$XNUMA_BUILDDIR/ompi-hook/.libs:SYS_DEFAULT
export OMPI_MCA_hook_xpmem_numa_transport=$transport
pml=ucx

# ucx COMMAND [ARG...]: with our transport, and with no other
ucx() {
	env LD_PRELOAD="$transport" UCX_TLS="${tls-xpmem_numa}" \
		UCX_XPMEM_NUMA_PORT="$port" \
		timeout -k 5 "${limit-100}" "$@"
}

# ---- ucx_perftest ----

# shellcheck source=tests/ucx/perf.sh
. "$srcdir/ucx/perf.sh"

uct() {
	perf -x xpmemnuma -d memory "$@"
}

cases_perf() {
	local name layout size

	while read -r name layout size; do
		check "UCT: $name $layout of $size bytes" \
			uct -t "$name" -D "$layout" -s "$size"
	done <<-END
		am_lat short 8
		am_lat shortiov 64
		am_lat bcopy 8000
		am_bw short 2048
		put_lat short 8
		put_bw short 4096
		put_bw bcopy 8000
		put_bw zcopy 1000000
		get bcopy 8000
		get zcopy 1000000
	END
	while read -r name size; do
		check "UCP: $name of $size bytes" perf -t "$name" -s "$size"
	done <<-END
		tag_lat 8
		tag_bw 4096
		tag_lat 300000
		tag_sync_lat 64
		stream_lat 2000
		stream_bw 100000
		ucp_am_lat 64
		ucp_am_bw 100000
		ucp_put_lat 8
		ucp_put_bw 100000
		ucp_get 100000
		ucp_add 8
		ucp_cswap 4
	END
	check "the worker sleeps on a descriptor" perf -t tag_lat -s 8 -E sleep
}

# ---- Open MPI ----

# as in mpi/cases.sh: the output is in $tmp/mpi, and our lanes must be used
mpi() {
	UCX_TLS=${tls-xpmem_numa} UCX_XPMEM_NUMA_PORT=$port UCX_LOG_LEVEL=info \
		OMPI_MCA_osc=ucx run "$@" || return
	grep -q "ep_cfg.*xpmemnuma/memory" "$tmp/mpi" || {
		echo "no endpoint of UCX says that it uses xpmemnuma"
		return 1
	}
}

# As in mpi/cases.sh, of what an interface tells at its end.
counted() { # NAME
	sed -n "s/.*UCX  INFO  xpmem_numa: .*[ ,]$1 \([0-9][0-9]*\).*/\1/p" \
		"$tmp/mpi" | awk '{ sum += $1 } END { if (NR) print sum }'
}

# copied_once COUNTER: it has the bytes of 1000 messages, the queue has not;
# what MPI_Send waits for is sent by the queue up to 256 KiB, as UCX will have it
copied_once() {
	mpi 2 "$(program stream)" 898 300000 &&
		counted_is "$1" ">=" $((898 * 300000)) &&
		counted_is queue "<" $((1000 * 512))
}

cases_mpi() {
	check "pml/ucx: ping-pong of 0 B to 4 MiB, every byte" \
		mpi 2 "$(program pingpong)" 2
	tls=xpmem_numa,self check "... with self in the list" \
		mpi 2 "$(program pingpong)" 1
	check "pml/ucx: random sizes and alignments, both directions at once" \
		mpi 2 "$(program random)" "$random_count"
	check "pml/ucx: non-contiguous types" mpi 2 "$(program datatype)"
	check "pml/ucx: four ranks to one, from any source" \
		mpi 4 "$(program manytoone)" "$many_count"
	check "pml/ucx: a receiver that sleeps: sends wait, none is lost" \
		mpi 3 "$(program flood)" "$flood_count"
	check "... indeed they found no room" counted_is refused ">" 0
	check "pml/ucx: self on one rank" mpi 1 "$(program self)"
	check "osc/ucx: one-sided operations" mpi 2 "$(program onesided)" 20
	check "no system calls per message of 8 bytes" same_calls 8
	check "... of 4000 bytes" same_calls 4000
}

# ---- what goes wrong ----

# The limit of death's own is generous; what it prints is not judged.
cases_death() {
	local what

	for what in tag rndv put get; do
		check "a killed peer is told of by the error handler ($what)" \
			ucx "$builddir/ucx/death" "$what"
	done
	UCX_KEEPALIVE_INTERVAL=inf \
		check "... to those who only wait, not by UCX's own checks" \
		ucx "$builddir/ucx/death" idle
	check "memory that was unmapped is an error, no signal" \
		ucx "$builddir/ucx/death" unmap
	check "... also to who receives what was to be read there" \
		ucx "$builddir/ucx/rndv" vanished
	check "keys that their owner takes back" ucx "$builddir/ucx/keys"
}
