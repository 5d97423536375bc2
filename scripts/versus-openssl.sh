#!/usr/bin/env bash
# `obvan encrypt` beside `openssl enc -aes-128-ctr` on the same 512 MB of FLV, all in memory: CPU
# time of both, run in turn. The table shows medians (lowest to highest) and obvan's share.
# Usage: scripts/versus-openssl.sh [RUNS]   7 pairs unless told; OBVAN=FILE measures another binary,
#        MIB=N takes another length, MODE=capsule the other mode
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/figures.sh

runs=${1:-7}
mib=${MIB:-512}
mode=${MODE:-nalu}
whole_numbers "$runs" "$mib"
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

# in_memory WHO COMMAND…: file in memory to file in memory; adds to WHO's figures.
in_memory() {
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
  awk -v u="$user" -v s="$system" 'BEGIN { printf "%.3f\n", u + s }' >>"$work/$who.cpu"
  printf '%s\n' "$user" >>"$work/$who.user"
  printf '%s\n' "$system" >>"$work/$who.system"
}

# One pair unmeasured, and the proof that nothing is lost.
in_memory warm "${openssl_enc[@]}"
in_memory warm "${ours[@]}"
"$obvan" decrypt "$work/out" - --key-file "$work/key" 2>"$work/said" | cmp - "$work/clear.flv" || {
  printf 'versus-openssl: decryption does not give the file back\n' >&2
  exit 1
}
for ((run = 0; run < runs; run++)); do
  in_memory openssl "${openssl_enc[@]}"
  in_memory obvan "${ours[@]}"
done

printf '%s MiB, mode %s, %s pairs; decrypted bit for bit\n' "$mib" "$mode" "$runs"
printf '%-14s %-26s %-26s %s\n' '' openssl obvan 'obvan / openssl'
row 'CPU s' cpu 3 openssl obvan
row 'user s' user 3 openssl obvan
row 'system s' system 3 openssl obvan
