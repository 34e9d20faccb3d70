#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# sort_file_test.sh SORT_FILE LAMELLAR_RUN
#
# The example that sorts files must write exactly what sort(1) does in the C locale: alone, on PEs that are threads of one
# process, and on PEs that are processes, also where the files are larger than the heap of one PE.
set -euo pipefail
export LC_ALL=C
sort_file=$1
lamellar_run=$2
scratch=$(mktemp -d "${TMPDIR:-/tmp}/lamellar-sort-file-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
failures=0

# check WHAT EXPECTED COMMAND...: the command leaves $scratch/out as expected.
check() {
  local what=$1 expected=$2
  shift 2
  rm -f "$scratch/out"
  if ! timeout 120 "$@" > "$scratch/said" 2>&1; then
    echo "FAILED: $what: exit code not 0" >&2
    cat "$scratch/said" >&2
    failures=$((failures + 1))
  elif ! cmp "$scratch/out" "$expected"; then
    echo "FAILED: $what: not what sort(1) writes" >&2
    failures=$((failures + 1))
  fi
}

# lines N SEED: random lines of up to 40 characters, many of them equal; records N SEED: of 99 characters and LF.
lines() { awk -v n="$1" -v s="$2" 'BEGIN { srand(s); for (i = 0; i < n; i++) {
  m = int(rand() * 5) * 10; t = int(rand() * 1000); for (j = 0; j < m; j += 8) t = t sprintf("%08x", rand() * 4294967295)
  print substr(t, 1, m) } }'; }
records() { awk -v n="$1" -v s="$2" 'BEGIN { srand(s); for (i = 0; i < n; i++)
  printf "%010d%089d\n", int(rand() * 5000), i }'; }

lines 60000 1 > "$scratch/lines"
printf 'no line end' | cat <(lines 500 2) - > "$scratch/more"
: > "$scratch/none"
records 100000 3 > "$scratch/records"  # 10 MB
sort "$scratch/lines" <(cat "$scratch/more"; echo) > "$scratch/lines.expected"
sort -s -k1.1,1.10 "$scratch/records" > "$scratch/records.expected"

text=("$sort_file" "$scratch/lines" "$scratch/none" "$scratch/more" "$scratch/out")
binary=("$sort_file" --records "$scratch/records" "$scratch/out")
for pes in 1 2 5; do
  check "lines, $pes threads" "$scratch/lines.expected" env LAMELLAR_PES=$pes LAMELLAR_THREADS=1 "${text[@]}"
  check "records, $pes threads" "$scratch/records.expected" env LAMELLAR_PES=$pes LAMELLAR_THREADS=1 "${binary[@]}"
done
check "lines, 3 processes" "$scratch/lines.expected" "$lamellar_run" -n 3 "${text[@]}"
check "records, 4 processes of 4 MiB of heap" "$scratch/records.expected" \
  env LAMELLAR_HEAP_SIZE=4M LAMELLAR_THREADS=1 "$lamellar_run" -n 4 "${binary[@]}"
check "nothing" "$scratch/none" env LAMELLAR_PES=2 "$sort_file" "$scratch/none" "$scratch/out"

[ "$failures" -eq 0 ] && echo "sort_file agrees with sort(1)"
exit "$((failures > 0))"
