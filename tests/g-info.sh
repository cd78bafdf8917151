#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: xnuma-info with the module

# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
info=$XNUMA_BUILDDIR/tools/xnuma-info
requires test -x "$info"
requires python3 --version
requires test -c /dev/xpmem_numa
echo "# no-faults: looks at others"
echo "# limit: 300"

# says REGEX...: each is a line of what was printed last
says() {
	local regex

	for regex; do
		grep -qE "$regex" "$tmp/out" && continue
		echo "not there: $regex"
		cat "$tmp/out"
		return 1
	done
}

show() {
	"$info" "${options[@]}" > "$tmp/out"
}

# as_user COMMAND: without privileges
as_user() {
	setpriv --reuid=1001 --regid=1001 --clear-groups "$@"
}

counters() {
	sed -n '/^counters/,/^$/s/^  \([a-z_]*\) .*/\1/p' "$tmp/out" | sort |
		diff <(ls /sys/class/misc/xpmem_numa/stats | sort) -
}

# A line of them that has none is a line too few.
meanings() {
	sed -n '/^counters/,/^$/s/^  \([a-z_]*\) \+[0-9]\+ \+[A-Za-z0-9].*/\1/p' \
		"$tmp/out" | sort |
		diff <(ls /sys/class/misc/xpmem_numa/stats | sort) -
}

limit() {
	local file=/sys/module/xpmem_numa/parameters/max_denials

	echo 77 > $file
	show
	echo 262144 > $file
	says "^  max_denials +77 +$file"
}

# Without permission it is known that there is a module, and what it counts.
refused() {
	local status

	chmod 0600 /dev/xpmem_numa
	as_user "$info" > "$tmp/out"
	status=$?
	chmod 0666 /dev/xpmem_numa
	says '^  present +yes' '^  error +no permission to open' \
		'^  name +user' 'exports that exist' && [[ $status = 1 ]]
}

json() {
	"$info" --json "${options[@]}" | python3 -m json.tool > /dev/null
}

# A process that exports its memory and imports it, until it is killed.
cat > "$tmp/owner" << 'END'
import fcntl, os, signal, struct, sys
fd = os.open("/dev/xpmem_numa", os.O_RDWR)
export = bytearray(64)
export[16:20] = struct.pack("I", 3)	# READ | WRITE
fcntl.ioctl(fd, 0xc040e701, export)
id = struct.unpack("Q", export[48:56])[0]
arg = bytearray(struct.pack("QIII", id, 0, 1, 1) + bytes(44))
fcntl.ioctl(fd, 0xc040e703, arg)
with open(sys.argv[1] + ".new", "w") as f:
    f.write("%016x\n" % id)
os.rename(sys.argv[1] + ".new", sys.argv[1])
signal.pause()
END

owner_start() {
	python3 "$tmp/owner" "$tmp/id" &
	owner=$!
	cleanup_fn kill "$owner"
	for ((i = 0; i < 900; i++)); do
		[[ ! -s $tmp/id ]] || break
		sleep 0.1
	done
	read -r id < "$tmp/id"
	options=(--pid "$owner")
}

# A stranger may not look at it.
process_refused() {
	as_user "$info" "${options[@]}" > "$tmp/out"
	[[ $? = 2 ]]
}

options=()
check "the port kmod can be used" show
check "... and is, by this module" says '^  present +yes' '^  abi +1$' '^  features +poison  deny  pmd' \
	'^  fabric +[0-9a-f]{32}$' '^  usable +yes$' '^  name +kmod$'
check "nodes are as far as the library thinks" \
	says '^  - node 0  distances 1  2$' '^  - node 1  distances 2  1$'
check "every counter is shown" counters
check "... with its meaning" meanings
check "a limit is shown, and the file where it is set" limit
check "a user without permission is told so" refused
check "a user with permission can use it" as_user "$info"
owner_start
check "--pid shows a process" show
check "... its export" \
	says "^    - fd 3  handle 1  range 0-[0-9a-f]+  rights rw  state active  id $id  counters .*metadata [1-9]"
check "... its import, and whose it is" \
	says "^    - fd 3  handle 2  range .*  rights r  state active  id $id  number [0-9]+  owner $owner  counters"
check "... and as JSON" json
check "another user's process is not shown" process_refused
tap_done
