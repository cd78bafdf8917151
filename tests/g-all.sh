#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: all guest tests in one guest, with the module

# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
requires_lab

# Named by make check; run by hand, what has been built.
if [[ -z ${XNUMA_GUEST_TESTS+set} ]]; then
	XNUMA_GUEST_TESTS=$(cd "$builddir" && find . -maxdepth 1 -perm -1 \
		-type f -name '[gt]-*' ! -name '*.sh' ! -name t-pass -printf '%f ')
	XNUMA_GUEST_TESTS+=$(cd "$srcdir" && find . -maxdepth 1 -perm -1 \
		-type f -name 'g-*.sh' ! -name 'g-all*.sh' -printf '%f ')
fi
programs=()
for program in $XNUMA_GUEST_TESTS; do
	case $program in
	*.sh) programs+=("$srcdir/$program") ;;
	*) programs+=("$builddir/$program") ;;
	esac
done
((${#programs[@]})) || skip_all "there is no guest test"
"$srcdir/lab/lab" --timeout $((300 + 60 * ${#programs[@]})) -- \
	"$srcdir/lab/guest-run" "${programs[@]}"
