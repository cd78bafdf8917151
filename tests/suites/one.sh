# shellcheck shell=bash
# shellcheck disable=SC2154 # "run" exports them
# SPDX-License-Identifier: BSD-3-Clause
#
# one.sh - one test of a suite; to be sourced by the scripts beside it, which
# "run" calls with the tree, and with the BTL, ranks and limit in the environment

# one TEST COMMAND...: ok when it succeeds in time. That our component carried
# it is seen by its closing line, which each rank prints.
one() {
	local test=$1 status

	shift
	[[ $test =~ $SUITE_MATCH ]] || return 0
	echo "== $test: $*" >> "$SUITE_LOG"
	timeout -k 5 "$SUITE_LIMIT" "$@" > "$SUITE_LOG.one" 2>&1 < /dev/null
	status=$?
	cat "$SUITE_LOG.one" >> "$SUITE_LOG"
	if [[ $OMPI_MCA_btl = xpmem_numa* ]] && ((!status)) &&
	   ! grep -q 'xpmem_numa: rank ' "$SUITE_LOG.one"; then
		echo "== xpmem_numa was not used" >> "$SUITE_LOG"
		status=1
	fi
	echo "== $test: status $status" >> "$SUITE_LOG"
	if ((status)); then
		echo "not ok $test"
	else
		echo "ok $test"
	fi
}
