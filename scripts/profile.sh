#!/usr/bin/env bash
# Where obvan's CPU time goes: offline, the ladder of four, the same with its largest rung copied, and four
# cameras with ladders of their own and a program beside them, each for some seconds of 1080p25 film.
# perf looks 999 times a second of CPU time at which thread and which library it is in; a table tells
# it by part, another what of our own code is in it. In the folder are left: NAME.folded (thread;
# library;function and ms, as flame graphs are drawn of), NAME.svg, drawn of that, and perf's own NAME.data.
# Libraries come without their functions' names, so a graph is three steps high.
# Usage: scripts/profile.sh [SECONDS [FOLDER]]     10 and out/profile unless told; OBVAN=FILE profiles another binary
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/figures.sh
. scripts/ladder.sh
. scripts/shows.sh

seconds=${1:-10} folder=${2:-out/profile}
whole_numbers "$seconds"
measured
if ! perf record -q -e cpu-clock -o /dev/null true 2>/dev/null; then
  printf 'profile: there is no perf here that may look (on Debian linux-perf; kernel.perf_event_paranoid 2 or less)\n' >&2
  exit 2
fi
mkdir -p "$folder"
folder=$(realpath "$folder")
work=$(mktemp -d "${TMPDIR:-/tmp}/profile.XXXXXX")
trap 'rm -rf "$work"' EXIT

beside_shows "$work"
copied_show >"$work/copied.show"
five_show four "$seconds" >"$work/five.show"
sed "s|\"[^\"]*bench-1080p25.mp4\"|\"$film\"|" examples/versus.show >"$work/ladder.show"

# Which part of the work a library does in a thread.
parts='
  function part(thread, library) {
    if (library ~ /^libx264/) return "x264"
    if (library ~ /^libswscale/) return "scaling"
    # Of lines come the decoders, of channels the encoder of sound.
    if (library ~ /^(libavcodec|libm\.)/) return thread ~ /^channel/ ? "AAC" : thread ~ /^encode/ ? "rest" : "decoding"
    if (library ~ /^\[/) return "kernel"
    if (library ~ /^(libgst|libglib|libgobject|libgio|liborc)/) return "GStreamer"
    if (library ~ /^ld-/) return "loading"
    if (library == "obvan") return "obvan"
    return "rest"
  }'
names=(ladder copied five)
for name in "${names[@]}"; do
  mkdir "$work/out"
  (
    cd "$work/out"
    perf record -q -e cpu-clock -F 999 -o "$folder/$name.data" \
      "$obvan" run "../$name.show" --offline --for "${seconds}s" --out . >"$work/$name.log" 2>&1
  ) || { cat "$work/$name.log" >&2; printf 'profile: %s failed\n' "$name" >&2; exit 1; }
  rm -rf "$work/out"
  perf report -i "$folder/$name.data" --stdio -g none -t $'\t' -F period,comm,dso,sym 2>/dev/null |
    awk -F '\t' -v binary="$(basename "$obvan")" '/^#/ || NF < 4 { next }
      { gsub(/ +$/, "", $2); gsub(/ +$/, "", $3); gsub(/;/, ",", $4)
        if ($3 == binary) $3 = "obvan"
        # A stripped library has names for its doors alone, and all else is counted to one of them.
        named = $3 == "obvan" || $3 ~ /^\[/
        printf "%s;%s%s %.3f\n", $2, $3, named ? ";" substr($4, 5) : "", $1 / 1e6 }' |
    awk '{ ms = $NF; sub(/ [^ ]*$/, ""); sum[$0] += ms } END { for (s in sum) printf "%s %.0f\n", s, sum[s] }' |
    sort >"$folder/$name.folded"
  scripts/flame.py "$name, $seconds s of film" <"$folder/$name.folded" >"$folder/$name.svg"
  printf 'profile: %s\n' "$folder/$name.svg" >&2
done

# table: lines of "column row ms" as a table of seconds and shares, the largest rows first.
table() {
  awk -v columns="${names[*]}" -v most="$1" '
    { row = $2; for (i = 3; i < NF; i++) row = row " " $i; ms[row, $1] += $NF; all[$1] += $NF; rows[row] += $NF }
    END {
      n = split(columns, column, " ")
      printf "%-44s", ""; for (c = 1; c <= n; c++) printf "%18s", column[c]; print ""
      for (i = 0; i < most; i++) {
        best = ""; for (row in rows) if (best == "" || rows[row] > rows[best]) best = row
        if (best == "") break
        printf "%-44s", substr(best, 1, 43)
        for (c = 1; c <= n; c++) printf "%9.2f s %5.1f %%", ms[best, column[c]] / 1e3, 100 * ms[best, column[c]] / all[column[c]]
        print ""; delete rows[best]
      }
    }'
}
# each PROGRAM: every sample as "column thread;library;function ms" through awk.
each() {
  local name
  for name in "${names[@]}"; do
    awk -v name="$name" "$parts"'
      { ms = $NF; stack = $0; sub(/ [^ ]*$/, "", stack); split(stack, at, ";"); whole += ms }
      '"$1" "$folder/$name.folded"
  done
}
printf '\nCPU time by part\n'
each '{ print name, part(at[1], at[2]), ms; print name, "all", ms }' | awk '$2 != "all"' | table 20
each '{ sum += ms } END { printf "%s: %.2f CPU s\n", name, sum / 1e3 }'
printf '\nThe same by kind of thread\n'
each '{ kind = at[1]; sub(/[ :].*/, "", kind); print name, kind, ms }' | table 12
printf '\nOur own code\n'
each 'at[2] == "obvan" { print name, substr(at[3], 1, 43), ms } at[2] != "obvan" { print name, "(all else)", ms }' | table 13
