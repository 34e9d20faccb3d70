#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# word_count_test.sh WORD_COUNT LAMELLAR_RUN
#
# The word count example must give exactly the answer of tr | sort | uniq -c: alone, on PEs that are threads of one
# process, and on PEs that are processes; for the texts of this system and for files that are awkward to divide.
set -euo pipefail
export LC_ALL=C
word_count=$1
lamellar_run=$2
scratch=$(mktemp -d "${TMPDIR:-/tmp}/lamellar-word-count-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
failures=0

fail() {
  echo "FAILED: $*" >&2
  failures=$((failures + 1))
}

# The counts of all words in the files named on stdin, the most frequent first.
reference() {
  while IFS= read -r file; do
    tr -cs A-Za-z '\n' < "$file"
    echo
  done | tr A-Z a-z | { grep . || true; } | sort | uniq -c | sort -k1,1nr -k2,2
}

# check WHAT EXPECTED COMMAND...: the words that the command prints, and its totals.
check() {
  local what=$1 expected=$2
  shift 2
  if ! timeout 120 "$@" > "$scratch/out" 2> "$scratch/err"; then
    fail "$what: exit code not 0"
    cat "$scratch/out" "$scratch/err" >&2
    return
  fi
  grep -E '^ *[0-9]+ [a-z]+$' "$scratch/out" > "$scratch/counts" || true
  if ! cmp -s "$scratch/counts" "$expected"; then
    fail "$what: other counts than tr | sort | uniq -c"
    diff "$scratch/counts" "$expected" | head -20 >&2 || true
  fi
  local totals
  totals=$(awk '{ words += $1 } END { printf "%d words, %d of them distinct,", words, NR }' "$expected")
  grep -q "^$totals" "$scratch/out" || fail "$what: totals are not '$totals'"
  if grep -q $'\r' "$scratch/err"; then
    fail "$what: a progress bar although stderr is no terminal"
  fi
}

# check_all WHAT EXPECTED FILE...: the same on all kinds and numbers of PEs.
check_all() {
  local what=$1 expected=$2
  shift 2
  check "$what, alone" "$expected" "$word_count" --top 1000000000 "$@"
  for pes in 3 4 7; do
    check "$what, $pes threads" "$expected" \
      env LAMELLAR_PES=$pes "$word_count" --top 1000000000 "$@"
  done
  for pes in 1 4; do
    check "$what, $pes processes" "$expected" \
      "$lamellar_run" -n "$pes" "$word_count" --top 1000000000 "$@"
  done
}

# check_refusal WHAT FILE: every way to run must end with a failure that names the file.
check_refusal() {
  for launch in "" "env LAMELLAR_PES=3" "$lamellar_run -n 3"; do
    if timeout 60 $launch "$word_count" "$2" > "$scratch/out" 2> "$scratch/err"; then
      fail "$1: accepted by '$launch'"
    elif ! grep -qF "$2" "$scratch/err"; then
      fail "$1: the complaint does not name the file"
      cat "$scratch/err" >&2
    fi
  done
}

cd "$scratch"
printf 'one two\r\nTwo three\r\n\r\nTHREE three\r\n' > crlf
printf 'the last word has no line end' > unfinished
printf 'starts where the other ends' > next
: > empty
printf 'x' > letter
printf '\n\n\n' > blank
head -c 200000 /dev/zero | tr '\0' 'a' > one_word
awk 'BEGIN { srand(1); for (i = 0; i < 60000; ++i) printf "w%c%c ", 97 + 26 * rand(), 65 + 26 * rand() }' > one_line
head -c 400000 "$word_count" > junk
printf 'na\303\257ve caf\351 \377\376\0word\0' > bytes

for files in crlf unfinished empty letter blank one_word one_line junk bytes \
  "unfinished next unfinished empty empty letter letter blank next"; do
  # The names hold no blanks: a list of them splits as meant.
  printf '%s\n' $files | reference > expected
  check_all "$files" expected $files
done

find -L /usr/share/common-licenses /usr/share/doc/*/copyright -maxdepth 1 -type f -size -262145c -exec readlink -f {} + |
  sort -u > texts
reference < texts > expected
check_all "the texts of this system" expected

check_refusal "a missing file" "$scratch/missing"
check_refusal "a directory" "$scratch"
mkfifo pipe
check_refusal "a pipe" "$scratch/pipe"

if [ "$failures" -ne 0 ]; then
  echo "$failures checks failed" >&2
  exit 1
fi
echo "all counts are those of tr | sort | uniq -c"
