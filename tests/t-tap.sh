#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: the harness itself; each x-* program must be seen to fail

# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
requires perl -MTAP::Parser -e 1

# judge PROGRAM: what a TAP reader makes of it, as prove and Automake do
judge() {
	"$1" > "$tmp/out" 2> /dev/null
	perl -MTAP::Parser -e '
		my ($status, $file) = @ARGV;
		open(my $fh, "<", $file) or die;
		my $p = TAP::Parser->new({ source => $fh });
		$p->run;
		exit 1 if $p->failed || $p->parse_errors || $status || !$p->plan;
	' $? "$tmp/out"
}

must_fail() {
	[[ -x $1 ]] && ! judge "$1"
}

lacks_plan() {
	! grep -q '^1\.\.' "$tmp/out"
}

script_fails() {
	! bash "$1" > "$tmp/sh.out"
}

script_skips() {
	[[ $(bash "$1") = "$2" ]]
}

check "a failing check fails its program" must_fail "$builddir/x-fail"
check "both sides of a comparison are shown" \
	grep -Pzq '#    left: 2\n#   right: 3\n' "$tmp/out"
check "a signal in mid-test fails" must_fail "$builddir/x-crash"
check "... for want of a plan" lacks_plan
check "a TEST without a check fails" must_fail "$builddir/x-empty"
check "a failing check in a child fails" must_fail "$builddir/x-child"
check "exit(0) in mid-test fails" must_fail "$builddir/x-exit0"
check "... for want of a plan" lacks_plan
check "a child that leaves its TEST fails" must_fail "$builddir/x-return"
check "a program without a TEST fails" must_fail "$builddir/x-none"
check "a program whose checks hold passes" judge "$builddir/t-pass"
check "... and a skipped TEST counts as ok" \
	grep -q '^ok 2 .*# SKIP there is no moon$' "$tmp/out"

cat > "$tmp/x-sh" <<END
. "$srcdir/functions.sh"
check "true is true" true
check "false is true" false
check "what follows runs" true
tap_done
END
check "a failing check fails its script" script_fails "$tmp/x-sh"
check "... and its other checks still run" \
	grep -q '^ok 3 - what follows runs$' "$tmp/sh.out"
cat > "$tmp/x-req" <<END
. "$srcdir/functions.sh"
requires false
check "never" false
tap_done
END
check "a missing requirement skips, with the reason" \
	script_skips "$tmp/x-req" "1..0 # SKIP requires: false"
tap_done
