# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# archive.sh - packages of other Debian releases, unpacked beside this system.
# Part of debian-kernel and debian-root, which set two folders:
#
#	cache		cache/apt has lists and packages, shared by the releases
#	apt		settings of one release, and what apt said last
#
# The archive is asked by apt with folders, sources and settings of its own, so
# that nothing is installed here and no source is added; what comes is signed.
# shellcheck disable=SC2154 # cache, apt and left_out are the caller's

readonly MIRROR=http://deb.debian.org/debian
readonly SECURITY=http://security.debian.org/debian-security
readonly KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# The host's way to the net, and nothing else that is set for it.
apt_prepare() { # SUITE...
	local suite

	mkdir -p "$apt/etc/preferences.d" "$cache"/apt/{lists,archives}/partial ||
		return
	{
		apt-config dump | grep '^Acquire::'
		cat <<-END
			Dir::State "$cache/apt";
			Dir::State::status "$apt/status";
			Dir::Cache "$cache/apt";
			Dir::Cache::pkgcache "";
			Dir::Cache::srcpkgcache "";
			Dir::Etc "$apt/etc";
			Dir::Etc::parts "/dev/null";
			Dir::Etc::sourceparts "/dev/null";
			Dir::Etc::trustedparts "/dev/null";
			APT::Architecture "amd64";
			APT::Architectures { "amd64"; };
			APT::Install-Recommends "false";
			APT::Sandbox::User "root";
			APT::Get::List-Cleanup "false";
			Acquire::Languages "none";
			Acquire::Retries "3";
		END
	} > "$apt/conf" || return
	for suite; do
		echo "deb [signed-by=$KEYRING] $MIRROR $suite main"
		case $suite in
		sid | unstable | experimental | *-backports) ;;
		*) echo "deb [signed-by=$KEYRING] $SECURITY $suite-security main" ;;
		esac
	done > "$apt/etc/sources.list"
	: > "$apt/status"
}

apt() { # apt-get|apt-cache|... ARG...
	local tool=$1

	shift
	APT_CONFIG=$apt/conf DEBIAN_FRONTEND=noninteractive "$tool" -q "$@"
}

apt_update() {
	apt apt-get update --allow-releaseinfo-change > "$apt/log" 2>&1 &&
		! grep -E '^(Err|W: Failed)' "$apt/log"
}

field() { # PACKAGE FIELD
	apt apt-cache show --no-all-versions "$1" | sed -n "s/^$2: //p"
}

# Unpacks packages and what they need but the packages PROVIDED. Nothing of
# them is run. left_out: further arguments of tar.
unpack() { # FOLDER PROVIDED PACKAGE...
	local to=$1 stub=$2 package version deb

	shift 2
	cat > "$apt/status" <<-END
		Package: archive-stub
		Status: install ok installed
		Architecture: all
		Maintainer: none <none@localhost>
		Version: 1
		Description: what is done without
		Provides: $stub
	END
	apt apt-get -y --download-only install "$@" > "$apt/log" 2>&1 || return
	apt apt-get -s install "$@" | awk '$1 == "Inst" {
			gsub(/[()]/, "")
			print $2, $3
		}' > "$apt/packages"
	while read -r package version; do
		deb=("$cache/apt/archives/${package}_${version//:/%3a}"_*.deb)
		dpkg-deb --fsys-tarfile "${deb[0]}" |
			tar -x -C "$to" --keep-directory-symlink --no-same-owner \
				--exclude='./usr/share/[dilm]*' "${left_out[@]}" ||
			return
	done < "$apt/packages"
}

merged_usr() { # FOLDER
	local name

	for name in bin sbin lib lib64; do
		mkdir -p "$1/usr/$name" && ln -s "usr/$name" "$1/$name" || return
	done
}
