#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: quickstart's sums, exit statuses and exports

# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
top=$tmp/src build=$tmp/build logs=$tmp/logs
real=$(cd "$srcdir/.." && pwd)
mkdir -p "$top/tests" "$build/tests" "$build/ompi-btl/.libs" "$logs"

# shellcheck source=quickstart.d/check.sh
. "$real/quickstart.d/check.sh"
# shellcheck source=quickstart.d/env.sh
. "$real/quickstart.d/env.sh"
# shellcheck source=quickstart.d/step.sh
. "$real/quickstart.d/step.sh"

result() { # PROGRAM WORD...
	local program=$1 word

	shift
	for word in "$@"; do
		echo ":test-result: $word" >> "$build/tests/$program.trs"
		echo "$word: $program 1 - water is wet # $word it is dry" \
			>> "$build/tests/$program.log"
	done
}

# sums CI MAKE_STATUS LINE EXIT_STATUS
sums() {
	CI=$1 results_sum "$2" > "$tmp/sum"
	[[ $? = "$4" && $(tail -n 1 "$tmp/sum") = "$3" ]] && return
	cat "$tmp/sum"
	return 1
}

check "no result at all is no success" sums '' 2 \
	"0 passed, 1 failed, 0 skipped" 1
result t-one PASS PASS XFAIL
result t-two PASS SKIP
check "results are summed over programs" sums '' 0 \
	"4 passed, 0 failed, 1 skipped" 0
: > "$top/tests/skips.allowed"
check "in CI a skip without leave is a failure" sums true 0 \
	"4 passed, 1 failed, 0 skipped" 1
echo "t-two .*dry  # rain is not certain" > "$top/tests/skips.allowed"
check "... and with leave is none" sums true 0 \
	"4 passed, 0 failed, 1 skipped" 0
check "a make that fails without a result is a failure" sums '' 2 \
	"4 passed, 1 failed, 1 skipped" 1
result t-three FAIL ERROR XPASS
check "FAIL, ERROR and XPASS are failures" sums '' 2 \
	"4 passed, 3 failed, 1 skipped" 1
check "... and their program is named" grep -q t-three.log "$tmp/sum"

# evaluates NAME VALUE: a shell that evaluates the exports has it
evaluates() {
	local got

	got=$(sh -c "$(env_print)"'; eval "echo \"\$$1\""' sh "$1")
	[[ $got = "$2" ]] || {
		echo "got $got"
		return 1
	}
}

top="$tmp/it's \$HOME"
export LD_LIBRARY_PATH=/x
check "exports are safe from quotes and dollars" evaluates XNUMA_HELPDIR \
	"$top/ompi-btl"
check "a path is prepended" evaluates LD_LIBRARY_PATH "$build/lib/.libs:/x"
mkdir -p "$build/ucx-tl/.libs" && : > "$build/ucx-tl/.libs/libuct_xpmemnuma.so.0"
check "Open MPI is told where the transport of UCX is" \
	evaluates OMPI_MCA_hook_xpmem_numa_transport \
	"$build/ucx-tl/.libs/libuct_xpmemnuma.so.0"
mkdir -p "$build/ompi-hook/.libs" "$tmp/home"
HOME=$tmp/home check "... and where the hook is" \
	evaluates OMPI_MCA_mca_base_component_path \
	"$build/ompi-btl/.libs:$build/ompi-hook/.libs:SYS_DEFAULT"
LD_LIBRARY_PATH="/x:$build/lib/.libs"
check "... once" evaluates LD_LIBRARY_PATH "$LD_LIBRARY_PATH"

bad_step() {
	echo "the reason"
	return 7
}

fails_aloud() {
	step "falling" bad_step > "$tmp/step"
	[[ $? = 7 ]] && grep -q "^\[1/9\] falling ... failed" "$tmp/step" &&
		grep -q "| the reason" "$tmp/step" &&
		grep -q "$logs/bad_step.log" "$tmp/step"
}

refuses() {
	"$real/quickstart" "$@" > "$tmp/usage" 2>&1
	[[ $? = 2 ]] && grep -q usage "$tmp/usage"
}

# shellcheck disable=SC2034 # read by step
steps=9
check "a step that fails tells its name, log and reason" fails_aloud
check "an unknown command is refused" refuses walk
check "a superfluous word is refused" refuses check twice
tap_done
