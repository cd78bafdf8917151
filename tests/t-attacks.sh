#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Description: the tests that doc/attacks.md names exist, and all rows have some

# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/functions.sh"
doc=$srcdir/../doc/attacks.md
lists=$srcdir/Makefile.am

# One line "ROW PROGRAM<tab>SENTENCE" for each sentence of the table.
named() { # FILE
	awk -F '|' '/^\| [0-9]+ \|/ {
		program = ""
		rest = $4
		while (match(rest, /`[gt]-[a-z-]+`|"[^"]+"/)) {
			word = substr(rest, RSTART + 1, RLENGTH - 2)
			if (substr(rest, RSTART, 1) == "`")
				program = word
			else
				print $2 + 0, program "\t" word
			rest = substr(rest, RSTART + RLENGTH)
		}
	}' "$1"
}

# Prints what is named and is not there.
missing() { # FILE
	local row program sentence

	named "$1" | while IFS=$'\t' read -r row sentence; do
		program=${row#* }
		row=${row%% *}
		[[ $program ]] || echo "row $row: no program for \"$sentence\""
		[[ -f $srcdir/$program.c ]] || echo "row $row: no $program.c"
		grep -Eq "^\s+$program \\\\$" "$lists" ||
			echo "row $row: $program is not in Makefile.am"
		grep -Fq "\"$sentence\"" "$srcdir/$program.c" ||
			echo "row $row: $program has no \"$sentence\""
	done
}

all_there() { # FILE
	local said

	said=$(missing "$1")
	[[ -z $said ]] || { echo "$said" && return 1; }
}

# 24 rows, each with a test or the reason why there is none.
all_rows() { # FILE
	local row bad=0

	for row in {1..24}; do
		named "$1" | grep -q "^$row " ||
			grep -Eq "^\| $row \|.*\| none yet: partitions \|$" "$1" ||
			{ echo "row $row has no test" && bad=1; }
	done
	return $bad
}

breaks() { # COMMAND SED
	sed -E "$2" "$doc" > "$tmp/attacks.md"
	! cmp -s "$doc" "$tmp/attacks.md" && ! "$1" "$tmp/attacks.md" > "$tmp/said" &&
		[[ -s $tmp/said ]]
}

check "each test that attacks.md names exists" all_there "$doc"
check "... and a program that does not would be seen" breaks all_there \
	's/`g-reuse`/`g-reused`/'
check "... as would a sentence" breaks all_there 's/"30,000 guesses/"3 guesses/'
check "each row has a test or is about partitions" all_rows "$doc"
check "... and a row without would be seen" breaks all_rows \
	's/^(\| 22 \|[^|]*\|).*/\1 |/'
tap_done
