# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# build.sh - packages, configure, make. Part of quickstart.
#
# $top is the source tree, $build the build tree, $logs its folder for logs.
# shellcheck disable=SC2154 # quickstart sets top, build and logs

packages_listed() {
	sed 's/#.*//' "$top/quickstart.d/packages" | tr -s '[:space:]' '\n' |
		grep .
}

# Sets missing.
packages_missing() {
	missing=()
	command -v dpkg-query > /dev/null || return 0
	mapfile -t missing < <(comm -13 \
		<(dpkg-query -W -f '${db:Status-Status} ${Package}\n' |
			sed -n 's/^installed //p' | sort -u) \
		<(packages_listed | sort -u))
}

as_root() {
	if ((EUID == 0)); then
		"$@"
	else
		sudo -n "$@"
	fi
}

packages_install() {
	local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y)

	packages_missing
	((${#missing[@]})) || return 0
	echo "missing: ${missing[*]}"
	if ((EUID != 0)) && ! sudo -n true; then
		echo "Become root once: apt-get install --no-install-recommends" \
			"${missing[*]}"
		return 1
	fi
	as_root "${apt[@]}" update &&
		as_root "${apt[@]}" install --no-install-recommends "${missing[@]}"
}

# The newest installed kernel with headers: what the lab boots.
kernel_newest() {
	local image dir

	while read -r image; do
		dir=/lib/modules/${image#/boot/vmlinuz-}
		[[ -f $dir/build/Makefile && -d $dir/kernel ]] || continue
		echo "${image#/boot/vmlinuz-}"
		return
	done < <(printf '%s\n' /boot/vmlinuz-* | sort -rV)
	return 1
}

# sudo may ask for a password; later on it has no terminal.
packages_allow() {
	packages_missing
	((${#missing[@]} == 0 || EUID == 0)) || [[ ! -t 0 ]] || sudo -v
}

# Configures anew when there is another kernel than last time.
tree_configure() {
	local kernel linux ucx=no

	kernel=$(kernel_newest) || kernel=
	linux=${kernel:+/lib/modules/$kernel/build}
	: "${linux:=no}"
	if [[ ! -x $top/configure ]]; then
		(cd "$top" && autoreconf -fi) || return
	fi
	[[ ! -f $build/Makefile || $(< "$build/linux-dir") != "$linux" ]] ||
		return 0
	ucx_unpack && ucx=$build/ucx/source
	(cd "$build" && "$top/configure" --with-linux-dir="$linux" \
		--with-ucx-source="$ucx") &&
		echo "$linux" > "$build/linux-dir"
}

tree_build() {
	make -C "$build" -j"$(nproc)"
}

# What every command but clean and help needs first; three steps.
build_steps() {
	mkdir -p "$logs" && packages_allow || return
	step "packages" packages_install &&
		step "configuring" tree_configure &&
		step "building" tree_build
}
