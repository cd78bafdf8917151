#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: what make install leaves can be used, and make uninstall takes
# all of it away again

# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
requires test -f "$XNUMA_BUILDDIR/config.status"

# A make of its own, not a part of the one that runs this test.
run_make() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u TESTS \
		make -C "$XNUMA_BUILDDIR" "$@"
}

make_variable() {
	sed -n "s/^$1 = //p" "$XNUMA_BUILDDIR/Makefile" | head -n 1
}

root=$tmp/root
prefix=$(make_variable prefix)
cat > "$tmp/hello.c" <<'END'
#include <xnuma.h>
int main(void)
{
	struct xnuma_config config;
	struct xnuma_domain *dom;

	return xnuma_config_init(&config) || xnuma_domain_open(&config, &dom);
}
END

installed() { # NAME...
	local name

	for name in "$@"; do
		[[ $(find "$root" -name "$name" | wc -l) = 1 ]] || {
			echo "not there, or more than once: $name"
			return 1
		}
	done
}

# What the pc file says, seen from outside of DESTDIR.
flags() {
	PKG_CONFIG_LIBDIR=$root$prefix/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root \
		pkg-config "$@" xnuma
}

compile() {
	local words

	words=$(flags --cflags --libs) || return
	read -ra words <<< "$words"
	cc "$tmp/hello.c" -o "$tmp/hello" "${words[@]}"
}

runs() {
	LD_LIBRARY_PATH=$root$prefix/lib XNUMA_PORT=user "$tmp/hello"
}

finds_xpmem() {
	local dir=$root$prefix/lib/xpmem_numa/lib words ret=0

	words=$(PKG_CONFIG_LIBDIR=$dir/pkgconfig \
		PKG_CONFIG_SYSROOT_DIR=$root \
		pkg-config --cflags --libs cray-xpmem) || return
	read -ra words <<< "$words"
	echo '#include <xpmem.h>
		int main(void) { return xpmem_version() > 0 ? 0 : 1; }' |
		cc -xc - -o "$tmp/xpmem" "${words[@]}" || return
	"$tmp/xpmem" || ret=$?
	((ret <= 1))	# without the module 1, without the library 127
}

# Only C, POSIX and the library's own prefix.
symbols() {
	nm -D --defined-only "$root$prefix/lib/libxnuma.so" > "$tmp/symbols" ||
		return
	grep -q ' T xnuma_domain_open' "$tmp/symbols" || return
	! awk '$2 != "A" { print $3 }' "$tmp/symbols" | grep -v '^xnuma_'
}

# By the link for UCX's own folder of modules.
finds_transport() {
	LD_LIBRARY_PATH=$root$prefix/lib UCX_XPMEM_NUMA_PORT=user LD_PRELOAD=$(
		echo "$root$prefix"/lib/xpmem_numa/ucx/libuct_xpmemnuma.so.0
	) ucx_info -d | grep 'Transport: xpmemnuma'
}

left() {
	! find "$root" ! -type d | grep .
}

check "make install" run_make install DESTDIR="$root"
check "interface, library and manuals are there" installed xnuma.h \
	xpmem_numa.h libxnuma.so xnuma.pc xnuma.3 xnuma.7 xpmem_numa.4 \
	xnuma-info xnuma-info.1
check "... and, out of the way of an XPMEM, its names" installed xpmem.h \
	libxpmem.so.0 cray-xpmem.pc libxpmem.3
check "a program finds them by pkg-config" finds_xpmem
if [[ $(make_variable WITH_OMPI_TRUE) = '#' ]]; then
	skip_test "Open MPI's component and its texts are there" "--without-ompi"
else
	check "Open MPI's component and its texts are there" \
		installed mca_btl_xpmem_numa.so help-mca-btl-xpmem-numa.txt
	check "... and what lets it be found" installed xpmem-numa-env \
		xpmem-numa-env.1
	check "... by modules as well" \
		test -f "$root$prefix/share/modulefiles/xpmem_numa"
fi
if [[ $(make_variable WITH_UCX_TRUE) = '#' ]]; then
	skip_test "the transport of UCX and its loader are there" "built without UCX"
else
	check "the transport of UCX and its loader are there" installed \
		"ucx-$(make_variable UCX_SERIES).so" libuct_xpmemnuma.so.0.0.0 \
		libucs_xpmemnuma.so.0 xpmem-numa-run xpmem-numa-run.1
	check "... and find each other" finds_transport
fi
check "nine lines compile against it" compile
check "... and run" runs
check "the library exports its own names only" symbols
if [[ $(make_variable LINUX_DIR) = no ]]; then
	skip_test "make install-kmod and uninstall-kmod" "no kernel headers"
else
	check "make install-kmod" run_make install-kmod DESTDIR="$root"
	check "the module, its udev rule and its loading are there" installed \
		xpmem_numa.ko 60-xpmem_numa.rules xpmem_numa.conf
	check "make uninstall-kmod" run_make uninstall-kmod DESTDIR="$root"
	check "make install-dkms" run_make install-dkms DESTDIR="$root"
	check "the DKMS source has its version" grep -rqxF \
		"PACKAGE_VERSION=\"$(make_variable VERSION)\"" "$root/usr/src"
	rm -rf "${root:?}/usr/src"
fi
check "make uninstall" run_make uninstall DESTDIR="$root"
check "nothing is left" left
tap_done
