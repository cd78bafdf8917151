#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: what may include what, licences, and the house style

# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
# shellcheck source=tests/style.sh
. "$srcdir/style.sh"
cd "$srcdir/.." || exit
top=$PWD

# breaks RULE FILE TEXT: the rule sees a tree with that file
breaks() {
	local tree=$tmp/tree

	rm -rf "$tree"
	mkdir -p "$(dirname "$tree/$2")"
	printf '%b\n' "$3" > "$tree/$2"
	cd "$tree" || return
	! "$1" > "$tmp/broken"
	set -- $? "$@"
	cd "$top" || return
	[[ $1 = 0 && -s $tmp/broken ]]
}

# A call that the manual page has not heard of.
undocumented() {
	local tree=$tmp/tree

	rm -rf "$tree"
	mkdir -p "$tree"
	cp -r "$top"/{include,doc,kmod,lib,ompi-btl} "$tree"
	echo 'int xnuma_frobnicate(void);' >> "$tree/include/xnuma.h"
	cd "$tree" || return
	! rule_documented
	set -- $?
	cd "$top" || return
	[[ $1 = 0 ]]
}

check "the module includes the kernel and its ABI only" rule_kmod_includes
check "... and this would be seen" breaks rule_kmod_includes \
	kmod/main.c '#include <stdio.h>'
check "... as would the library's interface" breaks rule_kmod_includes \
	kmod/main.c '#include "xnuma.h"'
check "the library knows no host of a plugin" rule_lib_includes
check "... and this would be seen" breaks rule_lib_includes \
	lib/domain.c '#include "opal/constants.h"'
check "plugins and tools do not see the kernel ABI" rule_plugin_includes
check "... and this would be seen" breaks rule_plugin_includes \
	ompi-btl/module.c '#include "xpmem_numa.h"'
check "... as would the inside of the library" breaks rule_plugin_includes \
	tools/xnuma-info.c '#  include "../lib/domain.h"'
check "plugins and tools leave system calls to the library" rule_plugin_calls
check "... and this would be seen" breaks rule_plugin_calls \
	ompi-btl/get.c '\tret = ioctl(fd, 0, NULL);'
check "every source has an SPDX line" rule_spdx
check "... and this would be seen" breaks rule_spdx lib/copy.c 'int x;'
check "each folder has its licence" rule_licence
check "... and this would be seen" breaks rule_licence \
	kmod/main.c '/* SPDX-License-Identifier: BSD-3-Clause */'
check "no source is longer than 400 lines" rule_length
check "... and this would be seen" breaks rule_length \
	lib/copy.c "$(printf '\\n%.0s' {1..401})"
check "no line ends with a blank" rule_blanks
check "... and this would be seen" breaks rule_blanks lib/copy.c 'int x; '
check "nothing is left to be done in a comment" rule_marks
check "... and this would be seen" breaks rule_marks \
	lib/copy.c '/* TO''DO: all */'
check "what users call, set or pass is documented" rule_documented
check "... and this would be seen" undocumented
if command -v groff > /dev/null; then
	check "manual pages are clean to groff" rule_manuals
	check "... and this would be seen" breaks rule_manuals \
		doc/xnuma.3 '.TH X 3\n.NOSUCH'
else
	skip_test "manual pages are clean to groff" "no groff"
fi
if kernel_doc_find; then
	check "interfaces are clean to kernel-doc" rule_kernel_doc
	check "... and this would be seen" breaks rule_kernel_doc \
		include/xnuma.h '/**\n * f - call\n */\nint f(int arg);'
else
	skip_test "interfaces are clean to kernel-doc" "no kernel-doc"
fi
if command -v shellcheck > /dev/null; then
	check "scripts are clean to shellcheck" rule_shellcheck
	check "... and this would be seen" breaks rule_shellcheck \
		tools/run.sh '#!/bin/sh\nif true; then'
else
	skip_test "scripts are clean to shellcheck" "no shellcheck"
fi
tap_done
