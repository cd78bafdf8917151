# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# style.sh - rules that a grep can keep; part of t-style.sh
#
# Each function looks at the tree in the current folder, prints what breaks its
# rule, and fails when there is something.

# The files of the project: those git knows, or those of an unpacked archive,
# which may have been configured and built.
files() { # PATTERN
	if [[ -e .git ]]; then
		git -c safe.directory='*' ls-files
	else
		find include kmod lib ompi-btl ompi-smsc ompi-hook ucx-tl tools tests doc quickstart* \
			.ci configure.ac Makefile.am -type f ! -path '*/.*' \
			! -name '*.mod.c' ! -name '*.o' 2> /dev/null
	fi | grep -E "$1" | grep -vE '^(LICENSES|build-aux|m4)/' |
		while IFS= read -r file; do
			[[ ! -f $file ]] || echo "$file"
		done
}

sources() {
	files '\.[ch]$'
}

scripts() {
	local file

	files . | while IFS= read -r file; do
		case $file in
		*.sh) echo "$file" ;;
		*) head -n 1 "$file" | tr -d '\0' | grep -qE '^#!.*sh$' &&
			echo "$file" ;;
		esac
	done
}

none() {
	! grep .
}

# includes FOLDER PATTERN: lines of FOLDER's sources that include a match
includes() {
	sources | grep "^$1/" |
		xargs -r grep -nE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]$2[\">]"
}

# kmod -> include/xpmem_numa.h; lib -> include; plugins and tools -> xnuma.h
rule_kmod_includes() {
	includes kmod '.*' |
		grep -vE '[<"](linux|asm|trace|uapi)/|"[a-z_]+\.h"' | none &&
		includes kmod '(.*/)?xnuma\.h' | none
}

rule_lib_includes() {
	includes lib '(.*/)?(opal|ompi|uct|ucs|ucp)[/_].*' | none
}

rule_plugin_includes() {
	local dir

	for dir in ompi-btl ompi-smsc ompi-hook ucx-tl tools; do
		includes "$dir" '(.*/)?xpmem_numa\.h'
		includes "$dir" '.*(kmod|lib|ompi-btl|ompi-smsc|ompi-hook|ucx-tl)/.*'
	done | none
}

rule_plugin_calls() {
	sources | grep -E '^(ompi-btl|ompi-smsc|ompi-hook|ucx-tl|tools)/' |
		xargs -r grep -nwE 'ioctl|mmap|process_vm_readv' | none
}

rule_spdx() {
	local file

	files '\.([chs]|sh|am|ac|map|[0-9])$|^quickstart$|^kmod/Makefile$|Kbuild$' |
		while IFS= read -r file; do
			head -n 3 "$file" | grep -q SPDX-License-Identifier: ||
				echo "$file: no SPDX line"
		done | none
}

rule_licence() {
	local file want have

	sources | while IFS= read -r file; do
		case $file in
		tests/lab/standin/*) want='GPL-2.0' ;;
		kmod/*) want='GPL-2.0-only' ;;
		include/xpmem_numa.h)
			want='((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)' ;;
		*) want='BSD-3-Clause' ;;
		esac
		have=$(sed -nE 's,.*SPDX-License-Identifier: (.*),\1,p' "$file" |
			head -n 1)
		have=${have% \*/}
		[[ $have = "$want" ]] || echo "$file: $have, not $want"
	done | none
}

# The interface is one file; so are the words of every error.
rule_length() {
	sources | grep -v '^include/' | xargs -r wc -l |
		awk '$2 != "total" && $1 > 400 { print $2 ": " $1 " lines" }' | none
}

rule_blanks() {
	{ sources && scripts; } | xargs -r grep -nE '[[:space:]]+$' | none
}

rule_marks() {
	{ sources && scripts; } | grep -vx tests/style.sh |
		xargs -r grep -nE 'TODO|FIXME|XXX([^X]|$)' |
		grep -v XXXXXX | none
}

# Parts of a script use variables of the others; busybox's shell is near dash;
# >&"$fd" 2> FILE is taken for two redirections of one descriptor, and
# ((a $op b)) for a mistyped subshell.
rule_shellcheck() {
	scripts | xargs -r shellcheck -x -S warning -e SC2154,SC2034,SC2187,SC2261,SC1105
}

# documented TEXT: the names on standard input are all in TEXT
documented() {
	local name

	sort -u | while IFS= read -r name; do
		grep -qwF -- "$name" "$1" || echo "$1: no $name"
	done
}

# What a user can call, set or pass is in a manual page.
rule_documented() {
	local text

	for text in doc/xnuma.3 doc/design.md; do
		grep -ohE '\bxnuma_[a-z_]+\(' include/xnuma.h | tr -d '(' |
			documented "$text"
	done > "$tmp/documented"
	{
		sed -nE 's/^#define (XPMEM_NUMA_[A-Z_]+)[[:space:]]+_IO.*/\1/p' \
			include/xpmem_numa.h
		sed -nE 's/^module_param(_named|_cb)?\(([a-z_]+),.*/\2/p' kmod/*.c |
			grep -vx mutate	# not in what users build
		sed -nE 's/^[[:space:]]X\(([a-z_]+),.*/\1/p' include/xpmem_numa.h
		sed -nE 's/^TRACE_EVENT\(([a-z]+),.*/\1/p' kmod/trace.h
		grep -ohE '\bXNUMA_(PATH|REVOKED)_[A-Z]+' kmod/trace.h |
			sed 's/.*_//' | tr '[:upper:]' '[:lower:]'
		grep -ohE -e '-E[A-Z]+\b' kmod/ioctl.c kmod/file.c \
			kmod/window.c | tr -d - |
			grep -vxE 'EBUSY|ERESTARTSYS'	# told as EMFILE, EINTR
	} | documented doc/xpmem_numa.4 >> "$tmp/documented"
	grep -ohE '(getenv|environment)\("XNUMA_[A-Z_]+"' lib/*.c ompi-btl/*.c |
		grep -oE 'XNUMA_[A-Z_]+' | documented doc/xnuma.7 >> "$tmp/documented"
	none < "$tmp/documented"
}

rule_manuals() {
	local page

	for page in doc/*.[0-9]; do
		groff -man -Tutf8 -ww -z "$page" 2>&1
	done | none
}

# kernel_doc_find: sets kernel_doc
kernel_doc_find() {
	for kernel_doc in /usr/lib/linux-kbuild-*/scripts/kernel-doc; do
		[[ ! -x $kernel_doc ]] || return 0
	done
	return 1
}

# The members of struct xpmem_numa_stats come from a list.
rule_kernel_doc() {
	sources | grep -E '^(include|kmod)/' |
		xargs -r "$kernel_doc" -none -v 2>&1 |
		grep -E ' (warning|error): ' |
		grep -vE XPMEM_NUMA_STATS_FIELD | none
}
