# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# ucx.sh - the source of the UCX that is installed, for its headers. Part of
# quickstart.
#
# $build is the build tree. apt is asked with a source of its own, so that none
# is added to this system; what comes is signed.
# shellcheck disable=SC2154 # quickstart sets build

readonly UCX_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

ucx_apt() { # ARG...
	apt-get -q -o Dir::State::Lists="$build/ucx/lists" \
		-o Dir::Etc::SourceList="$build/ucx/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
		-o APT::Sandbox::User=root -o Acquire::Retries=3 "$@"
}

ucx_sources() {
	local codename

	# shellcheck source=/dev/null
	codename=$(. /etc/os-release && echo "$VERSION_CODENAME") || return
	cat <<-END
		deb-src [signed-by=$UCX_KEYRING] http://deb.debian.org/debian $codename main
		deb-src [signed-by=$UCX_KEYRING] http://security.debian.org/debian-security $codename-security main
	END
}

# Unpacked in $build/ucx/source, once for each version.
ucx_unpack() {
	local version

	version=$(dpkg-query -W -f '${source:Version}' libucx-dev) || return
	[[ ! -f $build/ucx/source/VERSION.package ||
		$(< "$build/ucx/source/VERSION.package") != "$version" ]] || return 0
	rm -rf "$build/ucx"
	mkdir -p "$build/ucx/lists/partial" &&
		ucx_sources > "$build/ucx/sources.list" && ucx_apt update &&
		(cd "$build/ucx" && ucx_apt source "ucx=$version") &&
		mv "$build"/ucx/ucx-*/ "$build/ucx/source" &&
		echo "$version" > "$build/ucx/source/VERSION.package"
}
