#!/usr/bin/env bash
# `obvan encrypt` beside `openssl enc -aes-128-ctr` on the same 512 MB of FLV, all in memory: CPU
# time of both, run in turn. The table shows medians (lowest to highest) and obvan's share.
# Usage: scripts/versus-openssl.sh [RUNS]   7 pairs unless told; OBVAN=FILE measures another binary,
#        MIB=N takes another length, MODE=capsule the other mode
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${1:-7}
mib=${MIB:-512}
mode=${MODE:-nalu}
for number in "$runs" "$mib"; do
  case $number in
  '' | *[!0-9]* | 0*)
    printf 'versus-openssl: %s is no whole number of 1 or more\n' "$number" >&2
    exit 2
    ;;
  esac
done
target=${CARGO_TARGET_DIR:-target}
obvan=${OBVAN:-$target/release/obvan}
for tool in "$obvan" openssl; do
  if ! command -v "$tool" >/dev/null; then
    printf 'versus-openssl: there is no %s; make versus-openssl builds obvan, Debian has the package openssl\n' "$tool" >&2
    exit 2
  fi
done

# Three files of this length lie there at a time.
memory=/dev/shm
if [ ! -w "$memory" ] || [ "$(df --output=avail -m "$memory" | tail -n 1)" -lt $((mib * 3 + 64)) ]; then
  printf 'versus-openssl: %s has no room for three files of %s MiB\n' "$memory" "$mib" >&2
  exit 2
fi
work=$(mktemp -d "$memory/versus-openssl.XXXXXX")
trap 'rm -rf "$work"' EXIT

cargo run --quiet --locked --release -p fixtures --example film -- $((mib << 20)) >"$work/clear.flv"
"$obvan" key new "$work/key" 2>/dev/null
key=$(cat "$work/key")

openssl_enc=(openssl enc -aes-128-ctr -K "$key" -iv 00000000000000000000000000000000)
ours=("$obvan" encrypt - - --key-file "$work/key" --mode "$mode")

# measure WHO COMMAND…: file in memory to file in memory; adds user + system time to WHO's figures.
measure() {
  local who=$1 user system
  shift
  # Fresh pages for each.
  rm -f "$work/out"
  local TIMEFORMAT='%3U %3S'
  if ! { time "$@" <"$work/clear.flv" >"$work/out" 2>"$work/said"; } 2>"$work/time"; then
    cat "$work/said" >&2
    printf 'versus-openssl: %s failed\n' "$who" >&2
    exit 1
  fi
  read -r user system <"$work/time"
  awk -v u="$user" -v s="$system" 'BEGIN { printf "%.3f %.3f %.3f\n", u + s, u, s }' >>"$work/$who"
}

# One pair unmeasured, and the proof that nothing is lost.
measure warm "${openssl_enc[@]}"
measure warm "${ours[@]}"
"$obvan" decrypt "$work/out" - --key-file "$work/key" 2>"$work/said" | cmp - "$work/clear.flv" || {
  printf 'versus-openssl: decryption does not give the file back\n' >&2
  exit 1
}
for ((run = 0; run < runs; run++)); do
  measure openssl "${openssl_enc[@]}"
  measure obvan "${ours[@]}"
done

# median FILE COLUMN: "median (lowest to highest)".
median() {
  cut -d ' ' -f "$2" "$1" | sort -n | awk '{ v[NR] = $1 }
    END { m = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
          printf "%.3f (%.3f to %.3f)", m, v[1], v[NR] }'
}
printf '%s MiB, mode %s, %s pairs; decrypted bit for bit\n' "$mib" "$mode" "$runs"
printf '%-10s %-26s %-26s %s\n' '' openssl obvan 'obvan / openssl'
column=1
for what in 'CPU s' 'user s' 'system s'; do
  theirs=$(median "$work/openssl" $column)
  ours=$(median "$work/obvan" $column)
  printf '%-10s %-26s %-26s %s\n' "$what" "$theirs" "$ours" \
    "$(awk -v a="${theirs%% *}" -v b="${ours%% *}" 'BEGIN { if (a > 0) printf "%.2f", b / a; else printf "-" }')"
  column=$((column + 1))
done
