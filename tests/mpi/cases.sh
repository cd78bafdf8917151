# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# cases.sh - the BTL under Open MPI, with the port of the script that sources
# this: t-btl.sh (user, on the host) and g-btl.sh (kmod, in a guest)
#
# shellcheck disable=SC2317 # functions are called by check

requires mpirun --version
requires strace -V
programs=$builddir/mpi
[[ -x $programs/pingpong.mpi ]] || skip_all "built without Open MPI"

export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_mca_base_component_path=$XNUMA_BUILDDIR/ompi-btl/.libs:SYS_DEFAULT
export XNUMA_HELPDIR=${srcdir%/*}/ompi-btl
export TMPDIR=$tmp		# Open MPI's session folders

# Since 5.0 mpirun is another project's.
launch=--mca launcher=rsh
if mpirun --version | grep -q 'Open MPI) [5-9]'; then
	launch=--prtemca launcher=ssh
fi

# mpi NP [OPTION...] PROGRAM [ARG...]: over our port only; the output is in
# $tmp/mpi, and the port must be the one this script is for
mpi() {
	run "$1" --mca btl_xpmem_numa_port "$port" \
		--mca btl "${btl-xpmem_numa,self}" "${@:2}" || return
	grep -q "xpmem_numa: rank 0: port $port, " "$tmp/mpi" || {
		echo "rank 0 does not say that its port is $port"
		return 1
	}
}

run() {
	timeout -k 5 "${limit-100}" mpirun --oversubscribe --bind-to none \
		--mca pml "${pml-ob1}" --mca btl_xpmem_numa_verbose 1 -np "$@" \
		> "$tmp/mpi" 2>&1
	set -- $?
	cat "$tmp/mpi"
	return "$1"
}

program() { # NAME: for the ends of command lines
	echo "$programs/$1.mpi"
}

# said NUMBER TEXT: so many lines of the last run have it
said() {
	local n

	n=$(grep -c -e "$2" "$tmp/mpi")
	[[ $n = "$1" ]] || {
		echo "$n lines have \"$2\", not $1:"
		cat "$tmp/mpi"
		return 1
	}
}

# counted NAME: that counter of the last run, summed over its ranks; nothing if
# none of them told it
counted() {
	sed -n "s/.*xpmem_numa: rank .*[ ,]$1 \([0-9][0-9]*\).*/\1/p" \
		"$tmp/mpi" | awk '{ sum += $1 } END { if (NR) print sum }'
}

counted_is() { # NAME COMPARISON NUMBER
	local n

	n=$(counted "$1")
	[[ $n ]] && ((n $2 $3)) || {
		echo "\"$1\" is ${n:-not told}, which is not $2 $3"
		cat "$tmp/mpi"
		return 1
	}
}

# must_fail COMMAND...: ends by itself, and not well
must_fail() {
	local status

	"$@"
	status=$?
	((status && status != 124 && status != 137))
}

# ---- traffic ----

cases_traffic() {
	check "ping-pong of 0 B to 4 MiB, every byte" \
		mpi 2 "$(program pingpong)" 2
	btl=xpmem_numa check "ping-pong with --mca btl xpmem_numa alone" \
		mpi 2 "$(program pingpong)" 1
	check "random sizes and alignments, both directions at once" \
		mpi 2 "$(program random)" "$random_count"
	check "non-contiguous types" mpi 2 "$(program datatype)"
	check "four ranks to one, from any source" \
		mpi 4 "$(program manytoone)" "$many_count"
	check "fork in mid-traffic, children exit 0" \
		mpi 2 "$(program forking)" 12
	check "four threads a rank (MPI_THREAD_MULTIPLE)" \
		mpi 2 "$(program threads)" "$thread_count" 4
	check "a spawned job is reached" mpi 1 "$(program spawn)"
	check "a receiver that sleeps: sends wait, none is lost" \
		mpi 3 "$(program flood)" "$flood_count"
	check "... indeed they found no room" counted_is refused ">" 0
	check "... nor with small rings and few fragments" \
		mpi 3 --mca btl_xpmem_numa_ring_size 16k \
		--mca btl_xpmem_numa_max_rings 1 \
		--mca btl_xpmem_numa_free_list_max 16 \
		"$(program flood)" "$flood_count"
	check "... indeed" counted_is refused ">" 0
}

cases_self() {
	check "self on one rank" mpi 1 "$(program self)"
	btl=xpmem_numa check "self on one rank, self not in the list" \
		mpi 1 "$(program self)"
	btl=xpmem_numa check "self on two ranks, self not in the list" \
		mpi 2 "$(program self)"
}

# One line a kind of memory: the reason of a skip is the program's.
cases_regions() {
	local line name

	check "messages from and to all kinds of memory" \
		mpi 2 --mca btl_xpmem_numa_eager_limit 4096 \
		"$(program regions)"
	counted_is fallbacks ">" 0 > "$tmp/fell_back"
	grep '^region ' "$tmp/mpi" > "$tmp/regions"
	while read -r line; do
		name=${line#region }
		name=${name%%:*}
		case $line in
		*": skipped: "*)
			skip_test "memory: $name" "${line#*: skipped: }"
			;;
		*)
			check "memory: $name" [ "$line" = \
				"region $name: all right" ]
			;;
		esac
	done < "$tmp/regions"
	# the last two kinds, where they can be had, are what no peer reaches
	if grep -Eq '^region (secret|device): all right' "$tmp/regions"; then
		check "memory out of reach was sent instead" \
			[ ! -s "$tmp/fell_back" ]
	else
		skip_test "memory out of reach was sent instead" \
			"neither secret nor device memory can be had"
	fi
	check "all else was reached where it was" \
		mpi 2 "$(program regions)" stack data bss brk heap mmap \
		shared thp hugetlb file-shared file-private memfd sysv text
	check "... without a single exception" counted_is fallbacks == 0
}

# ---- who serves whom ----

# Without the module vader does what it did before we were installed.
steps_aside() {
	run 2 "$@" "$(program init)" && said 0 xpmem_numa
}

# two_hosts NP: sets the array "hosts" to the options for two daemons that
# believe to be two hosts, with half of the ranks each, which believe that the
# others are far
two_hosts() {
	hosts=("$launch" plm "$launcher"
		"$launch" "plm_${launcher}_agent" "$srcdir/mpi/other-host"
		--host "parta:$(($1 / 2)),partb:$(($1 / 2))")
}

# Reach is the fabric's, not the host name's.
other_host() {
	two_hosts 2
	mpi 2 "${hosts[@]}" "$(program pingpong)" 1
}

# ---- what the messages cost ----

# above_eager SIZE COUNTER: COUNTER and what senders copied of it have the bytes
# of all messages, once; 102 precede those that are asked for
above_eager() {
	local shared

	mpi 2 "$(program stream)" 898 "$1" || return
	shared=$(counted shared)
	counted_is "$2" == $((1000 * $1 - ${shared:-0})) || return
	counted_is queue "<" $((1000 * 512))
}

# traced NP [OPTION...] PROGRAM [ARG...]: $tmp/trace.RANK has the system calls
# but those of waiting: Open MPI's, by the clock, and the yield and then the nap
# for a peer that lost its processor within a shared copy
traced() {
	rm -f "$tmp"/trace.*
	# shellcheck disable=SC2016 # expanded by the inner shell
	mpi "$1" --mca mpi_yield_when_idle 0 --mca osc rdma sh -c '
		exec strace -f --seccomp-bpf \
		-e "trace=!epoll_wait,epoll_pwait,poll,sched_yield,clock_nanosleep" \
		-o "$0.$OMPI_COMM_WORLD_RANK" "$@"' "$tmp/trace" "${@:2}"
}

# calls_in NP NAME: calls between the marks, which each of the ranks must have
calls_in() {
	awk -v np="$1" -v begin="access(\"$2:begin\"" \
		-v end="access(\"$2:end\"" '
		index($0, end)           { inside = 0; ends++ }
		inside && !/resumed>/    { calls++ }
		index($0, begin)         { inside = 1 }
		END { print ends == np ? calls + 0 : "no marks" }' "$tmp"/trace.*
}

calls() { # COUNT SIZE [fresh]
	traced 2 "$(program stream)" "$@" > "$tmp/calls" 2>&1 || {
		cat "$tmp/calls" >&2
		return 1
	}
	calls_in 2 stream
}

# The runtime's own threads now and then make a few; messages are by hundreds.
same_calls() { # SIZE [fresh]
	local few many count=1000 limit=300

	(($1 < 1000000)) || [[ -n ${XNUMA_LONG-} ]] || count=100
	few=$(calls $count "$@") && many=$(calls $((3 * count)) "$@") || return
	[[ $few != *marks && $many != *marks ]] || return
	echo "$count messages: $few calls, $((3 * count)): $many"
	((many - few < 20)) || {
		sed 's/^[0-9]* *//; s/(.*//' "$tmp"/trace.* | sort | uniq -c
		return 1
	}
}

few_calls() { # NP NAME
	local calls

	calls=$(calls_in "$1" "$2")
	echo "$2: $calls calls"
	[[ $calls != *marks ]] && ((calls < 10 * $1))
}

# Hundreds of each kind; all are warm before the first mark.
cases_counted() { # NP KIND:SIZE:COUNT...
	local kind

	check "$1 ranks: ${*:2}" traced "$1" "$(program counted)" "${@:2}"
	for kind in "${@:2}"; do
		kind=${kind%:*}
		check "... no system call per ${kind/:/ of } bytes" \
			few_calls "$1" "${kind/:/-}"
	done
}

# ---- what goes wrong ----

wrong_value() { # NAME
	must_fail run 2 --mca btl xpmem_numa,self \
		--mca "btl_xpmem_numa_$1" nonsense "$(program init)" || return
	said 1 "btl_xpmem_numa_$1" && said 1 nonsense
}

# The survivor says who was lost and why, and soon. With recovery
# mpirun's own exit status says nothing, but it must not be the time limit's.
killed() { # MODE [OPTION...]
	limit=30 run 2 --mca btl xpmem_numa,self \
		--mca btl_xpmem_numa_port "$port" "${@:2}" \
		--mca orte_enable_recovery 1 "$(program killed)" "$1"
	[[ $? != 124 ]] && said 1 "^rank 1 is killed" && said 0 "too long" &&
		said 1 "xpmem_numa: rank 0 lost rank 1 (host .*): [^ ]"
}

cases_failures() {
	local mode

	for mode in port export local_peers; do
		check "an unknown $mode is refused in one message" \
			wrong_value $mode
	done
	for mode in recv send large; do
		check "a killed peer is reported with the reason ($mode)" \
			killed $mode
	done
	XNUMA_PORT=nonsense check "a wrong variable is refused" \
		must_fail run 2 --mca btl xpmem_numa,self "$(program init)"
	check "... in one message" said 1 "Reason: .*XNUMA_PORT"
}

# ---- the component itself ----

exports_one() {
	[[ $(nm -D --defined-only "$1" | awk '{ print $3 }') = \
		mca_btl_xpmem_numa_component ]]
}

# In this script's folder and in /dev/shm; on the host others make names, too.
names() {
	local ours='xpmem|xnuma|mpi\.'

	[[ -z ${XNUMA_LAB-} ]] || ours=.
	find "$tmp" /dev/shm -mindepth 1 -maxdepth 1 | grep -E "/[^/]*($ours)[^/]*$" |
		sort
}

leaves_no_name() { # COMMAND...
	local before after

	before=$(names)
	"$@" || return
	after=$(names)
	[[ $after = "$before" ]] || diff <(echo "$before") <(echo "$after")
}

over_and_over() { # TIMES
	local i

	for ((i = 0; i < $1; i++)); do
		mpi 2 "$(program init)" || return
	done
}

# Of a process that believes to be another series.
other_series() {
	echo 'const char opal_version_string[] = "9.9.1";' |
		gcc -shared -fPIC -xc - -o "$tmp/other.so" &&
		run 2 env LD_PRELOAD="$tmp/other.so" "$(program init)" &&
		said 1 "built for another series" && said 1 "Running:   9.9.1" &&
		said 0 "port $port"
}

needs_no_sync() {
	! nm -D --undefined-only "$1" | grep __sync
}

parameters() {
	local info name

	info=$(ompi_info --param btl xpmem_numa --level 9 --parsable) || return
	for name in port export local_peers ring_size max_rings window_size \
		window_limit max_inline_send free_list_num free_list_max \
		free_list_inc eager_limit verbose; do
		grep -q "mca:btl:xpmem_numa:param:btl_xpmem_numa_$name:value" \
			<<< "$info" || {
			echo "no btl_xpmem_numa_$name"
			return 1
		}
		! grep -q "param:btl_xpmem_numa_$name:help: *$" <<< "$info"
	done
}

cases_component() {
	local so=$XNUMA_BUILDDIR/ompi-btl/.libs/mca_btl_xpmem_numa.so

	check "the component exports its symbol only" exports_one "$so"
	check "it needs no 16-byte atomics of libatomic" needs_no_sync "$so"
	check "every parameter is shown and has a help text" parameters
	LD_BIND_NOW=1 check "it resolves when bound at once" \
		mpi 2 "$(program init)"
	check "another series of Open MPI is refused, once said why" other_series
	check "start and end, over and over: no name is left" \
		leaves_no_name over_and_over 5
}
