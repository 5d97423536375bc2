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

runs=${1:-3} seconds=${2:-10}
whole_numbers "$runs" "$seconds"
measured

work=$(mktemp -d "${TMPDIR:-/tmp}/versus-once.XXXXXX")
trap 'rm -rf "$work"' EXIT
cp fixtures/pictures/logo.png "$work/"
printf '000102030405060708090a0b0c0d0e0f' >"$work/tour.key"
chmod 600 "$work/tour.key"

cameras="a b c d"
# show LADDER: the program's ladder.
show() {
  printf 'show once {\n  video 1920x1080 25fps\n  audio 48kHz stereo\n'
  for camera in $cameras; do
    printf '  camera %s { line disk file "%s" loop=true }\n' "$camera" "$film"
  done
  printf '  watermark bug { image "logo.png" at=top-right margin=32 opacity=0.8 }\n'
  printf '  key tour { id 1 file="tour.key" }\n'
  local name more
  for name in four alone; do
    more=$([ "$name" = four ] && echo 0 || echo 1)
    printf '  ladder %s { preset veryfast; keyframe 2s; audio 128k; rung 1080p 1920x1080 %dk; rung 720p 1280x720 %dk; rung 480p 854x480 %dk; rung 360p 640x360 %dk }\n' \
      "$name" $((4500 + more)) $((2500 + more)) $((1200 + more)) $((700 + more))
  done
  local rest='watermark bug; encrypt tour; egress disk record "{channel}-{rung}.flv"'
  printf '  channel program { sources %s; ladder %s; %s }\n' "$cameras" "$1" "$rest"
  for camera in $cameras; do
    printf '  channel own-%s { sources %s; ladder four; %s }\n' "$camera" "$camera" "$rest"
  done
  # A cut every 1.4 s.
  printf '  rundown program {\n'
  local ms
  for ((ms = 1400, turn = 1; ms < seconds * 1000; ms += 1400, turn++)); do
    set -- $cameras
    shift $((turn % 4))
    printf '    at 0:%02d.%03d cut %s\n' $((ms / 1000)) $((ms % 1000)) "$1"
  done
  printf '  }\n}\n'
}
show four >"$work/once.show"
show alone >"$work/alone.show"

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
