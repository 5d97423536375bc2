#!/usr/bin/env bash
# What obvan costs beyond its codecs: the show of examples/versus.show beside its parts, each alone in
# an ffmpeg process that keeps nothing: decoding with the cascade of scalers, x264 for each rung from
# raw pictures in memory, AAC once. The table shows CPU seconds, medians (lowest to highest), and the
# median of obvan's shares of the parts' sum.
# Usage: scripts/versus-parts.sh [RUNS]     3 runs each unless told; OBVAN=FILE measures another binary
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/figures.sh
. scripts/ladder.sh

runs=${1:-3}
whole_numbers "$runs"
measured
show=$PWD/examples/versus.show

# Raw pictures of ten seconds: 1.5 GB.
memory=/dev/shm
if [ ! -w "$memory" ] || [ "$(df --output=avail -m "$memory" | tail -n 1)" -lt 2000 ]; then
  printf 'versus-parts: %s has no room for 2 GB of raw pictures\n' "$memory" >&2
  exit 2
fi
work=$(mktemp -d "$memory/versus-parts.XXXXXX")
trap 'rm -rf "$work"' EXIT

# cascade OPTION…: in `scaled`, the film decoded, each rung scaled from the one above it, and an output
# for each with these options, in which NAME stands for the rung's name.
cascade() {
  local rung name size rate from=0:v graph= outputs=() n=0
  for rung in "${rungs[@]}"; do
    read -r name size rate <<<"$rung"
    graph+="[$from]scale=$size:flags=bicubic,split[$name][below$n];"
    from="below$n"
    n=$((n + 1))
    outputs+=(-map "[$name]" "${@//NAME/$name}")
  done
  scaled=("${ffmpeg[@]}" -i "$film" -filter_complex "${graph}[$from]nullsink" "${outputs[@]}")
}
cascade -pix_fmt yuv420p -f rawvideo "$work/NAME.yuv"
"${scaled[@]}"
cascade -f null -

parts=(decode-scale aac)
for ((run = 0; run < runs; run++)); do
  measure decode-scale "${scaled[@]}"
  measure aac "${ffmpeg[@]}" -i "$film" -vn -c:a aac -b:a 128k -f null -
  for rung in "${rungs[@]}"; do
    read -r name size rate <<<"$rung"
    # shellcheck disable=SC2046
    measure "x264-$name" "${ffmpeg[@]}" -f rawvideo -pix_fmt yuv420p -r 25 -s "${size/:/x}" -i "$work/$name.yuv" \
      $(x264 "$rate") -threads 1 -f null -
    [ "$run" -gt 0 ] || parts+=("x264-$name")
  done
  measure obvan "$obvan" run "$show" --offline --out .
done

printf '\n'
for part in "${parts[@]}"; do
  printf '%-14s %s\n' "$part" "$(median "$work/$part.cpu" 2)"
done
for ((run = 1; run <= runs; run++)); do
  for part in "${parts[@]}"; do
    sed -n "${run}p" "$work/$part.cpu"
  done | awk '{ sum += $1 } END { print sum }' >>"$work/all.cpu"
done
printf '%-14s %-26s %-26s %s\n' '' 'all parts' obvan 'obvan / all parts'
row 'CPU s' cpu 2 all obvan
