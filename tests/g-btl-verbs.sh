#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: the BTL's one-sided verbs, its keys and policies, and deaths in
# mid-operation, with the module (port kmod)
echo "# limit: 600"

# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
# shellcheck disable=SC2034 # for what is sourced
port=kmod thread_count=50 limit=300
# shellcheck source=tests/mpi/cases.sh
. "$srcdir/mpi/cases.sh"
# shellcheck source=tests/mpi/verbs.sh
. "$srcdir/mpi/verbs.sh"

cases_verbs
check "... by the processor on the peer's memory" \
	counted_is atomics ">=" $((4 * thread_count))
check "... which is read and written in place" \
	counted_is put ">" 1000000
cases_peers
check "local_peers auto: with the module we come before vader" \
	policy 1 auto xpmem_numa,vader,self
cases_lost
tap_done
