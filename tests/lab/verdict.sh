# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# verdict.sh - what became of the guests. Part of lab.

# Prints the splats of a kernel log, whole: from a line that matches the file
# splats to its end trace, or 100 lines.
splats() { # LOG
	awk '
		FILENAME == ARGV[1] {
			if ($0 !~ /^(#|$)/)
				re = re (re == "" ? "" : "|") $0
			next
		}
		$0 ~ re && (!left || $0 !~ /Modules linked in/) {
			if (!left && cut && NR - cut < 5)
				printf "%s", text
			left = 100
		}
		left && total < 400 {
			print
			left--
			total++
		}
		/end trace|end Kernel panic/ { left = 0 }
		/cut here/ {
			cut = NR
			text = ""
		}
		cut && NR - cut < 5 { text = text $0 "\n" }
		END { if (re == "") exit 2 }
	' "$here/splats" "$1"
}

# Prints a log from the last line with the text on; all of it without one.
log_since() { # TEXT LOG
	tac "$2" | sed "/$1/q" | tac
}

indent() {
	tr -d '\r' | sed 's/^/lab: | /' >&2
}

# The splats of a job, in the kernel's own log or, where the ring buffer has
# overflowed or was never written out, in what the console has seen.
guest_splats() { # GUEST
	local log

	: > "$dir/$1/splats"
	[[ -e $dir/$1/job/ready ]] || return 0	# the boot is no part of the job
	for log in "$dir/$1/job/dmesg" "$dir/$1/console"; do
		[[ -s $log ]] || continue
		log_since "lab: ready" "$log" > "$dir/$1/log"
		splats "$dir/$1/log" > "$dir/$1/splats" || return
		[[ ! -s $dir/$1/splats ]] || break
	done
}

guest_judge() { # GUEST; prints, returns 0 when it said "complete" and is clean
	local g=$1 job=$dir/$1/job seen

	[[ ! -s $job/note ]] || while read -r seen; do say "$seen"; done < "$job/note"
	guest_splats "$g" || {
		say "guest $g: its log cannot be judged"
		return "$LAB_ELOST"
	}
	if [[ -s $dir/$g/splats ]]; then
		say "guest $g: splat in the kernel log:"
		indent < "$dir/$g/splats"
	fi
	if [[ -s $job/splat ]]; then
		say "guest $g: failed at the end:"
		indent < "$job/splat"
	fi
	[[ ! -s $dir/$g/splats && ! -s $job/splat ]] || return "$LAB_ESPLAT"

	if [[ ${gone[$g]} = "timed out" && -e $job/ready ]]; then
		say "guest $g: the command did not end in $timeout s; last lines of the console:"
		tail -n 40 "$dir/$g/console" | indent
		return "$LAB_ETIME"
	fi
	if [[ -s $job/fail ]]; then
		say "guest $g: $(< "$job/fail")"
		return "$LAB_ELOST"
	fi
	if [[ ! -e $job/end || $(< "$job/end") != complete ]]; then
		say "guest $g was lost; last lines of its console and of QEMU:"
		tail -q -n 25 "$dir/$g/console" "$dir/$g/qemu.err" | indent
		return "$LAB_ELOST"
	fi
}

# Sets verdict: the worst word about a guest, else the command's status.
guests_judge() {
	local g status signal

	verdict=0
	for ((g = 0; g < guests; g++)); do
		guest_judge "$g"
		status=$?
		((status <= verdict)) || verdict=$status
	done
	((verdict == 0)) || return
	status=$(< "$dir/0/job/status")
	[[ $status =~ ^[0-9]+$ ]] || {
		say "guest 0 told no exit status"
		verdict=$LAB_ELOST
		return
	}
	verdict=$status
	if ((status > 128 && status < 193)) && signal=$(kill -l $((status - 128))); then
		say "the command was killed by signal $((status - 128)) (SIG$signal)"
	fi
	verbose "done after $(bc_sub "$EPOCHREALTIME" "$began") s"
}

# XNUMA_LAB_LOG=FOLDER keeps the logs.
logs_keep() {
	local g

	[[ ${XNUMA_LAB_LOG-} ]] || return 0
	for ((g = 0; g < guests; g++)); do
		mkdir -p "$XNUMA_LAB_LOG/guest-$g"
		cp "$dir/$g"/{console,qemu.err,job/dmesg} "$XNUMA_LAB_LOG/guest-$g/" \
			2> /dev/null
	done
}
