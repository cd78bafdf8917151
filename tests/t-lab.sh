#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: the lab itself; what a guest can do wrong is told as a failure

# shellcheck disable=SC2317 # functions are called by check
# shellcheck disable=SC2016 # the guest's shell expands what is in quotes
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
requires_lab
lab=$srcdir/lab/lab
kver=$(printf '%s\n' /boot/vmlinuz-* | sort -V | tail -n 1)
kver=${kver#/boot/vmlinuz-}
requires test -f "/lib/modules/$kver/build/Makefile"

# A module that is told what to do wrong, a job folder and a cache of our own:
# the first two boots build the same initramfs at once.
mkdir "$tmp/kmod" "$tmp/tmp" "$tmp/cache" "$tmp/cwd" "$tmp/cwd/programs"
cp "$srcdir"/lab/standin/* "$tmp/kmod"
make -s -C "/lib/modules/$kver/build" M="$tmp/kmod" > "$tmp/make" 2>&1 || {
	diag < "$tmp/make"
	tap_line 1 "the stand-in module is built"
	tap_done
}
export TMPDIR=$tmp/tmp XDG_CACHE_HOME=$tmp/cache XNUMA_LAB_KERNEL=/boot/vmlinuz-$kver
export XNUMA_KMOD=$tmp/kmod/xpmem_numa.ko
unset XNUMA_KMOD_PARAMS XNUMA_LAB_LOG XNUMA_LAB_VERBOSE
cd "$tmp/cwd" || exit
head -c 300000 /dev/urandom > binary
seq 20000 > numbers
here=$PWD

# boot NAME ARG...: run a lab to its end in the background; two at most
boot() {
	local name=$1

	shift
	echo "# boot $name"
	(
		"$lab" "$@" > "$tmp/$name.out" 2> "$tmp/$name.err" < /dev/null
		echo $? > "$tmp/$name.status"
	) &
	while (($(jobs -rp | wc -l) >= 2)); do
		wait -n
	done
}

ended() { # NAME STATUS
	[[ $(< "$tmp/$1.status") = "$2" ]] && return
	echo "exit status $(< "$tmp/$1.status"), not $2"
	tail -n 30 "$tmp/$1.err"
	return 1
}

says() { # NAME TEXT: on the lab's standard error
	grep -qF -- "$2" "$tmp/$1.err" || { cat "$tmp/$1.err" && false; }
}

prints() { # NAME TEXT: on the command's standard output, a whole line
	grep -qxF -- "$2" "$tmp/$1.out" || { head -c 2000 "$tmp/$1.out" && false; }
}

silent() { # NAME TEXT
	! grep -qF -- "$2" "$tmp/$1.out"
}

same() { # NAME FILE
	cmp "$tmp/$1.out" "$2"
}

# Fake test programs for guest-run, named for what must be said of them.
program() { # NAME
	{
		echo '#!/bin/sh'
		echo 'S=/sys/class/misc/xpmem_numa/stats'
		cat
	} > "$tmp/cwd/programs/$1"
	chmod +x "$tmp/cwd/programs/$1"
}

. "$srcdir/lab/t-lab-programs.sh"

# ---- boots ----
boot plain --no-module -- sh -c \
	'cat binary numbers; echo "to stderr" >&2; echo "by name" > /dev/stderr
	 touch written; exit 3'
XNUMA_KMOD_PARAMS='splat=never refuse=0' OMPI_MCA_carried='a b' \
	boot user --user nobody --cpus 4 --nodes 2 -- sh -c \
	'echo user $(id -un); touch ~/x && echo home
	 stat -c "device %a" /dev/xpmem_numa
	 echo param $(cat /sys/module/xpmem_numa/parameters/splat)
	 echo env $OMPI_MCA_carried in $XNUMA_LAB; pwd
	 echo nodes $(ls -d /sys/devices/system/node/node* | wc -l)
	 echo cpus $(nproc); echo swap $(grep -c zram /proc/swaps)
	 kill -SEGV $$'
boot hang --no-module --timeout 3 -- sh -c 'echo begun; sleep 1000; echo over'
# Output takes a moment through its pipe, and a panic waits for nobody.
begin='echo begun; until grep -q begun /run/lab/job/out; do :; done'
boot panic --no-module -- sh -c \
	"$begin"'; echo c > /proc/sysrq-trigger; sleep 10; echo over'
boot lost --no-module -- sh -c \
	"$begin"'; echo o > /proc/sysrq-trigger; sleep 100; echo over'
XNUMA_KMOD_PARAMS=splat=unload boot splat -- echo fine
XNUMA_KMOD_PARAMS=hold=1 boot leak -- echo fine
XNUMA_KMOD_PARAMS=refuse=1 boot refuse -- echo never
boot unborn --no-module --append rdinit=/nothing -- echo never
boot left --icount -- sh -c \
	'setsid sleep 1000 < /dev/xpmem_numa & echo cpus $(nproc)'
boot evicted --append log_buf_len=256K -- sh -c \
	'echo 1 > /sys/class/misc/xpmem_numa/stats/warn; echo oom $(cat /proc/self/oom_score_adj)
	 yes "$(seq -s " " 40)" | head -n 2800 > lines
	 while read -r line; do echo "$line" > /dev/kmsg; done < lines
	 dmesg | grep -q stand-in || echo evicted'
boot run -- "$srcdir/lab/guest-run" --limit 20 programs/*
# a guest that dies while it boots: killed once
"$lab" --no-module -- echo alive > "$tmp/reborn.out" 2> "$tmp/reborn.err" &
reborn=$!
until qemu=$(pgrep -P $reborn -x qemu-system-x86); do
	sleep 0.1
done
kill -KILL "$qemu"
wait $reborn
echo $? > "$tmp/reborn.status"
"$lab" --no-module -- sleep 1000 > "$tmp/term.out" 2>&1 &
term=$!
sleep 3
kill -TERM $term
wait $term
echo $? > "$tmp/term.status"
wait

check "the command's exit status arrives" ended plain 3
check "its output arrives byte by byte" same plain <(cat binary numbers)
check "standard error arrives apart" says plain "to stderr"
check "... also when opened by name" says plain "by name"
check "what it writes stays in the guest" test ! -e written
check "two labs at once share a fresh initramfs" \
	eval '[[ $(ls "$tmp/cache/xpmem_numa" | wc -l) = 1 ]]'

check "death by a signal is 128 + its number" ended user 139
check "... and is named" says user "killed by signal 11 (SIGSEGV)"
check "--user runs as that user" prints user "user nobody"
check "... who has a home" prints user "home"
check "... and may open the device" prints user "device 666"
check "module parameters are passed on" prints user "param never"
check "MCA variables are passed on" prints user "env a b in 1"
check "the command runs in the caller's folder" prints user "$here"
check "--nodes" prints user "nodes 2"
check "--cpus" prints user "cpus 4"
check "there is swap" prints user "swap 1"

check "a hang ends as one" ended hang 98
check "... with what was printed before" prints hang "begun"
check "... and with what the processes wait for" says hang "sleep 1000"
check "a panic is a failure" ended panic 99
check "... with what was printed before" prints panic "begun"
check "... and with its text" says panic "sysrq triggered crash"
check "a guest that goes silently is a failure" ended lost 97
check "... and is not tried twice" eval '! says lost "boot 2" > /dev/null'
check "a splat of a good command's module is a failure" ended splat 99
check "... even at unload" says splat "WARNING: CPU:"
check "... and is shown from its head" says splat "stand-in: told to warn"
check "... to its end" says splat "end trace"
check "a splat that has left the ring buffer is a failure" ended evicted 99
check "... which it has" prints evicted evicted
check "the command is no better to the OOM killer" prints evicted "oom 0"
check "a leaked reference is a failure" ended leak 99
check "... and is named" says leak "a reference was leaked"
check "a module that does not load is a failure" ended refuse 97
check "... with the cause" says refuse "Invalid argument"
check "... and without running the command" silent refuse never
check "a guest that dies before it is ready is booted three times" \
	says unborn "boot 3 of 3"
check "... and lost then" ended unborn 97
check "a guest that dies once while it boots is booted again" ended reborn 0
check "... and counted" says reborn "boot 2 of 3"
check "a process left behind is killed before the module goes" ended left 0
check "... and named" says left "sleep 1000"
check "--icount has one processor" prints left "cpus 1"
check "TERM ends the lab" ended term 143
check "no lab leaves a process" eval '! pgrep -f "qemu.*$tmp"'
check "no lab leaves a file" eval '[[ -z $(ls -A "$TMPDIR") ]]'

# ---- guest-run ----
check "guest-run and lab agree that it fails" ended run 99
judged

# ---- what is refused before anything is started ----
refused() { # TEXT ARG...
	local text=$1

	shift
	"$lab" "$@" > "$tmp/refused.out" 2> "$tmp/refused.err"
	echo $? > "$tmp/refused.status"
	ended refused 96 && says refused "$text"
}
check "several guests" refused "not supported yet" --guests 2 -- true
check "no command" refused "no command" --no-module
check "an unknown option" refused "unknown option: --kvm" --kvm -- true
check "a number that is none" refused "takes a number" --cpus x -- true
check "an unknown user" refused 'no user "no-one-here"' --user no-one-here -- true
check "two processors counting instructions" refused "one processor" \
	--icount --cpus 2 -- true
check "a kernel that is none" refused "is no bzImage" --no-module \
	--kernel "$here/numbers" -- true
XNUMA_KMOD=$tmp/none.ko check "a module that is not there, by name" \
	refused "$tmp/none.ko is missing" -- true
tap_done
