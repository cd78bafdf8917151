# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# t-lab-programs.sh - programs that misbehave, and what guest-run must say of
# them. Part of t-lab.sh.

program g-good <<'END'
echo 7 > $S/faults
echo "ok 1 - works"
echo "ok 2 - later # SKIP no moon"
echo 1..2
END
program g-still <<'END'
echo "ok 1 - works"
echo 1..1
END
program g-excused <<'END'
echo "# no-faults: asks for numbers only"
echo "ok 1 - works"
echo 1..1
END
program t-late <<'END'
before=$(cat $S/windows)
echo 4 > $S/windows
setsid sh -c "sleep 1.5; echo $before > $S/windows" > /dev/null 2>&1 &
sleep 0.7	# until it has left this process group
echo "ok 1 - works"
echo 1..1
END
program t-leak <<'END'
echo 3 > $S/windows
echo "ok 1 - works"
echo 1..1
END
program t-crash <<'END'
echo "ok 1 - works"
kill -SEGV $$
END
program t-exit <<'END'
echo "ok 1 - works"
echo 1..1
exit 4
END
program t-lie <<'END'
echo "not ok 1 - works not"
echo 1..1
END
program t-short <<'END'
echo "ok 1 - works"
echo 1..2
END
program t-hang <<'END'
echo "# limit: 2"
echo "ok 1 - works"
sleep 1000
END
program t-skip <<'END'
echo "1..0 # SKIP no moon"
END
program t-warn <<'END'
echo 1 > $S/warn
echo "ok 1 - works"
echo 1..1
END

tap_says() { # LINE WITHOUT NUMBER
	grep -qE "^${1/ok /ok [0-9]+ }\$" "$tmp/run.out" || {
		grep -E "^(not )?ok" "$tmp/run.out"
		false
	}
}

fails_once() { # PROGRAM: one line "not ok" and no more
	[[ $(grep -c "^not ok [0-9]* - $1:" "$tmp/run.out") = "${2-1}" ]] || {
		grep " $1:" "$tmp/run.out"
		false
	}
}

judged() {
	check "guest-run tells each sentence" tap_says 'ok - g-good: works'
	check "... and each skip" tap_says 'ok - g-good: later # SKIP no moon'
	check "... and a program that skips" tap_says 'ok - t-skip: .*# SKIP no moon'
	check "... and nothing against the good" fails_once g-good 0
	check "a guest test without faults fails" \
		tap_says 'not ok - g-still: makes the module fault'
	check "... unless it says why" fails_once g-excused 0
	check "a gauge may return late" fails_once t-late 0
	check "... but not never" \
		tap_says 'not ok - t-leak: leaves nothing behind in the module'
	check "a crash fails" tap_says 'not ok - t-crash: reaches its end'
	check "a status without a failure fails" tap_says 'not ok - t-exit: exit .*'
	check "a failure without a status fails" tap_says 'not ok - t-lie: exit .*'
	check "a plan that does not fit fails" \
		tap_says 'not ok - t-short: runs what it planned'
	check "a hang fails in time" tap_says 'not ok - t-hang: ends within 2 s'
	check "a splat fails the program that runs" \
		tap_says 'not ok - t-warn: keeps the kernel log clean'
	check "the plan is that of all" \
		eval '[[ $(tail -n 1 "$tmp/run.out") = 1..$(grep -cE "^(not )?ok " "$tmp/run.out") ]]'
}
