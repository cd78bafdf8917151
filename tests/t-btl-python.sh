#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: Python programs over the BTL, through mpi4py (port user)

# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
requires /usr/bin/python3 -c 'import mpi4py'
# shellcheck disable=SC2034 # for what is sourced
port=user
# shellcheck source=tests/mpi/cases.sh
. "$srcdir/mpi/cases.sh"
export PYTHONDONTWRITEBYTECODE=1

python() { # NAME NP [OPTION...]
	# shellcheck disable=SC2086 # no argument, or one
	mpi "${@:2}" /usr/bin/python3 "$srcdir/mpi/$1.py" ${but-} &&
		said 1 "^$1: all right" && counted_is sent ">" 0
}

check "objects, buffers, windows and threads, two ranks" python objects 2
check "... three ranks" python objects 3
check "... with osc/rdma" python objects 3 --mca osc rdma
# nothing that has threads makes windows for a BTL without get and put
but=windows check "... but windows, all through the queue" \
	python objects 2 --mca btl_xpmem_numa_export none
check "a pool of workers, which are spawned" python pool 1
tap_done
