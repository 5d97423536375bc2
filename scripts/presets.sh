#!/usr/bin/env bash
# What each preset costs beside veryfast: one rung of 854x480 at 25 pictures a second and 1200 kbit/s, six
# seconds of it encoded by one thread from raw pictures in memory, each preset in turn with veryfast and
# with reading alone, which is taken off both. The table shows CPU seconds, medians (lowest to highest),
# and the median of the shares: engine/src/channel/cores.rs places encoders by these.
# Usage: scripts/presets.sh [RUNS [ENCODER]]     3 runs each and libx264 unless told; libx265 is the other
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/figures.sh
. scripts/ladder.sh

runs=${1:-3} encoder=${2:-libx264}
whole_numbers "$runs"
case $encoder in
libx264) one_thread=(-threads 1 -sc_threshold 0) ;;
libx265) one_thread=(-x265-params pools=none:frame-threads=1:wpp=0:scenecut=0:log-level=none) ;;
*)
  printf 'presets: %s is neither libx264 nor libx265\n' "$encoder" >&2
  exit 2
  ;;
esac
film=$PWD/fixtures/generated/bench-1080p25.mp4
[ -s "$film" ] || scripts/fixtures.sh bench

work=$(mktemp -d /dev/shm/presets.XXXXXX)
trap 'rm -rf "$work"' EXIT
"${ffmpeg[@]}" -t 6 -i "$film" -an -vf scale=854:480:flags=bicubic -pix_fmt yuv420p -f rawvideo "$work/film.yuv"
raw=("${ffmpeg[@]}" -f rawvideo -pix_fmt yuv420p -r 25 -s 854x480 -i "$work/film.yuv")

# encode WHO PRESET [ENCODER OPTION…]: this script's encoder unless told.
encode() {
  local who=$1 preset=$2
  shift 2
  [ $# -gt 0 ] || set -- "$encoder" "${one_thread[@]}"
  measure "$who" "${raw[@]}" -c:v "$1" -preset "$preset" -b:v 1200k -maxrate 1200k -bufsize 1200k -g 50 "${@:2}" -f null -
}

presets=(ultrafast superfast veryfast faster fast medium slow slower veryslow)
for ((run = 0; run < runs; run++)); do
  for preset in "${presets[@]}"; do
    measure "reading-$preset" "${raw[@]}" -f null -
    # Beside x264's, whichever encoder it is.
    encode "veryfast-$preset" veryfast libx264 -threads 1 -sc_threshold 0
    encode "$preset" "$preset"
  done
done

printf '\n%-12s %-26s %s\n' preset 'CPU s' "beside libx264's veryfast"
for preset in "${presets[@]}"; do
  share=$(paste "$work/reading-$preset.cpu" "$work/veryfast-$preset.cpu" "$work/$preset.cpu" |
    awk '{ printf "%.4f\n", ($3 - $1) / ($2 - $1) }' | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }')
  printf '%-12s %-26s %.2f\n' "$preset" "$(median "$work/$preset.cpu" 2)" "$share"
done
