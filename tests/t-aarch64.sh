#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: what is no kernel module compiles for aarch64 as well
#
# Compiled, not linked and not run. The headers of hwloc, libnuma and Open MPI are
# this host's; those of Open MPI tell the sizes and atomics of x86-64. UCX's
# source has those of aarch64, its config.h is this host's.

# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
top=$(cd "$srcdir/.." && pwd)
cc=aarch64-linux-gnu-gcc
requires "$cc" --version
requires test -f "$XNUMA_BUILDDIR/config.h"

# The compiler's own folders come first; of the host's, what is named here.
mkdir -p "$tmp"/include/{all,host} "$tmp/objects"
for header in /usr/include/{numa.h,numaif.h,hwloc.h,hwloc}; do
	ln -s "$header" "$tmp/include/all/"
done
host=/usr/include/$(gcc -print-multiarch)
[[ ! -d $host/hwloc ]] || ln -s "$host/hwloc" "$tmp/include/host/"
after=(-idirafter "$tmp/include/all" -idirafter "$tmp/include/host")

setting() { # VARIABLE: of the build tree
	sed -n "s/^$1 = //p" "$XNUMA_BUILDDIR/ompi-btl/Makefile"
}

compile() { # FOLDER FILE FLAG...
	local source=$2 flags=(-I"$top/include" -I"$top/lib" -I"$top/$1")

	shift 2
	"$cc" -std=gnu11 -D_GNU_SOURCE -DHAVE_CONFIG_H -O2 -fPIC -pthread \
		-Wall -Wextra -Wno-unused-parameter -Werror \
		"$@" -I"$XNUMA_BUILDDIR" "${flags[@]}" "${after[@]}" \
		-c "$top/$source" -o "$tmp/objects/${source//\//-}.o"
}

folder() { # FOLDER FLAG...
	local dir=$1 file status=0

	shift
	for file in "$top/$dir"/*.c; do
		compile "$dir" "$dir/${file##*/}" "$@" || status=1
	done
	return $status
}

is_aarch64() {
	readelf -h "$tmp/objects"/lib-*.o | grep -c AArch64 |
		grep -x "$(find "$top/lib" -name '*.c' | wc -l)"
}

no_module() {
	mkdir "$tmp/build" && cd "$tmp/build" &&
		env -u MAKEFLAGS HWLOC_CFLAGS=" " HWLOC_LIBS=-lhwloc \
			CPPFLAGS="${after[*]}" \
			"$top/configure" --host=aarch64-linux-gnu --without-ompi \
			> "$tmp/log" 2>&1
	grep -F "the kernel module supports x86-64 only" "$tmp/log" &&
		grep -E '^ *kernel module +no$' "$tmp/log" || {
		tail -n 5 "$tmp/log"
		return 1
	}
}

check "the library compiles" folder lib
check "... into objects of aarch64" is_aarch64
read -ra ompi < <(setting OMPI_CPPFLAGS)
if ((${#ompi[@]})); then
	check "the Open MPI component compiles" folder ompi-btl \
		"${ompi[@]}" -DBTL_HELPDIR='"none"'
else
	skip_test "the Open MPI component compiles" "configured without Open MPI"
fi
source=$(setting UCX_SOURCE)
if [[ $source ]]; then
	read -ra ucx < <(setting UCX_DEFS)
	check "the transport of UCX and its loader compile" folder ucx-tl \
		-DBUILDS_DIR='"none"' "${ucx[@]}" \
		-I"$XNUMA_BUILDDIR/ucx-tl/generated" -isystem "$source/src"
else
	skip_test "the transport of UCX and its loader compile" "built without UCX"
fi
[[ ! -d $top/tools ]] || check "the tools compile" \
	folder tools -DOMPI_SERIES='"none"' -DUCX_LOADER='"none"'
check "configure says that the module is left out" no_module
tap_done
