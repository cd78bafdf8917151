#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: libxpmem is what programs built for XPMEM look for, and no more

# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
library=$builddir/../lib/.libs/libxpmem.so.0
requires test -e "$library"
requires command -v readelf

cat > "$tmp/names" <<'END'
xpmem_attach
xpmem_detach
xpmem_get
xpmem_init
xpmem_make
xpmem_release
xpmem_remove
xpmem_version
END

cat > "$tmp/program.c" <<'END'
#include <xpmem.h>

int main(void)
{
	int value = 1;
	xpmem_segid_t segid = xpmem_make(0, XPMEM_MAXADDR_SIZE,
					 XPMEM_PERMIT_MODE, (void *)0600);
	xpmem_apid_t apid = xpmem_get(segid, XPMEM_RDWR, XPMEM_PERMIT_MODE, 0);
	struct xpmem_addr addr = { apid, 0 };
	void *ptr;

	addr.offset = (off_t)(size_t)&value;
	ptr = xpmem_attach(addr, sizeof(value), 0);
	if (xpmem_version() < 0 || segid == -1 || ptr == (void *)-1)
		return 1;
	return xpmem_detach(ptr) | xpmem_release(apid) | xpmem_remove(segid) |
	       (XPMEM_RDONLY == XPMEM_RDWR);
}
END

names() {
	nm -D --defined-only "$library" | awk '{ print $3 }' |
		diff - "$tmp/names"
}

# A version would be asked for where the original has none.
unversioned() {
	! readelf -W --version-info "$library" |
		grep -A1 '^Version definition'
}

soname() {
	[[ $(readelf -d "$library" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p') \
		= libxpmem.so.0 ]]
}

compiles() { # SOURCE COMPILER...
	"${@:2}" -Wall -Wextra -pedantic -Werror -I "$srcdir/../include" \
		"$1" -o "$tmp/program" "$library"
}

refuses() {
	local ret=0

	LD_LIBRARY_PATH=$(dirname "$library") "$tmp/program" || ret=$?
	[[ $ret = 1 ]]
}

check "the seven calls and xpmem_init, nothing else" names
check "... without versions" unversioned
check "it is called libxpmem.so.0" soname
check "the header is good C" compiles "$tmp/program.c" \
	cc -std=c99 -Wstrict-prototypes
sentence="... and a program fails in good order without the module"
if [[ -e /dev/xpmem_numa ]]; then
	skip_test "$sentence" "the module is loaded"
else
	check "$sentence" refuses
fi
if command -v c++ > /dev/null; then
	cp "$tmp/program.c" "$tmp/program.cc"
	check "... and C++" compiles "$tmp/program.cc" c++ -std=c++11
else
	skip_test "... and C++" "no C++ compiler"
fi
tap_done
