#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: xnuma-info where there is no module, or the one of this host

# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
info=$XNUMA_BUILDDIR/tools/xnuma-info
requires test -x "$info"
usable=1
[[ ! -w /dev/xpmem_numa ]] || usable=0

# exits STATUS [OPTION]...
exits() {
	local want=$1

	shift
	"$info" "$@" > "$tmp/out" 2> "$tmp/err"
	set -- $?
	cat "$tmp/out" "$tmp/err"
	[[ $1 = "$want" ]]
}

says() {
	exits "$usable" && grep -qE "$1" "$tmp/out"
}

valid() {
	if command -v python3 > /dev/null; then
		python3 -m json.tool
	else
		node -e 'JSON.parse(require("fs").readFileSync(0))'
	fi
}

json_valid() {
	exits "$@" --json && valid < "$tmp/out"
}

# Every key of the JSON is in the manual page.
json_documented() {
	local key

	exits "$usable" --json && PATH=$tmp/bin:$PATH "$info" --json --ompi --ucx \
		>> "$tmp/out"
	grep -oE '"[A-Za-z_]+":' "$tmp/out" | tr -d '":' | sort -u |
		while read -r key; do
			grep -qw -- "$key" "$srcdir/../doc/xnuma-info.1" ||
				echo "$key is not documented"
		done > "$tmp/keys"
	cat "$tmp/keys"
	[[ ! -s $tmp/keys ]]
}

environment_told() {
	XNUMA_PORT=frob exits "$usable" && grep -q 'XNUMA_PORT has no valid' "$tmp/out"
}

setting_told() {
	XNUMA_EXPORT=buffers exits "$usable" && grep -qE 'export +buffers$' "$tmp/out"
}

# fake FILE LINE...: what ompi_info says in this shell, or (FILE "job") in jobs
fake() {
	mkdir -p "$tmp/bin"
	printf '%s\n' "${@:2}" > "$tmp/bin/$1"
	cat > "$tmp/bin/ompi_info" <<-'END'
		#!/bin/sh
		cat "$(dirname "$0")/${FAKE-shell}"
	END
	cat > "$tmp/bin/mpirun" <<-'END'
		#!/bin/sh
		shift 2		# -n 1
		FAKE=job exec "$@"
	END
	chmod +x "$tmp/bin/ompi_info" "$tmp/bin/mpirun"
}

series=$(sed -n 's/^OMPI_SERIES = //p' "$XNUMA_BUILDDIR/Makefile")
lines=("mca:btl:self:version:\"component:$series.9\""
	"mca:btl:xpmem_numa:version:\"component:$series.9\""
	"mca:btl:base:param:btl:value:^uct,openib"
	"mca:pml:base:param:pml:value:^ucx"
	"mca:btl:xpmem_numa:param:btl_xpmem_numa_port:value:auto"
	"mca:btl:xpmem_numa:param:btl_xpmem_numa_exclusivity:value:65537"
	"mca:btl:sm:param:btl_sm_exclusivity:value:65536")

# ompi STATUS TEXT [LINE...]: jobs have LINEs as well; the reason has TEXT
ompi() {
	fake shell "${lines[@]}"
	fake job "${lines[@]}" "${@:3}"
	PATH=$tmp/bin:$PATH exits "$1" --ompi && grep -E "$2" "$tmp/out"
}

named=mca:btl:base:param:btl:value:xpmem_numa,self

no_ompi_info() {
	mkdir -p "$tmp/empty" && PATH=$tmp/empty exits 1 --ompi &&
		grep 'reason .*no ompi_info' "$tmp/out"
}

not_installed() {
	fake shell "${lines[0]}" && fake job "${lines[0]}"
	PATH=$tmp/bin:$PATH exits 1 --ompi &&
		grep 'reason .*does not find.*xpmem-numa-env' "$tmp/out"
}

# What Debian 13 does.
other_path() {
	fake shell "${lines[@]}" && fake job "${lines[0]}"
	PATH=$tmp/bin:$PATH exits 1 --ompi &&
		grep 'reason .*another component path' "$tmp/out"
}

no_job() {
	fake shell "${lines[@]}" && echo 'exit 1' > "$tmp/bin/mpirun"
	PATH=$tmp/bin:$PATH exits 1 --ompi &&
		grep 'reason .*mpirun starts nothing' "$tmp/out"
}

other_series() {
	fake shell "${lines[1]}" 'mca:btl:self:version:"component:9.9.1"'
	PATH=$tmp/bin:$PATH exits 1 --ompi &&
		grep 'reason .*another series' "$tmp/out"
}

ompi_cases() {
	check "--ompi: the BTL is used" ompi 0 'used +yes' "$named"
	if [[ $usable = 1 ]]; then
		check "... without the module only when named" \
			ompi 1 'reason .*only if btl names it'
	else
		check "... unasked, with the module" ompi 0 'used +yes'
	fi
	check "... not without ompi_info" no_ompi_info
	check "... not when it is not installed" not_installed
	check "... not by another series of Open MPI" other_series
	check "... not where mpirun has another component path" other_path
	check "... not where mpirun cannot start a process" no_job
	check "... not when btl leaves it out" ompi 1 'reason .*btl leaves it' \
		mca:btl:base:param:btl:value:vader,self
	check "... nor when it is excluded" ompi 1 'reason .*btl leaves it' \
		mca:btl:base:param:btl:value:^tcp,xpmem_numa
	check "... not below another pml" ompi 1 'reason .*pml leaves out' \
		"$named" mca:pml:base:param:pml:value:ucx
	check "... not below vader's exclusivity" \
		ompi 1 'reason .*exclusivity is below' "$named" \
		mca:btl:xpmem_numa:param:btl_xpmem_numa_exclusivity:value:10
	[[ $usable = 0 ]] || check "... not with a port that is missing" \
		ompi 1 'reason .*cannot be used: jobs end' "$named" \
		mca:btl:xpmem_numa:param:btl_xpmem_numa_port:value:kmod
}

# fake_ucx FILE LINE...: what ucx_info says in this shell, or "preloaded"
fake_ucx() {
	mkdir -p "$tmp/bin"
	printf '%s\n' "# Version 1.99.1" "${@:2}" > "$tmp/bin/$1"
	cat > "$tmp/bin/ucx_info" <<-'END'
		#!/bin/sh
		case $LD_PRELOAD in
		*/loader*) cat "$(dirname "$0")/preloaded" ;;
		*) cat "$(dirname "$0")/alone" ;;
		esac
	END
	chmod +x "$tmp/bin/ucx_info"
}

transport="#      Transport: xpmemnuma"

# ucx STATUS TEXT TLS [LINE...]: with the loader UCX says LINEs; TEXT is told
ucx() {
	[[ $found ]] && fake_ucx alone "UCX_TLS=$3" "$transport" ||
		fake_ucx alone "UCX_TLS=$3"
	fake_ucx preloaded "UCX_TLS=$3" "${@:4}"
	XNUMA_UCX_LOADER=$tmp/loader PATH=$tmp/bin:$PATH exits "$1" --ucx &&
		grep -E "$2" "$tmp/out"
}

no_ucx_info() {
	mkdir -p "$tmp/empty" && PATH=$tmp/empty exits 1 --ucx &&
		grep 'reason .*no ucx_info' "$tmp/out"
}

ucx_cases() {
	local tls

	for tls in all 'xpmemnuma,self' 'tcp,\xpmem_numa' '^tcp'; do
		found=1 check "--ucx: it is used, with UCX_TLS=$tls" \
			ucx 0 'used +yes' "$tls"
	done
	for tls in 'tcp,self' '^xpmem_numa,tcp' xpmem_numatic; do
		found=1 check "... not with UCX_TLS=$tls" \
			ucx 1 'reason .*UCX_TLS leaves it out' "$tls"
	done
	found=1 check "... not for connecting only" \
		ucx 1 'reason .*connecting only' tcp,xpmemnuma:aux
	found='' check "... not if nothing loads it" \
		ucx 1 'reason .*nothing loads it: try xpmem-numa-run' all "$transport"
	found='' check "... not by UCX without a build, in the loader's words" \
		ucx 1 'reason +UCX 1.99 is running, but there is no build' all \
		"xpmem_numa: UCX 1.99 is running, but there is no build for any; $(
		)the transport for UCX is not used"
	found='' check "... not if the transport cannot, in its own words" \
		ucx 1 'reason +it is Sunday$' all \
		"[1.2] [x:1:0] md.c:1 UCX DIAG xpmem_numa: not used: it is Sunday"
	found='' check "... not if there is no loader" \
		ucx 1 'reason .*loader is missing' all
	found='' check "... and which UCX it was" ucx 1 'running +1\.99\.1$' all
	check "... not without ucx_info" no_ucx_info
}

check "it says whether the port kmod can be used" exits "$usable"
check "... and which port a program gets" says '^  name +(kmod|user)$'
check "... and the nodes" says '^  - node [0-9]+  distances'
if [[ $usable = 1 ]]; then
	check "it says why kmod is not used" says '^  reason +.*[a-z].*'
else
	skip_test "it says why kmod is not used" "the module is loaded here"
fi
check "a variable without a valid value is told" environment_told
check "a setting is told" setting_told
if command -v python3 > /dev/null || command -v node > /dev/null; then
	check "--json is JSON" json_valid "$usable"
else
	skip_test "--json is JSON" "neither python3 nor node"
fi
[[ -z $series ]] || ompi_cases
ucx_cases
check "its keys are documented" json_documented
check "--help says so" exits 0 --help
check "an unknown option is refused" exits 2 --frobnicate
check "a word is refused" exits 2 all
check "a process id is a number" exits 2 --pid 0x1
check "a process that is not there is told" exits 2 --pid 4194303
check "output that is lost is told" bash -c '"$0" > /dev/full; [[ $? = 2 ]]' "$info"
tap_done
