#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: the library and its users under ThreadSanitizer

# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
[[ -z ${TSAN_OPTIONS-} ]] || unset TSAN_OPTIONS
flags=(-std=gnu11 -g -O1 -fsanitize=thread -pthread -D_GNU_SOURCE
	-I"$srcdir/../include" -I"$srcdir/../lib" -I"$srcdir")
echo 'int main(void) { return 0; }' > "$tmp/none.c"
requires gcc "${flags[@]}" "$tmp/none.c" -o "$tmp/none"
requires "$tmp/none"

# What the sanitizer does not know, fences, is not what these tests rest on.
build() {
	local sources

	# xpmem*.c are another library, which has functions of the same names.
	mapfile -t sources < <(printf '%s\n' "$srcdir"/../lib/*.c | grep -v /xpmem)
	gcc "${flags[@]}" -fPIC -shared -Wno-tsan "${sources[@]}" \
		-lhwloc -lnuma -o "$tmp/libxnuma-tsan.so"
}

clean() { # TEST
	gcc "${flags[@]}" "$srcdir/$1.c" "$tmp/libxnuma-tsan.so" \
		-Wl,-rpath,"$tmp" -o "$tmp/$1" || return
	timeout 200 "$tmp/$1" > "$tmp/out" 2>&1 &&
		! grep 'WARNING: ThreadSanitizer' "$tmp/out" && return
	cat "$tmp/out"
	return 1
}

check "the library is built for it" build
for test in t-threads t-copy t-share t-sleep; do
	check "$test has no data race" clean "$test"
done
tap_done
