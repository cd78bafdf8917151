# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# initramfs.sh - the kernel to boot and its first root: busybox, init, guest,
# splats and the few modules that reach the host's root. Part of lab.

# The release of a bzImage: its header says where the text is.
kernel_release() {
	local off

	off=$(od -An -tu2 -j 526 -N 2 "$1" 2> /dev/null) || return
	tail -c +$((off + 513)) "$1" | head -c 200 | tr '\0' ' ' | cut -d ' ' -f 1
}

# Sets kernel, kver and moddir (empty: a kernel without modules). Modules may
# also lie beside the image, in lib/modules/RELEASE.
kernel_find() {
	local image

	if [[ -z $kernel ]]; then
		while read -r image; do
			[[ -d /lib/modules/${image#/boot/vmlinuz-} ]] &&
				kernel=$image && break
		done < <(printf '%s\n' /boot/vmlinuz-* | sort -rV)
		[[ $kernel ]] || refuse "no kernel with modules in /boot; see --kernel"
	fi
	[[ -r $kernel ]] || refuse "--kernel: cannot read $kernel"
	kernel=$(realpath "$kernel")
	kver=$(kernel_release "$kernel")
	[[ $kver =~ ^[0-9]+\.[0-9] ]] || refuse "--kernel: $kernel is no bzImage"
	for moddir in "${kernel%/*}/lib/modules/$kver" "/lib/modules/$kver" ''; do
		[[ -z $moddir || -f $moddir/modules.dep ]] && break
	done
}

# Prints the files of the needed modules, dependencies first.
initramfs_modules() {
	local m

	[[ $moddir ]] || return 0
	for m in virtio_pci 9p 9pnet_virtio overlay; do
		modprobe -d "${moddir%/lib/modules/*}/" -S "$kver" \
			--show-depends "$m" || return
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

initramfs_module_copy() { # FROM TO
	case $1 in
	*.xz) xz -dc "$1" > "$2" ;;
	*.zst) zstd -qdc "$1" > "$2" ;;
	*.gz) gzip -dc "$1" > "$2" ;;
	*) cp "$1" "$2" ;;
	esac
}

initramfs_build() { # TREE
	local path name

	mkdir -p "$1"/{bin,modules,proc,sys,dev,host,rw,root} &&
		cp "$(command -v busybox)" "$1/bin/busybox" &&
		cp "$here/init" "$here/guest" "$here/splats" "$1/" &&
		chmod 755 "$1/init" || return
	initramfs_modules > "$1/list" || return
	while read -r path; do
		name=${path##*/}
		name=${name%.ko*}.ko
		initramfs_module_copy "$path" "$1/modules/$name" || return
		echo "$name"
	done < "$1/list" > "$1/modules/order"
}

# Sets initramfs: a file in the cache, keyed by all that goes into it. Two labs
# may build the same one at once: each its own, then rename.
initramfs_find() {
	local cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/xpmem_numa key tree

	mkdir -p "$cache" 2> /dev/null && [[ -w $cache ]] ||
		cache=${TMPDIR:-/tmp}/xpmem_numa-cache-$UID
	mkdir -p "$cache" || refuse "cannot make $cache"
	key=$({
		cat "$here/init" "$here/guest" "$here/splats" "$here/initramfs.sh"
		stat -Lc '%n %s %Y' "$kernel" "$(command -v busybox)"
		echo "$kver $moddir"
		[[ -z $moddir ]] || stat -c '%s %Y' "$moddir/modules.dep"
	} | sha256sum)
	initramfs=$cache/initramfs-$kver-${key:0:16}
	touch -c "$initramfs" 2> /dev/null
	[[ ! -s $initramfs ]] || return 0

	tree=$(mktemp -d "$cache/build.XXXXXX") || refuse "cannot write in $cache"
	if initramfs_build "$tree/root" &&
		(cd "$tree/root" && find . | cpio -o -H newc -R +0:+0 --quiet) \
			> "$tree/cpio" &&
		mv -f "$tree/cpio" "$initramfs"; then
		rm -rf "$tree"
	else
		rm -rf "$tree"
		refuse "cannot build the initramfs for $kver"
	fi
	find "$cache" -name 'initramfs-*' -mtime +14 -delete
}
