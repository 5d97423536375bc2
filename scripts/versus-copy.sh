#!/usr/bin/env bash
# What a copied rung saves: ten seconds of 1080p25 film into four rungs and AAC, as FLV on disk.
# obvan with the film's own pictures as the top rung, ffmpeg with -c copy for it, and ffmpeg with a
# ladder of four that are all encoded. All three run in turn; the tables show medians (lowest to
# highest), and the median of obvan's shares of what each of the others took.
# Usage: scripts/versus-copy.sh [RUNS]     3 runs each unless told; OBVAN=FILE measures another binary
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/figures.sh
. scripts/ladder.sh
. scripts/shows.sh

runs=${1:-3}
whole_numbers "$runs"
measured

work=$(mktemp -d "${TMPDIR:-/tmp}/versus-copy.XXXXXX")
trap 'rm -rf "$work"' EXIT

copied_show >"$work/copy.show"

source=(-i "$film")
plain_ladder
whole=("${ladder[@]}")
copied_ladder
ours=("$obvan" run "$work/copy.show" --offline --out .)

for ((run = 0; run < runs; run++)); do
  measure ladder "${whole[@]}"
  measure copy "${ladder[@]}"
  measure obvan "${ours[@]}"
done

printf '\n%-14s %-26s %-26s %s\n' '' "ffmpeg's ladder" obvan "obvan / ffmpeg's ladder"
table ladder obvan
printf '\n%-14s %-26s %-26s %s\n' '' 'ffmpeg -c copy' obvan 'obvan / ffmpeg -c copy'
table copy obvan

# The copied rung's pictures are the film's: their units, one by one.
slices() {
  ffmpeg -nostdin -v error -i "$1" -map 0:v -c copy -frames:v 200 -bsf:v 'filter_units=pass_types=1|5' -f h264 - | cksum
}
if [ "$(slices "$work/obvan/source.flv")" = "$(slices "$film")" ]; then
  printf '\nthe copied rung is the film, unit by unit\n'
else
  printf '\nversus-copy: the copied rung is not the film\n' >&2
  exit 1
fi
