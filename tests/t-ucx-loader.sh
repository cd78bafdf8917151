#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: how the transport comes into UCX: the loader finds the build for
# the series of UCX that is running, or says in one line why not

# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
builds=$XNUMA_BUILDDIR/ucx-tl/.libs
loader=$builds/libuct_xpmemnuma.so.0
[[ -e $loader ]] || skip_all "built without UCX"
series=$(sed -n 's/^UCX_SERIES = //p' "$XNUMA_BUILDDIR/Makefile")
copied=$tmp/lib/${loader##*/}
true=$(type -P true)
mkdir -p "$tmp"/{other,none,plugins,lib/xpmem_numa}

# A libucp of another series is all that the loader asks for the version.
cc -shared -fPIC -x c - -o "$tmp/other/libucp.so.0" <<-END || exit
	void ucp_get_version(unsigned *a, unsigned *b, unsigned *c)
	{ *a = 1; *b = 99; *c = 0; }
END
echo > "$tmp/none/libucp.so.0"

# says FOLDER LOADER TEXT: one line, where libucp is that of FOLDER
says() {
	LD_LIBRARY_PATH=$tmp/$1:${LD_LIBRARY_PATH-} LD_PRELOAD=$2 "$true" \
		2> "$tmp/said"
	cat "$tmp/said"
	[[ $(wc -l < "$tmp/said") = 1 ]] && grep -q "^xpmem_numa: $3" "$tmp/said" &&
		grep -q "; the transport for UCX is not used$" "$tmp/said"
}

# copy FILE...: a loader as if installed with these builds, all of them ours
copy() {
	local name

	rm -f "$tmp"/lib/xpmem_numa/* && cp "$loader" "$copied" || return
	for name; do
		cp "$builds/ucx-$series.so" "$tmp/lib/xpmem_numa/$name" || return
	done
}

no_series() {
	copy "ucx-$series.so" ucx-1.98.so && says other "$copied" \
		"UCX 1\.99 is running, but there are builds only for $series, 1\.98;"
}

no_builds() {
	copy && says other "$copied" \
		"UCX 1\.99 is running, but there is no build for any;"
}

wrong_build() {
	copy ucx-1.99.so &&
		says other "$copied" '.*/ucx-1\.99\.so is not what its name says;'
}

broken_build() {
	copy && echo > "$tmp/lib/xpmem_numa/ucx-1.99.so" &&
		says other "$copied" '.*/ucx-1\.99\.so: file too short;'
}

# components NUMBER LOADER...: so many of our name, with these preloaded
components() {
	local IFS=:

	UCX_TLS=all UCX_XPMEM_NUMA_PORT=user LD_PRELOAD="${*:2}" ucx_info -d \
		> "$tmp/info" 2>&1
	grep -E 'xpmem' "$tmp/info"
	[[ $(grep -c 'Component: xpmemnuma' "$tmp/info") = "$1" ]]
}

through_link() {
	copy "ucx-$series.so" && ln -sf "$copied" "$tmp/plugins/" &&
		components 1 "$tmp/plugins/${copied##*/}"
}

# becomes LIST NEW LOADER: what a program is to see in UCX_TLS
becomes() {
	local is

	is=$(UCX_TLS=$1 LD_PRELOAD=$3 printenv UCX_TLS)
	echo "$is"
	[[ $is = "$2" ]]
}

# lanes LIST YES NO: with that UCX_TLS, an endpoint to oneself has lanes of these
# transports, and none of those
lanes() {
	UCX_TLS=$1 UCX_XPMEM_NUMA_PORT=user LD_PRELOAD=$loader \
		ucx_info -e -u t > "$tmp/lanes" 2>&1
	grep -E 'lane\[|ERROR|WARN' "$tmp/lanes"
	! grep -qE "ERROR|WARN|lane\[.*:($3)/" "$tmp/lanes" &&
		grep -q "lane\[.*:$2/" "$tmp/lanes"
}

check "without the loader UCX does not know of the transport" components 0 ""
check "with it UCX has the build of its series" components 1 "$loader"
check "... also behind a link to the loader" through_link
check "two loaders are one component" components 1 "$loader" "$copied"
check "UCX of a series without a build is refused in one line" no_series
check "... also where there are no builds" no_builds
check "a build that is not what its name says is refused" wrong_build
check "... or cannot be loaded" broken_build
check "without UCX it says so" says none "$loader" \
	"libucp\.so\.0 is missing or tells no version"
check "the word xpmem_numa becomes the transport's name" \
	becomes xpmem_numa,self xpmemnuma,self "$loader"
check "... by the plugin for UCX 1.22 as well" \
	becomes xpmem_numa,self xpmemnuma,self "$builds/libucs_xpmemnuma.so.0"
check "UCX_TLS=xpmem_numa: no other transport" \
	lanes xpmem_numa xpmemnuma "self|tcp|posix|sysv|cma"
check "UCX_TLS=xpmem_numa,self" lanes xpmem_numa,self xpmemnuma "tcp|posix|sysv|cma"
check "UCX_TLS=^xpmem_numa: all but that" lanes ^xpmem_numa self xpmemnuma
check "UCX_TLS=\\xpmem_numa: that, no alias" lanes '\xpmem_numa' xpmemnuma self
check "UCX_TLS=xpmem_numa:aux: not for messages" \
	lanes xpmem_numa:aux,posix posix xpmemnuma

# In a file the word is not replaced.
in_file() {
	echo UCX_TLS=xpmemnuma > "$tmp/ucx.conf"
	UCX_CONFIG_DIR=$tmp UCX_XPMEM_NUMA_PORT=user LD_PRELOAD=$loader \
		ucx_info -e -u t > "$tmp/lanes" 2>&1
	grep -E 'lane\[|ERROR' "$tmp/lanes" | grep xpmemnuma
}

check "in ucx.conf: xpmemnuma" in_file

# ---- variables ----

# "NAME [DEFAULT]" of each that is not inherited from UCX
variables() {
	env -u UCX_XPMEM_NUMA_PORT LD_PRELOAD="$loader" ucx_info -cf | awk '
		/^# inherits:/ { inherited = 1 }
		/^UCX_/ {
			split($0, word, "=")
			if (!inherited && word[1] ~ /^UCX_XPMEM_NUMA_/)
				print word[1] " [" word[2] "]"
			inherited = 0
		}' | sort
}

documented() {
	sed -n 's/^\.BR \(UCX_XPMEM_NUMA_[A-Z_]*\) " \(\[.*\]\)"$/\1 \2/p' \
		"$srcdir/../doc/xnuma-ucx.7" | sort > "$tmp/documented"
	variables > "$tmp/variables"
	[[ -s $tmp/variables ]] && diff "$tmp/variables" "$tmp/documented"
}

check "every variable is documented, with its default" documented

# ---- xpmem-numa-run ----

export XNUMA_UCX_LOADER=$loader
run=$XNUMA_BUILDDIR/tools/xpmem-numa-run

# runs TEXT [OPTION...]: an endpoint to oneself has that in its lanes
runs() {
	UCX_XPMEM_NUMA_PORT=user "$run" "${@:2}" ucx_info -e -u t > "$tmp/lanes" 2>&1
	grep -E 'lane\[|ERROR|WARN' "$tmp/lanes"
	grep -q "lane\[.*:$1/" "$tmp/lanes"
}

# sees NAME VALUE [OPTION...]: what the command has in its environment
sees() {
	local is

	is=$("$run" "${@:3}" printenv "$1")
	echo "$is"
	[[ $is = "$2" ]]
}

exits() { # STATUS [OPTION...]
	"$run" "${@:2}"
	set -- "$1" $?
	[[ $1 = "$2" ]]
}

twice() {
	local is

	is=$("$run" "$run" printenv LD_PRELOAD)
	[[ $is = "$loader" ]]
}

check "xpmem-numa-run: a program uses the transport" runs xpmemnuma
UCX_TLS=posix check "... if UCX_TLS does not name others" sees UCX_TLS posix
UCX_TLS=posix check "... or --tls does" runs xpmemnuma --tls xpmem_numa
check "... and Open MPI takes UCX for it" sees OMPI_MCA_opal_common_ucx_tls any
OMPI_MCA_opal_common_ucx_tls=mm check "... unless told otherwise" \
	sees OMPI_MCA_opal_common_ucx_tls mm
LD_PRELOAD='' check "it preloads once" twice
check "its status is the command's" exits 3 sh -c 'exit 3'
check "without a command it is refused" exits 2 --tls xpmem_numa
check "... and with an unknown option" exits 2 --frobnicate true
XNUMA_UCX_LOADER=/none check "without the loader nothing is run" exits 1 true
check "--help says so" exits 0 --help
tap_done
