# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# env.sh - how mpirun and UCX find what lies in the build tree. Part of
# quickstart.
# shellcheck disable=SC2154 # quickstart sets top and build

# Open MPI finds no component at all when a folder of the path is missing.
component_path() {
	local path=$build/ompi-btl/.libs

	[[ ! -d $build/ompi-hook/.libs ]] || path+=:$build/ompi-hook/.libs
	path+=:SYS_DEFAULT
	[[ ! -d ~/.openmpi/components ]] || path+=:USER_DEFAULT
	echo "$path"
}

# Since 5.0 PMIx would take Open MPI's path as well; see xpmem-numa-env.
pmix_path() {
	sed -n "s/^pmix='\([^']*\)'.*/\1/p" "$build/tools/xpmem-numa-env" 2> /dev/null
}

ucx_loader() {
	echo "$build/ucx-tl/.libs/libuct_xpmemnuma.so.0"
}

# For Open MPI's hook and for xpmem-numa-run; each has an installed file else.
env_ucx() {
	env_export OMPI_MCA_hook_xpmem_numa_transport "$(ucx_loader)"
	env_export XNUMA_UCX_LOADER "$(ucx_loader)"
}

# Prints NAME=VALUE lines to be evaluated by any POSIX shell.
env_print() {
	env_export OMPI_MCA_mca_base_component_path "$(component_path)"
	[[ -z $(pmix_path) ]] ||
		env_export PMIX_MCA_mca_base_component_path "$(pmix_path)"
	env_export XNUMA_HELPDIR "$top/ompi-btl"
	env_prepend LD_LIBRARY_PATH "$build/lib/.libs"
	env_prepend PATH "$build/tests/bench:$build/tools"
	[[ ! -e $(ucx_loader) ]] || env_ucx
}

# A single quote cannot stand inside single quotes.
quoted() {
	printf "'%s'" "${1//\'/\'\\\'\'}"
}

env_export() { # NAME VALUE
	echo "export $1=$(quoted "$2")"
}

# Twice the same is once.
env_prepend() { # NAME FOLDER
	local have=${!1-}

	case :$have: in
	*":$2:"*) return ;;
	esac
	echo "export $1=$(quoted "$2${have:+:$have}")"
}
