#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: the transport of UCX without the module (port user), and how it
# is loaded

# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
port=user limit=300
random_count=20000 many_count=1000 flood_count=1000
# shellcheck source=tests/ucx/cases.sh
. "$srcdir/ucx/cases.sh"

# shows PATTERN OPTION...: a line of ucx_info has it
shows() {
	ucx ucx_info "${@:2}" > "$tmp/info" 2>&1 && grep -E "$1" "$tmp/info" && return
	cat "$tmp/info"
	return 1
}

# becomes LIST NEW: what a program is to see in UCX_TLS
becomes() {
	local is

	is=$(tls=$1 ucx printenv UCX_TLS)
	echo "$is"
	[[ $is = "$2" ]]
}

# Nobody has asked for us: nothing of ours may happen.
not_named() {
	UCX_TLS=tcp,self run 2 --mca opal_common_ucx_tls any \
		--mca opal_common_ucx_devices any \
		--mca hook_xpmem_numa_transport /nonexistent \
		"$(program init)" && said 0 /nonexistent
}

not_loaded() {
	must_fail mpi 2 --mca hook_xpmem_numa_transport /nonexistent \
		"$(program init)" &&
		said 2 "transport for UCX cannot be loaded: /nonexistent"
}

# A sender may come late on a busy machine, but not for a minute.
by_both() {
	local end=$((SECONDS + 60))

	until mpi 2 "$(program stream)" 300 1000000 || return
		counted_is shared ">" 0; do
		((SECONDS < end)) || return
	done
}

no_module() {
	UCX_LOG_LEVEL=diag port=kmod shows \
		"not used: the module xpmem_numa is not loaded" -d &&
		! grep 'Transport: xpmemnuma' "$tmp/info"
}

check "ucx_info shows the transport" \
	shows 'Transport: xpmemnuma' -d -t xpmemnuma
check "... and what its variables mean" \
	shows 'by the module xpmem_numa' -cf
check "xpmem_numa is a word of UCX_TLS" becomes xpmem_numa,self xpmemnuma,self
check "... also after another" becomes tcp,xpmem_numa tcp,xpmemnuma
check "... and with marks" becomes '^xpmem_numa' '^xpmemnuma'
check "... for one" becomes 'self,\xpmem_numa' 'self,\xpmemnuma'
check "... and with a suffix" becomes xpmem_numa:aux,self xpmemnuma:aux,self
check "... but not a part of a word" becomes my_xpmem_numa,xpmem_numa2 \
	my_xpmem_numa,xpmem_numa2
if [[ -c /dev/xpmem_numa ]]; then
	skip_test "port kmod without the module" "this host has the module"
else
	check "port kmod without the module: not there, and said why" no_module
fi
cases_perf
check "Open MPI loads it only when UCX_TLS names it" not_named
check "... and says so when it cannot" not_loaded
cases_mpi
UCX_XPMEM_NUMA_SHARE_MIN=inf \
	check "bytes of large messages are copied once" copied_once "syscall get"
check "... or by both" by_both
cases_death
tap_done
