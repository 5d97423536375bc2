#!/usr/bin/env bash
# What encoding once saves: four cameras with a channel each and a program of cuts between them, all
# with a watermark and four rungs, encrypted, from 1080p25 film, onto disk. Once as it is, where the
# program carries what the cameras' channels encode; once with a program whose rungs have a kilobit
# more, so that it encodes for itself; and once as five ffmpeg processes, each a ladder with the
# watermark laid over it (in the clear, and without cuts). All run in turn; the tables show medians
# (lowest to highest), and the median of the shares.
# Usage: scripts/versus-once.sh [RUNS [SECONDS]]     3 runs of 10 s unless told; OBVAN=FILE measures another binary
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/figures.sh
. scripts/ladder.sh
. scripts/shows.sh

runs=${1:-3} seconds=${2:-10}
whole_numbers "$runs" "$seconds"
measured

work=$(mktemp -d "${TMPDIR:-/tmp}/versus-once.XXXXXX")
trap 'rm -rf "$work"' EXIT
beside_shows "$work"
five_show four "$seconds" >"$work/once.show"
five_show alone "$seconds" >"$work/alone.show"

# ours WHO: one run of WHO's show.
ours() {
  measure "$1" "$obvan" run "$work/$1.show" --offline --for "${seconds}s" --out .
}
source=(-stream_loop -1 -t "$seconds" -i "$film")
plain_ladder "$work/logo.png"
# Five in a row: beside one another they take no less.
five() {
  local n
  for n in 1 2 3 4 5; do
    mkdir "$n"
    (cd "$n" && "$@")
  done
}
export -f five
for ((run = 0; run < runs; run++)); do
  measure ffmpeg bash -ec 'five "$@"' five "${ladder[@]}"
  ours alone
  ours once
done

printf '\n%-14s %-26s %-26s %s\n' '' 'each for itself' 'once' 'once / each for itself'
table alone once
printf '\n%-14s %-26s %-26s %s\n' '' 'five ffmpeg' 'once' 'once / five ffmpeg'
table ffmpeg once
