#!/usr/bin/env bash
# obvan beside one ffmpeg process that does the same: ten seconds of 1080p25 film into four
# H.264 rungs and AAC, as FLV on disk. Twice: beside the command that most people write, and beside
# the best that we can write. All run in turn; the tables show medians (lowest to highest), and the
# median of obvan's shares of what ffmpeg took.
# Usage: scripts/versus.sh [RUNS]     3 runs each unless told; OBVAN=FILE measures another binary
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/figures.sh
. scripts/ladder.sh

runs=${1:-3}
whole_numbers "$runs"
measured
show=$PWD/examples/versus.show

work=$(mktemp -d "${TMPDIR:-/tmp}/versus.XXXXXX")
trap 'rm -rf "$work"' EXIT

source=(-i "$film")
plain_ladder
plain=("${ladder[@]}")
best_ladder
best=("${ladder[@]}")
ours=("$obvan" run "$show" --offline --out .)

film_before=$(cksum <"$film")
for ((run = 0; run < runs; run++)); do
  measure ffmpeg "${plain[@]}"
  measure best "${best[@]}"
  measure obvan "${ours[@]}"
done

printf '\n%-14s %-26s %-26s %s\n' '' ffmpeg obvan 'obvan / ffmpeg'
table ffmpeg obvan
printf '\n%-14s %-26s %-26s %s\n' '' 'the best ffmpeg' obvan 'obvan / the best ffmpeg'
table best obvan
printf '\n%-14s %-34s %-34s\n' 'last run' 'ffmpeg: pictures, kbit/s, SSIM' 'obvan: pictures, kbit/s, SSIM'
for rung in "${rungs[@]}"; do
  read -r name size rate <<<"$rung"
  printf '%-14s %-34s %-34s\n' "$name ${rate}k" "$(judge "$work/ffmpeg/$name.flv" "$size")" \
    "$(judge "$work/obvan/$name.flv" "$size")"
done
if [ "$(cksum <"$film")" != "$film_before" ]; then
  printf 'versus: %s was made anew meanwhile, so these figures do not hold: run it again\n' "$film" >&2
  exit 1
fi
