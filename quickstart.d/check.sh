# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# check.sh - every test, and the sum of their results. Part of quickstart.
# shellcheck disable=SC2154 # quickstart sets top, build and logs

results_find() { # SUFFIX
	find "$build" -name "*.$1" -path '*/tests/*' -print0 | sort -z
}

results_clear() {
	results_find trs | xargs -0r rm -f
}

tests_run() {
	results_clear
	lab_kernel
	make -C "$build" -k -j"$(nproc)" check
}

# How many test programs have ended, when that has changed.
beat_tests() {
	local now

	now=$(results_find trs | tr -dc '\0' | wc -c)
	if [[ $now = "${beat_last-0}" ]]; then
		beat_idle=$((${beat_idle-0} + 1))
		((beat_idle % 6)) || printf .
		return
	fi
	beat_last=$now
	printf ' %d' "$now"
}

# One word a result: PASS, FAIL, ERROR, SKIP, XFAIL, XPASS.
results_words() {
	results_find trs | xargs -0r sed -n 's/^:test-result: \([A-Z]*\).*/\1/p'
}

# The lines "SKIP: PROGRAM NUMBER SENTENCE # SKIP REASON", or "SKIP: PROGRAM -
# REASON" for all of a program, that no pattern of tests/skips.allowed matches.
skips_refused() {
	results_find trs | sed -z 's/trs$/log/' | xargs -0r grep -h '^SKIP: ' |
		grep -vEf <(sed 's/[[:space:]]*#.*//; /^$/d' \
			"$top/tests/skips.allowed")
}

# What a log says to its failures: the diagnostics above each "not ok", and how
# it ended.
reasons() { # LOG
	awk '
		/^# / { why = why "  | " $0 "\n"; next }
		/^not ok/ && !/# SKIP/ { printf "%s  | %s\n", why, $0 }
		{ why = "" }' "$1" | head -n 100
	grep '^ERROR: ' "$1" | sed 's/^/  | /'
	grep -q '^not ok' "$1" || tail -n 20 "$1" | sed 's/^/  | /'
}

# The programs that did not do what they should.
failures_show() {
	local trs log

	while IFS= read -rd '' trs; do
		grep -qE '^:test-result: (FAIL|ERROR|XPASS)' "$trs" || continue
		log=${trs%.trs}.log
		echo
		echo "FAILED, see $log:"
		reasons "$log"
	done < <(results_find trs)
}

# results_sum STATUS: prints the closing line; STATUS is make's
results_sum() {
	local passed failed skipped refused=''

	passed=$(results_words | grep -cE '^(PASS|XFAIL)$')
	failed=$(results_words | grep -cE '^(FAIL|ERROR|XPASS)$')
	skipped=$(results_words | grep -c '^SKIP$')
	failures_show
	[[ ${CI-} != true ]] || refused=$(skips_refused)
	if [[ $refused ]]; then
		echo
		echo "Skipped here without leave of tests/skips.allowed:"
		echo "$refused"
		failed=$((failed + $(wc -l <<< "$refused")))
		skipped=$((skipped - $(wc -l <<< "$refused")))
	fi
	if (($1 && !failed)); then
		echo
		echo "make check itself failed; see $logs/tests_run.log"
		failed=1
	fi
	echo
	echo "$passed passed, $failed failed, $skipped skipped"
	((!failed))
}
