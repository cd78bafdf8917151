# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# host.sh - the host's side of the guests: prepare, boot, follow. Part of lab.
#
# Guest G lives in $dir/G: console (its serial output), stdin (a pipe to its
# serial input), job/ (the share; see the file guest for what is in there).

readonly BOOT_LIMIT=$((150 * ${XNUMA_SLOW:-1})) # seconds from power on to the ready word
readonly BOOTS=3		# of one guest, until the ready word
declare -A qemu_pid boots gone tail_pids

# What the build tree offers, then the words carried over from the caller. Open
# MPI finds nothing at all when one folder of its component path is missing.
command_env() {
	local name home=/root

	[[ $user = root ]] || home=/run/lab/home
	cat <<END
export HOME=$home USER=${user@Q} LOGNAME=${user@Q} SHELL=/bin/bash TERM=dumb
export XNUMA_LAB=1 XNUMA_HELPDIR=${srcdir@Q}/ompi-btl
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export LD_LIBRARY_PATH=${builddir@Q}/lib/.libs
export XNUMA_UCX_LOADER=${builddir@Q}/ucx-tl/.libs/libuct_xpmemnuma.so.0
export OMPI_MCA_hook_xpmem_numa_transport=\$XNUMA_UCX_LOADER
if [[ -d ${builddir@Q}/ompi-btl/.libs ]]; then
	export OMPI_MCA_mca_base_component_path=${builddir@Q}/ompi-btl/.libs
	[[ ! -d ${builddir@Q}/ompi-hook/.libs ]] ||
		OMPI_MCA_mca_base_component_path+=:${builddir@Q}/ompi-hook/.libs
	OMPI_MCA_mca_base_component_path+=:SYS_DEFAULT
	[[ ! -d ~/.openmpi/components ]] || OMPI_MCA_mca_base_component_path+=:USER_DEFAULT
fi
END
	while read -r name; do
		case $name in
		PATH | OMPI_MCA_* | UCX_* | XNUMA_*)
			echo "export $name=${!name@Q}"
			;;
		esac
	done < <(compgen -e)
	echo "export XNUMA_BUILDDIR=${builddir@Q}"
	[[ $PATH = *sbin* ]] || echo "PATH=\$PATH:/usr/sbin:/sbin"
}

# The folders that must be seen although the guest has its own /tmp, /run and
# /dev; a folder inside another one of the list is seen with it.
hidden_folders() { # COMMAND
	local path last=''

	{
		printf '%s\n' "$PWD" "$builddir" "$srcdir"
		[[ -z $module ]] || printf '%s\n' "${kmod%/*}"
		[[ $1 != */* ]] || dirname "$(realpath -m "$1")"
	} | sort -u | while read -r path; do
		[[ $path =~ ^/(tmp|run|dev)(/|$) ]] || continue
		[[ -z $last || $path/ != "$last"/* ]] || continue
		[[ -d $path && $path != /dev && $path != /run ]] || continue
		last=$path
		echo "$path"
	done
}

guest_prepare() { # GUEST COMMAND [ARG...]
	local g=$1 job=$dir/$1/job merged=''

	shift
	cd -P . || return
	[[ $PWD != *[,:\\]* && $builddir != *[,:\\]* && $srcdir != *[,:\\]* ]] ||
		refuse "folder names with one of , : \\ cannot be shown to a guest"
	mkdir -p "$job"
	chmod 755 "$dir" "$dir/$g" "$job"
	[[ ! /dev/fd/1 -ef /dev/fd/2 ]] || merged=1
	cat > "$job/config" <<END
LAB_GUEST=$g
LAB_USER=$(id -u "$user")
LAB_GID=$(id -g "$user")
LAB_MERGED=$merged
LAB_KMOD=$([[ -z $module ]] || echo "${kmod@Q}")
LAB_KMOD_PARAMS=$([[ -z ${XNUMA_KMOD_PARAMS-} ]] || echo "${XNUMA_KMOD_PARAMS@Q}")
LAB_MODDIR=${moddir@Q}
END
	{
		command_env
		echo "cd ${PWD@Q} || exit"
		echo "exec $(printf '%q ' "$@")"
	} > "$job/command"
	chmod 644 "$job/command"
	hidden_folders "$1" > "$job/folders"
	mkfifo "$dir/$g/stdin"
}

# Sets qemu: the command line of a guest.
guest_qemu() { # GUEST
	local g=$1 n first last sockets=$nodes size words

	qemu=(qemu-system-x86_64 -name "lab-$g" -machine q35 -no-user-config
		-nodefaults -no-reboot -display none -m "${mem}M")
	# QEMU stores the bytes of "rep stosb" one by one: without it, clearing a
	# huge page does not look like a locked up processor.
	if [[ $icount ]]; then
		qemu+=(-cpu max -accel "tcg,thread=single"
			-icount "shift=0,sleep=off")
	else
		qemu+=(-cpu "max,-erms,-fsrm" -accel "tcg,thread=multi")
	fi

	# Without sockets that follow the nodes the kernel warns at boot.
	((cpus % nodes == 0)) || sockets=$cpus
	qemu+=(-smp "$cpus,sockets=$sockets,cores=$((cpus / sockets))")
	for ((n = 0; n < nodes; n++)); do
		size=$((mem / nodes + (n ? 0 : mem % nodes)))
		first=$((cpus * n / nodes))
		last=$((cpus * (n + 1) / nodes - 1))
		((cpus >= nodes)) || { first=$n && last=$((n < cpus ? n : -1)); }
		qemu+=(-object "memory-backend-ram,id=m$n,size=${size}M")
		((last < first)) && qemu+=(-numa "node,nodeid=$n,memdev=m$n") ||
			qemu+=(-numa "node,nodeid=$n,cpus=$first-$last,memdev=m$n")
	done
	# In a row, each as far from the next: 20, 30, 40 ... to node 0.
	for ((n = 1; n < nodes; n++)); do
		for ((first = 0; first < n; first++)); do
			size=$((n - first < 24 ? 10 + 10 * (n - first) : 254))
			qemu+=(-numa "dist,src=$first,dst=$n,val=$size")
		done
	done

	words="console=ttyS0 quiet mitigations=off nokaslr tsc=reliable"
	words+=" panic=-1 oops=panic rcupdate.rcu_cpu_stall_timeout=60"
	words+=" watchdog_thresh=30"	# soft lockups of 60 s; the host may be busy
	# It takes entries away when it pleases, and tests count faults.
	words+=" numa_balancing=disable"
	words+=" secretmem.enable=1 slub_nomerge log_buf_len=4M"
	words+=" hugepages=16 brd.rd_size=65536"
	qemu+=(-kernel "$kernel" -initrd "$initramfs" -append "$words $append")
	qemu+=(-fsdev "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap"
		-device "virtio-9p-pci,fsdev=root,mount_tag=hostroot"
		-fsdev "local,id=job,path=$dir/$g/job,security_model=none"
		-device "virtio-9p-pci,fsdev=job,mount_tag=job"
		-chardev "stdio,id=console,signal=off" -serial chardev:console)
}

guest_boot() { # GUEST
	local g=$1 job=$dir/$1/job f

	rm -f "$job"/{out,err,ready,fail,splat,status,end,dmesg,note,uptime}
	: > "$job/out" && : > "$job/err"
	chmod 666 "$job/out" "$job/err"
	guest_qemu "$g"
	setpriv --pdeathsig KILL -- "${qemu[@]}" \
		<> "$dir/$g/stdin" > "$dir/$g/console" 2> "$dir/$g/qemu.err" &
	qemu_pid[$g]=$!
	lab_pids+=($!)
	boots[$g]=$((${boots[$g]-0} + 1))

	# Guest 0 is the one that prints; tail ends when QEMU has.
	tail_pids[$g]=
	if ((g == 0)); then
		for f in 1 2; do
			tail -q -f -s 0.1 -c +1 --pid="${qemu_pid[$g]}" \
				"$job/$([[ $f = 1 ]] && echo out || echo err)" \
				>&"$f" 2> /dev/null &
			tail_pids[$g]+=" $!"
		done
	fi
	[[ -z ${XNUMA_LAB_VERBOSE-} ]] ||
		tail -q -f -s 0.1 -c +1 --pid="${qemu_pid[$g]}" "$dir/$g/console" >&2 &
}

guests_boot() {
	local g

	for ((g = 0; g < guests; g++)); do
		guest_boot "$g"
	done
	began=$EPOCHREALTIME
}

guest_alive() { # GUEST
	kill -0 "${qemu_pid[$1]}" 2> /dev/null
}

guest_kill() { # GUEST
	kill -KILL "${qemu_pid[$1]}" 2> /dev/null
	wait "${qemu_pid[$1]}" 2> /dev/null
}

# A guest is gone: lost before its ready word it may try again.
guest_gone() { # GUEST WHY
	local g=$1 pid

	guest_kill "$g"
	for pid in ${tail_pids[$g]}; do
		wait "$pid"
	done
	if [[ -e $dir/$g/job/ready || -e $dir/$g/job/fail ]] ||
		((boots[$g] >= BOOTS)); then
		gone[$g]=$2
		return
	fi
	say "guest $g $2 before it was ready: boot $((boots[$g] + 1)) of $BOOTS"
	tail -n 5 "$dir/$g/console" "$dir/$g/qemu.err" | sed 's/^/lab: | /' >&2
	limit[$g]=$((SECONDS + BOOT_LIMIT))
	guest_boot "$g"
}

# Asks a guest that is over time what its processes wait for.
guest_dump() { # GUEST
	local i tick

	exec {tick}<> "$dir/tick"
	echo dump > "$dir/$1/stdin"
	for ((i = 0; i < 50; i++)); do
		[[ ! -e $dir/$1/job/dumped ]] || break
		read -rt 0.1 -u "$tick"
	done
	exec {tick}<&-
}

# Returns when every guest is gone; its way to go is in gone[].
guests_watch() {
	local g tick left=$guests
	local -A limit started

	mkfifo "$dir/tick"
	exec {tick}<> "$dir/tick"
	for ((g = 0; g < guests; g++)); do
		limit[$g]=$((SECONDS + BOOT_LIMIT))
	done
	while ((left)); do
		read -rt 0.1 -u "$tick"	# a sleep without a process
		left=0
		for ((g = 0; g < guests; g++)); do
			[[ -z ${gone[$g]-} ]] || continue
			left=$((left + 1))
			if ! guest_alive "$g"; then
				guest_gone "$g" "ended"
			elif [[ -z ${started[$g]-} && -e $dir/$g/job/ready ]]; then
				started[$g]=1
				limit[$g]=$((SECONDS + timeout))
				verbose "guest $g ready after" \
					"$(bc_sub "$EPOCHREALTIME" "$began") s," \
					"guest uptime $(< "$dir/$g/job/uptime") s"
			elif ((SECONDS >= limit[$g])); then
				[[ -z ${started[$g]-} ]] || guest_dump "$g"
				guest_gone "$g" "timed out"
			fi
		done
	done
	exec {tick}<&-
}

# The difference of two $EPOCHREALTIME.
bc_sub() {
	local us=$((${1/[.,]/} - ${2/[.,]/}))

	printf '%d.%02d' $((us / 1000000)) $((us % 1000000 / 10000))
}
