#!/usr/bin/env bash
# Taking in one camera: an encoder pushes 8 Mbit/s of H.264 and AAC over RTMP, and it is recorded as
# it comes. obvan does it with its decoders left out (examples/ingest_only.rs), ffmpeg with `-c copy`.
# Both run in turns, and so does obvan without a camera, whose ticks cost something, too. The table
# shows CPU seconds of each, medians (lowest to highest), and obvan's share of what ffmpeg took.
# Usage: scripts/versus-ingest.sh [RUNS]     5 runs each unless told; INGEST=FILE measures another binary
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/figures.sh

runs=${1:-5}
whole_numbers "$runs"
ingest=${INGEST:-${CARGO_TARGET_DIR:-target}/release/examples/ingest_only}
if [ ! -x "$ingest" ]; then
  printf 'versus-ingest: there is no %s: make versus-ingest builds it\n' "$ingest" >&2
  exit 2
fi
ingest=$(realpath "$ingest")
if [ ! -s fixtures/generated/bench-1080p25.mp4 ]; then
  scripts/fixtures.sh bench
fi
seconds=20
work=$(mktemp -d "${TMPDIR:-/tmp}/versus.XXXXXX")
trap 'rm -rf "$work"' EXIT

ffmpeg=(ffmpeg -nostdin -hide_banner -v error)
"${ffmpeg[@]}" -i fixtures/generated/bench-1080p25.mp4 -c:v libx264 -preset veryfast -b:v 8M -maxrate 8M \
  -bufsize 8M -g 50 -pix_fmt yuv420p -c:a aac -b:a 128k "$work/film.flv"

# send URL: the camera. A server that is not there yet is called again.
send() {
  local tries=0
  until "${ffmpeg[@]}" -re -stream_loop -1 -i "$work/film.flv" -t "$seconds" -c copy -f flv "$1" 2>"$work/send.log"; do
    tries=$((tries + 1))
    if [ $tries -ge 50 ]; then
      cat "$work/send.log" >&2
      return 1
    fi
    sleep 0.1
  done
}

# taken WHO: adds the CPU seconds that `time` has written, and what was recorded in MB.
taken() {
  local user system
  read -r user system <"$work/time"
  awk -v u="$user" -v s="$system" 'BEGIN { printf "%.3f\n", u + s }' >>"$work/$1.cpu"
  printf 'versus-ingest: %-12s %s CPU s%s\n' "$1" "$(tail -n 1 "$work/$1.cpu")" "${2:+, $2}" >&2
}

TIMEFORMAT='%3U %3S'
# size FILE: what was recorded; both must have all of it.
size() {
  awk -v b="$(stat -c %s "$1")" -v s="$seconds" 'BEGIN { printf "%.1f MB, %.1f Mbit/s", b / 1e6, b * 8 / 1e6 / s }'
}
with_ffmpeg() {
  local port=$1
  rm -f "$work/copy.flv"
  { time "${ffmpeg[@]}" -f flv -listen 1 -i "rtmp://127.0.0.1:$port/live/main" -c copy -f flv "$work/copy.flv" \
    2>"$work/copy.log"; } 2>"$work/time" &
  send "rtmp://127.0.0.1:$port/live/main"
  wait $!
  taken ffmpeg "$(size "$work/copy.flv")"
}
# with_obvan NAME CAMERA: with one, or without.
with_obvan() {
  rm -rf "$work/out"
  mkdir "$work/out"
  : >"$work/said"
  { time "$ingest" "$work/out" $((seconds + 2)) >"$work/said" 2>"$work/obvan.log"; } 2>"$work/time" &
  local url='' all=$!
  until url=$(grep -m 1 '^rtmp:' "$work/said" 2>/dev/null); do sleep 0.05; done
  if [ "$2" = camera ]; then
    send "$url"
  fi
  wait $all
  if [ "$2" = camera ]; then
    taken "$1" "$(size "$work/out/main.flv")"
  else
    taken "$1"
  fi
}

for ((run = 0; run < runs; run++)); do
  with_ffmpeg $((20000 + RANDOM % 10000))
  with_obvan obvan camera
  with_obvan no-camera none
done

printf '\nCPU s for %s s of one camera\n' "$seconds"
for who in ffmpeg obvan no-camera; do
  printf '  %-12s %s\n' "$who" "$(median "$work/$who.cpu" 2)"
done
paste "$work/obvan.cpu" "$work/no-camera.cpu" | awk '{ printf "%.3f\n", $1 - $2 }' >"$work/camera.cpu"
printf '  obvan / ffmpeg                  %s\n' "$(median <(shares "$work/ffmpeg.cpu" "$work/obvan.cpu") 2)"
printf '  (obvan - no camera) / ffmpeg    %s\n' "$(median <(shares "$work/ffmpeg.cpu" "$work/camera.cpu") 2)"
