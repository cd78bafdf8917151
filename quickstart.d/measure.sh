# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# measure.sh - what the lab and this machine measure. Part of quickstart.
# shellcheck disable=SC2154 # quickstart sets top, build and logs

# The kernel that the module was built for.
lab_kernel() {
	local kernel

	[[ -z ${XNUMA_LAB_KERNEL-} ]] || return 0
	kernel=$(kernel_newest) || return 0
	export XNUMA_LAB_KERNEL=/boot/vmlinuz-$kernel
}

lab() {
	lab_kernel
	XNUMA_BUILDDIR=$build "$top/tests/lab/lab" "$@"
}

# The tables are what the driver prints beside its progress.
tables_show() { # FUNCTION
	echo
	grep -Ev '^(bench|lab): ' "$logs/$1.log"
}

guest_demo() {
	lab --timeout 1200 -- "$top/tests/bench/run" --port kmod --rounds 2 \
		--batches 4 --iterations 500 --limit 20 --calls "8 64K 1M"
}

# Bounded in time, also where others work; the best of many short batches is
# that of the quiet moments.
# shellcheck disable=SC2120 # the options are bench's
guest_bench() {
	lab --timeout 3600 -- "$top/tests/bench/run" --port kmod \
		--batches 5 --limit 40 "$@"
}

# shellcheck disable=SC2120 # the options are kmod's
guest_count() {
	lab_kernel
	XNUMA_BUILDDIR=$build "$top/tests/bench/kmod" "$@"
}

# Open MPI asks root for these two words.
native_bench() {
	eval "$(env_print)"
	export XNUMA_BUILDDIR=$build
	((EUID)) || export OMPI_ALLOW_RUN_AS_ROOT=1 \
		OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
	"$top/tests/bench/run" --port user --batches 5 --limit 20 "$@"
}

native_queue() {
	"$build/tests/bench/queue"
}

native_scale() {
	XNUMA_PORT=user "$build/tests/bench/scale"
}

guest_touch() {
	lab --timeout 1800 --nodes 4 --cpus 4 --mem 5G -- \
		"$build/tests/bench/first-touch"
}
