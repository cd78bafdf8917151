#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: xpmem-numa-env and the modulefile: how Open MPI is told where
# the component is

# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
env=$XNUMA_BUILDDIR/tools/xpmem-numa-env
module=$XNUMA_BUILDDIR/tools/modulefile
requires test -x "$env"
unset OMPI_MCA_mca_base_component_path PMIX_MCA_mca_base_component_path
export HOME=$tmp
here=$tmp/it\'s\ here
mkdir "$here" && : > "$here/mca_btl_xpmem_numa.so"

# The same script for an Open MPI whose PMIx has a component path.
sed "s|^pmix='[^']*'|pmix='/pmix folder'|" "$env" > "$tmp/with-pmix"
sed 's|^set pmix {.*}|set pmix {/pmix folder}|' "$module" > "$tmp/module-pmix"
chmod +x "$tmp/with-pmix"

# sets WANT VARIABLE [OPTION...]: evaluated, that is its value
sets() {
	local got

	got=$(want=$2 sh -c 'eval "$("$@")"; eval "printf %s \"\$$want\""' sh \
		"${@:3}")
	echo "$2 is \"$got\""
	[[ $got = "$1" ]]
}

path=OMPI_MCA_mca_base_component_path
check "it sets the component path" sets "$here:SYS_DEFAULT" $path "$env" "$here"
mkdir -p "$tmp/.openmpi/components"
check "... with the user's own folder, if there is one" \
	sets "$here:SYS_DEFAULT:USER_DEFAULT" $path "$env" "$here"
rmdir "$tmp/.openmpi/components"
OMPI_MCA_mca_base_component_path=/other check "... before one that is set" \
	sets "$here:/other" $path "$env" "$here"
OMPI_MCA_mca_base_component_path=$here:/other check "... but not twice" \
	sets "$here:/other" $path "$env" "$here"
check "PMIx keeps its own" sets "/pmix folder" \
	PMIX_MCA_mca_base_component_path "$tmp/with-pmix" "$here"
check "--csh prints for csh" bash -c '[[ $("$@") = "setenv "*";" ]]' bash \
	"$env" --csh "$here"
check "a folder without the component is refused" \
	bash -c '! "$@"' bash "$env" "$tmp"
check "an unknown option is refused" bash -c '! "$@"' bash "$env" --frobnicate
check "--help says so" "$env" --help

# module FILE: what "module load" would set
module() {
	tclsh > "$tmp/module.out" <<END
proc module-whatis {text} {}
proc conflict {name} {}
proc setenv {name value} { puts "\$name=\$value" }
proc prepend-path {name value} { puts "\$name=\$value:\$::env(\$name)" }
source {$1}
END
	cat "$tmp/module.out"
}

# The script's folder is the installed one, where nothing is yet.
like_script() { # FILE SCRIPT
	sed 's/^if \[ ! -e .*/if false; then/' "$2" > "$tmp/script"
	sh "$tmp/script" | sed "s/^export //; s/='\(.*\)'$/=\1/" > "$tmp/want"
	module "$1" && [[ -s $tmp/want ]] && diff "$tmp/want" "$tmp/module.out"
}

if command -v tclsh > /dev/null; then
	check "the modulefile sets the same" like_script "$module" "$env"
	check "... for PMIx as well" \
		like_script "$tmp/module-pmix" "$tmp/with-pmix"
	OMPI_MCA_mca_base_component_path=/other \
		check "... before one that is set" like_script "$module" "$env"
else
	skip_test "the modulefile sets the same" "no tclsh"
fi
tap_done
