# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# functions.sh - TAP for shell tests; to be sourced by t-*.sh
#
#	. "$(dirname "$0")/functions.sh"
#	requires mpirun --version
#	check "mpirun says hello" mpirun -np 2 hello
#	tap_done
#
# Sets srcdir (tests/ of the source tree), builddir (tests/ of the build tree)
# and XNUMA_BUILDDIR (top of the build tree), tmp (removed at exit).

srcdir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [[ -z ${XNUMA_BUILDDIR-} ]]; then
	if [[ -f ../config.status ]]; then
		XNUMA_BUILDDIR=$(cd .. && pwd)
	else
		XNUMA_BUILDDIR=$(dirname "$srcdir")
	fi
fi
export XNUMA_BUILDDIR
# shellcheck disable=SC2034 # for the scripts that source this file
builddir=$XNUMA_BUILDDIR/tests

tap_tests=0
tap_failed=0
tap_cleanups=()

tap_cleanup() {
	local status=$? i

	for ((i = ${#tap_cleanups[@]} - 1; i >= 0; i--)); do
		eval "${tap_cleanups[i]}"
	done
	exit "$status"
}
trap tap_cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# cleanup_fn COMMAND [ARG...]: run it when the script ends, last one first
cleanup_fn() {
	tap_cleanups+=("$(printf '%q ' "$@")")
}

tmp=$(mktemp -d "${TMPDIR:-/tmp}/xnuma-test.XXXXXX") || exit 1
cleanup_fn rm -rf "$tmp"

# skip_all REASON: nothing of this script can run here
skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}

# requires COMMAND [ARG...]: skip the script unless the command succeeds
requires() {
	"$@" > "$tmp/requires" 2>&1 < /dev/null || skip_all "requires: $*"
}

# requires_lab: skip the script where the lab is unwanted or cannot start
requires_lab() {
	[[ -z ${XNUMA_NO_LAB-} ]] || skip_all "XNUMA_NO_LAB is set"
	requires qemu-system-x86_64 --version
	requires busybox true
}

# requires_archive: skip the script where Debian's archive is unwanted or far
requires_archive() {
	[[ -z ${XNUMA_NO_NET-} ]] || skip_all "XNUMA_NO_NET is set"
	[[ $(uname -m) = x86_64 ]] || skip_all "the module is for x86-64"
	requires "$srcdir/lab/debian-kernel" --release trixie
	requires unshare --mount true
}

diag() {
	local line

	while IFS= read -r line || [[ -n $line ]]; do
		printf '# %s\n' "$line"
	done
}

# tap_line STATUS SENTENCE: one verdict
tap_line() {
	tap_tests=$((tap_tests + 1))
	if [[ $1 = 0 ]]; then
		echo "ok $tap_tests - $2"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_tests - $2"
	fi
}

# check SENTENCE COMMAND [ARG...]: ok when the command succeeds; its output is
# shown when it does not
check() {
	local sentence=$1 status

	shift
	"$@" > "$tmp/check" 2>&1 < /dev/null
	status=$?
	if [[ $status != 0 ]]; then
		echo "# failed with status $status: $*"
		diag < "$tmp/check"
	fi
	tap_line "$status" "$sentence"
}

# skip_test SENTENCE REASON
skip_test() {
	tap_tests=$((tap_tests + 1))
	echo "ok $tap_tests - $1 # SKIP $2"
}

# tap_done: the plan; a script that dies before it has none and fails
tap_done() {
	if [[ $tap_tests = 0 ]]; then
		tap_line 1 "a check ran"
	fi
	echo "1..$tap_tests"
	[[ $tap_failed = 0 ]]
	exit
}
