#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: what is about NUMA once more, in a guest of four nodes

# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
requires_lab

"$srcdir/lab/lab" --nodes 4 --cpus 4 --mem 2G -- "$srcdir/lab/guest-run" \
	"$builddir/g-distance" "$builddir/g-first-touch" "$builddir/g-numa"
