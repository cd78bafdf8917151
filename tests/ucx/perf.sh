# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# perf.sh - ucx_perftest between two processes
#
# $tmp is a folder; "ucx COMMAND..." runs with the transport that is meant.
# shellcheck disable=SC2154 # tmp is set by who sources this

listens() { # TCP-PORT
	grep -q "^ *[0-9]*: [0-9A-F]*:$(printf %04X "$1") [0-9A-F]*:0000 0A" \
		/proc/net/tcp /proc/net/tcp6
}

# Sets tcp, server. A port that is not free is seen by trying.
perf_server() { # OPTION...
	while :; do
		tcp=$((10000 + RANDOM % 20000))
		ucx ucx_perftest -p "$tcp" "$@" > "$tmp/server" 2>&1 &
		server=$!
		while ! listens "$tcp" && kill -0 "$server" 2> /dev/null; do
			sleep 0.05
		done
		kill -0 "$server" 2> /dev/null && return
		grep -q 'Address already in use' "$tmp/server" || return
	done
}

# perf OPTION...: between two processes; both must end well
perf() {
	local tcp server status

	set -- -f -w 10 -n "${count-1000}" "$@"
	perf_server "$@"
	ucx ucx_perftest 127.0.0.1 -p "$tcp" "$@" > "$tmp/client" 2>&1
	status=$?
	((!status)) || kill "$server" 2> /dev/null
	wait "$server" || status=1
	cat "$tmp/server" "$tmp/client"
	! grep -E 'ERROR|WARN' "$tmp/server" "$tmp/client" &&
		grep -q "^ *${count-1000} " "$tmp/client" && return "$status"
}
