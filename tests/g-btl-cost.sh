#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: what a message costs under Open MPI with the module: copies and
# system calls. XNUMA_LONG=1 sends as many long messages as short ones.
echo "# limit: 1500"

# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
port=kmod
# shellcheck source=tests/mpi/cases.sh
. "$srcdir/mpi/cases.sh"

for size in 5000 65536 1000000; do
	check "messages of $size bytes go through windows, once" \
		above_eager $size "window get"
done
for size in 0 8 4000 65536 4194304; do
	check "no system call per message of $size bytes" same_calls $size
done
for size in 4000 20000 1048576; do
	check "... of $size bytes, each from another buffer" \
		same_calls $size fresh
done
limit=300
cases_counted 2 get:8:500 get:65536:300 put:8:500 put:65536:300 sum:8:500 \
	sum:8000:300 fetch:8:500 swap:8:500
check "... all on the peer's memory" counted_is atomics ">" 2000
check "... and not by messages" counted_is sent "<" 1000
cases_counted 8 all:8:30 all:4000:30 all:65536:30 get:8:300 fetch:8:300
tap_done
