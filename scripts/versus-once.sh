#!/usr/bin/env bash
# What encoding once saves: four cameras with a channel each and a program of cuts between them, all
# with a watermark and four rungs, encrypted, from 1080p25 film, onto disk. Once as it is, where the
# program carries what the cameras' channels encode, and once with a program whose rungs have a
# kilobit more, so that it encodes for itself. Both run in turn; the table shows medians (lowest to
# highest) and the share of the second that the first took.
# Usage: scripts/versus-once.sh [RUNS [SECONDS]]     3 runs of 10 s unless told; OBVAN=FILE measures another binary
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${1:-3} seconds=${2:-10}
for number in "$runs" "$seconds"; do
  case $number in
  '' | *[!0-9]* | 0*)
    printf 'versus-once: %s is not a number from 1 on\n' "$number" >&2
    exit 2
    ;;
  esac
done
obvan=${OBVAN:-${CARGO_TARGET_DIR:-target}/release/obvan}
film=$PWD/fixtures/generated/bench-1080p25.mp4
if [ ! -x "$obvan" ]; then
  printf 'versus-once: there is no %s: cargo build --release -p obvan builds it\n' "$obvan" >&2
  exit 2
fi
obvan=$(realpath "$obvan")
if [ ! -s "$film" ]; then
  scripts/fixtures.sh bench
fi

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

gnu_time=
if /usr/bin/time -f %M true >/dev/null 2>&1; then
  gnu_time=/usr/bin/time
fi

# measure WHO: one run in a folder of its own; adds to WHO's figures.
measure() {
  local who=$1 user system wall
  rm -rf "${work:?}/$who"
  mkdir "$work/$who"
  set -- "$obvan" run "$work/$who.show" --offline --for "${seconds}s" --out "$work/$who" --report "$work/$who.json"
  if [ -n "$gnu_time" ]; then
    set -- "$gnu_time" -a -o "$work/$who.peak" -f %M "$@"
  fi
  local TIMEFORMAT='%3U %3S %3R'
  if ! { time "$@" >"$work/$who.log" 2>&1; } 2>"$work/time"; then
    cat "$work/$who.log" >&2
    printf 'versus-once: %s failed\n' "$who" >&2
    exit 1
  fi
  read -r user system wall <"$work/time"
  awk -v u="$user" -v s="$system" 'BEGIN { printf "%.2f\n", u + s }' >>"$work/$who.cpu"
  printf '%s\n' "$wall" >>"$work/$who.wall"
  printf 'versus-once: %-6s %s CPU s, %s s\n' "$who" "$(tail -n 1 "$work/$who.cpu")" "$wall" >&2
}

for ((run = 0; run < runs; run++)); do
  measure alone
  measure once
done

# median FILE DIGITS: "median (lowest to highest)".
median() {
  sort -n "$1" | awk -v f="%.$2f" '{ v[NR] = $1 }
    END { m = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
          printf f " (" f " to " f ")", m, v[1], v[NR] }'
}
# row WHAT FILE DIGITS
row() {
  local alone once
  alone=$(median "$work/alone.$2" "$3")
  once=$(median "$work/once.$2" "$3")
  printf '%-14s %-26s %-26s %s\n' "$1" "$alone" "$once" \
    "$(awk -v a="${alone%% *}" -v b="${once%% *}" 'BEGIN { printf "%.2f", b / a }')"
}
printf '\n%-14s %-26s %-26s %s\n' '' 'each for itself' 'once' 'once / each for itself'
row 'CPU s' cpu 2
row 'wall s' wall 2
if [ -n "$gnu_time" ]; then
  for who in alone once; do
    awk '{ print $1 / 1024 }' "$work/$who.peak" >"$work/$who.mib"
  done
  row 'peak MiB' mib 0
fi
