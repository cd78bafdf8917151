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

	exits "$usable" --json || return
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
check "its keys are documented" json_documented
check "--help says so" exits 0 --help
check "an unknown option is refused" exits 2 --frobnicate
check "a word is refused" exits 2 all
check "a process id is a number" exits 2 --pid 0x1
check "a process that is not there is told" exits 2 --pid 4194303
check "output that is lost is told" bash -c '"$0" > /dev/full; [[ $? = 2 ]]' "$info"
tap_done
