#!/usr/bin/env bash
# obvan beside one ffmpeg process that does the same: ten seconds of 1080p25 film into four
# H.264 rungs and AAC, as FLV on disk. Both run in turn; the table shows medians (lowest to
# highest), and obvan's share of what ffmpeg took.
# Usage: scripts/versus.sh [RUNS]     3 runs each unless told; OBVAN=FILE measures another binary
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${1:-3}
case $runs in
'' | *[!0-9]* | 0*)
  printf 'versus: %s is no number of runs: 1 or more\n' "$runs" >&2
  exit 2
  ;;
esac
obvan=${OBVAN:-${CARGO_TARGET_DIR:-target}/release/obvan}
film=fixtures/generated/bench-1080p25.mp4
show=examples/versus.show
if [ ! -x "$obvan" ]; then
  printf 'versus: there is no %s: make versus builds it\n' "$obvan" >&2
  exit 2
fi
if [ ! -s "$film" ]; then
  scripts/fixtures.sh bench
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/versus.XXXXXX")
trap 'rm -rf "$work"' EXIT

# The rungs of examples/versus.show: name, size, kbit/s.
rungs=("1080p 1920:1080 4500" "720p 1280:720 2500" "480p 854:480 1200" "360p 640:360 700")

graph="[0:v]split=${#rungs[@]}"
scales=
outputs=()
for rung in "${rungs[@]}"; do
  read -r name size rate <<<"$rung"
  graph+="[$name]"
  picture="[$name]"
  if [ "$size" != 1920:1080 ]; then
    scales+=";[$name]scale=$size[s$name]"
    picture="[s$name]"
  fi
  outputs+=(-map "$picture" -map 0:a -c:v libx264 -preset veryfast -pix_fmt yuv420p
    -b:v "${rate}k" -maxrate "${rate}k" -bufsize "${rate}k" -g 50 -sc_threshold 0
    -c:a aac -b:a 128k -f flv "$name.flv")
done
film=$PWD/$film
show=$PWD/$show
obvan=$(realpath "$obvan")

ffmpeg=(ffmpeg -nostdin -hide_banner -v error -y -i "$film" -filter_complex "$graph$scales" "${outputs[@]}")
ours=("$obvan" run "$show" --offline --out .)

# Peak memory is told by GNU time alone; without it that line is left out.
gnu_time=
if /usr/bin/time -f %M true >/dev/null 2>&1; then
  gnu_time=/usr/bin/time
fi

# measure WHO COMMAND…: one run in a folder of its own; adds to WHO's figures.
measure() {
  local who=$1 user system wall
  shift
  rm -rf "${work:?}/$who"
  mkdir "$work/$who"
  cd "$work/$who"
  if [ -n "$gnu_time" ]; then
    set -- "$gnu_time" -a -o "$work/$who.peak" -f %M "$@"
  fi
  local TIMEFORMAT='%3U %3S %3R'
  if ! { time "$@" >"$work/$who.log" 2>&1; } 2>"$work/time"; then
    cat "$work/$who.log" >&2
    printf 'versus: %s failed\n' "$who" >&2
    exit 1
  fi
  cd - >/dev/null
  read -r user system wall <"$work/time"
  awk -v u="$user" -v s="$system" 'BEGIN { printf "%.2f\n", u + s }' >>"$work/$who.cpu"
  printf '%s\n' "$wall" >>"$work/$who.wall"
  printf 'versus: %-6s %s CPU s, %s s\n' "$who" "$(tail -n 1 "$work/$who.cpu")" "$wall" >&2
}

film_before=$(cksum <"$film")
for ((run = 0; run < runs; run++)); do
  measure ffmpeg "${ffmpeg[@]}"
  measure obvan "${ours[@]}"
done

# median FILE DIGITS: "median (lowest to highest)".
median() {
  sort -n "$1" | awk -v f="%.$2f" '{ v[NR] = $1 }
    END { m = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
          printf f " (" f " to " f ")", m, v[1], v[NR] }'
}
# row WHAT FILE DIGITS
row() {
  local theirs ours
  theirs=$(median "$work/ffmpeg.$2" "$3")
  ours=$(median "$work/obvan.$2" "$3")
  printf '%-14s %-26s %-26s %s\n' "$1" "$theirs" "$ours" \
    "$(awk -v a="${theirs%% *}" -v b="${ours%% *}" 'BEGIN { printf "%.2f", b / a }')"
}

# What a rung came to: "pictures kbit/s SSIM". The pictures are compared by their number, so one
# too many or too few shows; the film is scaled by a filter that neither side uses.
judge() {
  local file=$1 size=$2
  ffprobe -v error -select_streams v -show_entries packet=size -of csv=p=0 "$file" |
    awk -F, '{ n++; bytes += $1 } END { printf "%d %.0f ", n, bytes * 8 * 25 / n / 1000 }'
  ffmpeg -nostdin -hide_banner -i "$file" -i "$film" -lavfi "[0:v]settb=1/25,setpts=N[rung];\
[1:v]scale=$size:flags=lanczos+accurate_rnd,settb=1/25,setpts=N[film];[rung][film]ssim=shortest=1" -f null - 2>&1 |
    sed -nE 's/.*SSIM.* All:([0-9.]+).*/\1/p'
}

printf '\n%-14s %-26s %-26s %s\n' '' ffmpeg obvan 'obvan / ffmpeg'
row 'CPU s' cpu 2
row 'wall s' wall 2
if [ -n "$gnu_time" ]; then
  for who in ffmpeg obvan; do
    awk '{ print $1 / 1024 }' "$work/$who.peak" >"$work/$who.mib"
  done
  row 'peak MiB' mib 0
fi
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
