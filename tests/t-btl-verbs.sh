#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: the BTL's one-sided verbs, its keys and policies, and deaths in
# mid-operation, without the module (port user)

# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
# shellcheck disable=SC2034 # for what is sourced
port=user thread_count=200
# shellcheck source=tests/mpi/cases.sh
. "$srcdir/mpi/cases.sh"
# shellcheck source=tests/mpi/verbs.sh
. "$srcdir/mpi/verbs.sh"

cases_verbs
check "... by request, where no memory is mapped" counted_is atomics == 0
cases_peers
check "local_peers auto: without the module vader comes before us" \
	policy 0 auto xpmem_numa,vader,self
cases_lost
tap_done
