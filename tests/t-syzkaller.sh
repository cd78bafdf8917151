#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: the description for syzkaller says what the ABI header says

# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
requires perl -e 1
requires gcc --version
header=$srcdir/../include/xpmem_numa.h
text=$srcdir/syzkaller/xpmem_numa.txt
export TMPDIR=$tmp

agree() { # HEADER DESCRIPTION CONSTANTS
	"$srcdir/syzkaller/check" "$@"
}

# differs NAME SED: header, description or constants, edited, do not agree
differs() {
	local h=$header d=$text c=$text.const

	cp "$h" "$tmp/h" && cp "$d" "$tmp/d" && cp "$c" "$tmp/c" || return
	sed -i -E "$2" "$tmp/$1"
	! cmp -s "$tmp/h" "$h" || ! cmp -s "$tmp/d" "$d" ||
		! cmp -s "$tmp/c" "$c" || return
	! agree "$tmp/h" "$tmp/d" "$tmp/c" > "$tmp/said" && [[ -s $tmp/said ]]
}

check "description and header agree" agree "$header" "$text" "$text.const"
check "a field that the header gains is missed" differs h \
	's/^(struct xpmem_numa_handle \{)/\1\n\t__u32 more;/'
check "... as is a counter" differs h 's/^(\tX\(wakes,)/\tX(more, "") \\\n\1/'
check "a field that is described with another size is seen" differs d \
	's/^(\tgid\tint)32/\164/'
check "... or in another place" differs d \
	'/^xpmem_numa_prefault/,/^}/ { /^\tva\t/d; s/^\tlen\t.*/&\n\tva\tint64/ }'
check "a call that is not described is missed" differs d \
	'/^ioctl.XPMEM_NUMA_WAKE/d'
check "... as is one that is new" differs h \
	's/^#define XPMEM_NUMA_WAKE(.*) 7, (.*)/&\n#define XPMEM_NUMA_NEW\1 11, \2/'
check "a call in the wrong direction is seen" differs d \
	's/^(ioctl.XPMEM_NUMA_IMPORT.*ptr\[)inout/\1in/'
check "a constant with another value is seen" differs c \
	's/^(XPMEM_NUMA_DENY = ).*/\11/'
check "... or without one" differs c '/^XPMEM_NUMA_KEY_LEN/d'
tap_done
