#!/usr/bin/env bash
# A ladder that looks ahead once for all its rungs beside the same whose encoders look ahead each for
# itself (`bframes=3`, which they have anyway, makes them): ten seconds of some films at 1080p25 into
# the rungs of examples/versus.show. Both run in turn; for each film a table shows medians (lowest to
# highest), the median of the shares, and what the last run's rungs came to.
# Usage: scripts/versus-lookahead.sh [RUNS]     1 run each unless told; OBVAN=FILE measures another binary
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/figures.sh
. scripts/ladder.sh

runs=${1:-1}
whole_numbers "$runs"
measured

work=$(mktemp -d "${TMPDIR:-/tmp}/versus-lookahead.XXXXXX")
trap 'rm -rf "$work"' EXIT

# show_of OPTIONS: a ladder of `film` whose rungs have these options.
show_of() {
  local rung name size rate
  printf 'show "lookahead" {\n  video 1920x1080 25fps\n  audio 48kHz stereo\n'
  printf '  camera film { line disk file "%s" loop=true }\n  ladder four { preset veryfast; keyframe 2s; audio 128k\n' "$film"
  for rung in "${rungs[@]}"; do
    read -r name size rate <<<"$rung"
    printf '    rung %s %s %sk %s\n' "$name" "${size/:/x}" "$rate" "$1"
  done
  printf '  }\n  channel program { sources film; ladder four; egress disk record "{rung}.flv" }\n}\n'
}

for film in "$film" "$PWD"/fixtures/generated/{main,drums,guitar}.mp4; do
  rm -f "$work"/*.{cpu,wall,mib}
  show_of bframes=3 >"$work/each.show"
  show_of '' >"$work/once.show"
  for ((run = 0; run < runs; run++)); do
    measure each "$obvan" run ../each.show --offline --for 10s --out .
    measure once "$obvan" run ../once.show --offline --for 10s --out .
  done
  printf '\n%-14s %-26s %-26s %s\n' "$(basename "$film" .mp4)" 'each by itself' 'once for all' 'once / each'
  table each once
  printf '%-14s %-34s %-34s\n' '' 'pictures, kbit/s, SSIM' 'pictures, kbit/s, SSIM'
  for rung in "${rungs[@]}"; do
    read -r name size rate <<<"$rung"
    printf '%-14s %-34s %-34s\n' "$name ${rate}k" "$(judge "$work/each/$name.flv" "$size")" \
      "$(judge "$work/once/$name.flv" "$size")"
  done
done
