# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# step.sh - one line of progress per step, a log for each. Part of quickstart.
#
#	steps=3
#	step "building" tree_build
#
# prints "[1/3] building ... 12 s". What the function prints goes to
# $logs/tree_build.log; its last $tail_lines are shown when the function fails.
# shellcheck disable=SC2154 # quickstart sets steps and logs

step_number=0
tail_lines=30
beat_pid=

# Runs beside a step: a dot every five seconds, or what $beat prints. Waiting by
# read leaves no sleep behind that would keep the caller's pipe open.
beat_run() {
	local tick

	exec {tick}<> <(:)
	while ! read -rt 5 -u "$tick"; do
		"${beat:-beat_dot}"
	done
}

beat_dot() {
	printf .
}

# By KILL: another signal might run a trap of the parent's, just after the fork.
beat_stop() {
	[[ $beat_pid ]] || return 0
	kill -KILL "$beat_pid"
	wait "$beat_pid"
	beat_pid=
} 2> /dev/null

step_failed() { # TEXT LOG STATUS
	echo " failed"
	echo "Step \"$1\" failed with status $3; its log is $2"
	tail -n "$tail_lines" "$2" | sed 's/^/  | /'
}

# step TEXT FUNCTION [ARG...]
step() {
	local text=$1 log=$logs/$2.log start=$SECONDS status

	shift
	step_number=$((step_number + 1))
	printf '[%d/%d] %s ...' "$step_number" "$steps" "$text"
	beat_run &
	beat_pid=$!
	"$@" > "$log" 2>&1 < /dev/null
	status=$?
	beat_stop
	if ((status)); then
		step_failed "$text" "$log" "$status"
		return "$status"
	fi
	echo " $((SECONDS - start)) s"
}
