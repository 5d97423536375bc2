#!/usr/bin/env bash
# What a copied rung saves: ten seconds of 1080p25 film into four rungs and AAC, as FLV on disk.
# obvan with the film's own pictures as the top rung, ffmpeg with -c copy for it, and ffmpeg with a
# ladder of four that are all encoded. All three run in turn; the table shows medians (lowest to
# highest), and obvan's share of what each of the others took.
# Usage: scripts/versus-copy.sh [RUNS]     3 runs each unless told; OBVAN=FILE measures another binary
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${1:-3}
case $runs in
'' | *[!0-9]* | 0*)
  printf 'versus-copy: %s is no number of runs: 1 or more\n' "$runs" >&2
  exit 2
  ;;
esac
obvan=${OBVAN:-${CARGO_TARGET_DIR:-target}/release/obvan}
film=$PWD/fixtures/generated/bench-1080p25.mp4
if [ ! -x "$obvan" ]; then
  printf 'versus-copy: there is no %s: make versus-copy builds it\n' "$obvan" >&2
  exit 2
fi
obvan=$(realpath "$obvan")
if [ ! -s "$film" ]; then
  scripts/fixtures.sh bench
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/versus-copy.XXXXXX")
trap 'rm -rf "$work"' EXIT

cat >"$work/copy.show" <<SHOW
show "versus-copy" {
  video 1920x1080 25fps
  audio 48kHz stereo
  camera film { line disk file "$film" }
  ladder own {
    preset veryfast; keyframe 2s; audio 128k
    rung source copy
    rung 720p 1280x720 2500k
    rung 480p 854x480 1200k
    rung 360p 640x360 700k
  }
  channel program { sources film; ladder own; egress disk record "{rung}.flv" }
  rundown program { at 0:10 end }
}
SHOW

# encoded NAME SIZE KBITS: ffmpeg's options for a rung.
encoded() {
  printf '%s\n' -map "[$1]" -map 0:a -c:v libx264 -preset veryfast -pix_fmt yuv420p \
    -b:v "$3k" -maxrate "$3k" -bufsize "$3k" -g 50 -sc_threshold 0 -c:a aac -b:a 128k -f flv "$1.flv"
}
mapfile -t small < <(encoded 720p 1280:720 2500; encoded 480p 854:480 1200; encoded 360p 640:360 700)
mapfile -t top < <(encoded 1080p 1920:1080 4500)
input=(ffmpeg -nostdin -hide_banner -v error -y -i "$film" -filter_complex)
scales='[a]scale=1280:720[720p];[b]scale=854:480[480p];[c]scale=640:360[360p]'
ladder=("${input[@]}" "[0:v]split=4[1080p][a][b][c];$scales" "${top[@]}" "${small[@]}")
copy=("${input[@]}" "[0:v]split=3[a][b][c];$scales"
  -map 0:v -map 0:a -c:v copy -c:a aac -b:a 128k -f flv source.flv "${small[@]}")
ours=("$obvan" run "$work/copy.show" --offline --out .)

# measure WHO COMMAND…: one run in a folder of its own; adds to WHO's figures.
measure() {
  local who=$1 user system wall
  shift
  rm -rf "${work:?}/$who"
  mkdir "$work/$who"
  cd "$work/$who"
  local TIMEFORMAT='%3U %3S %3R'
  if ! { time "$@" >"$work/$who.log" 2>&1; } 2>"$work/time"; then
    cat "$work/$who.log" >&2
    printf 'versus-copy: %s failed\n' "$who" >&2
    exit 1
  fi
  cd - >/dev/null
  read -r user system wall <"$work/time"
  awk -v u="$user" -v s="$system" 'BEGIN { printf "%.2f\n", u + s }' >>"$work/$who.cpu"
  printf '%s\n' "$wall" >>"$work/$who.wall"
  printf 'versus-copy: %-6s %s CPU s, %s s\n' "$who" "$(tail -n 1 "$work/$who.cpu")" "$wall" >&2
}

for ((run = 0; run < runs; run++)); do
  measure ladder "${ladder[@]}"
  measure copy "${copy[@]}"
  measure obvan "${ours[@]}"
done

# median FILE: "median (lowest to highest)".
median() {
  sort -n "$1" | awk '{ v[NR] = $1 }
    END { m = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
          printf "%.2f (%.2f to %.2f)", m, v[1], v[NR] }'
}
printf '\n%-8s %-24s %-24s %-24s %-14s %s\n' '' 'ffmpeg ladder' 'ffmpeg -c copy' obvan 'of the ladder' 'of -c copy'
for what in cpu wall; do
  a=$(median "$work/ladder.$what") b=$(median "$work/copy.$what") c=$(median "$work/obvan.$what")
  share() { awk -v a="${1%% *}" -v b="${2%% *}" 'BEGIN { printf "%.2f", b / a }'; }
  printf '%-8s %-24s %-24s %-24s %-14s %s\n' "$what s" "$a" "$b" "$c" "$(share "$a" "$c")" "$(share "$b" "$c")"
done

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
