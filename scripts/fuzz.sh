#!/usr/bin/env bash
# Builds the fuzz targets (fuzz/) on stable Rust and runs them, one after another.
# Usage: scripts/fuzz.sh [TARGET…] [--for SECONDS] [--keep]
#   TARGET    all of them if none is named
#   --for     how long each one runs; 10,000 inputs, the same on every machine, if not said
#   --keep    begins from what earlier runs learned (fuzz/grown/TARGET), and adds to it; another
#             path each time
# An input that breaks something is kept in fuzz/artifacts/TARGET; exit 1 if there is one.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=
keep=no
targets=()
while [ $# -gt 0 ]; do
  case $1 in
    --for)
      seconds=${2:-}
      [[ $seconds =~ ^[1-9][0-9]*$ ]] || { printf 'fuzz: --for takes a number of seconds\n' >&2; exit 2; }
      shift
      ;;
    --keep) keep=yes ;;
    -*) printf 'usage: scripts/fuzz.sh [TARGET…] [--for SECONDS] [--keep]\n' >&2; exit 2 ;;
    *) targets+=("$1") ;;
  esac
  shift
done
mapfile -t known < <(sed -n 's|^path = "fuzz_targets/\(.*\)\.rs"$|\1|p' fuzz/Cargo.toml)
[ ${#targets[@]} -gt 0 ] || targets=("${known[@]}")
for name in "${targets[@]}"; do
  [[ " ${known[*]} " == *" $name "* ]] || { printf 'fuzz: no target %s; there are: %s\n' "$name" "${known[*]}" >&2; exit 2; }
done

# What cargo-fuzz would pass: LLVM's coverage of edges and comparisons, which is all that
# libFuzzer needs, and which stable Rust has. Naming the platform keeps it out of build scripts.
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing"
platform=$(rustc -vV | sed -n 's/^host: //p')
folder=${CARGO_TARGET_DIR:-target}/fuzz
# Not --locked: the lock file follows the rooms' own dependencies, and holds all others.
RUSTFLAGS=$(echo $coverage) cargo build --manifest-path fuzz/Cargo.toml --bins \
  --target "$platform" --target-dir "$folder"

scratch=$(mktemp -d "$folder/run.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
log=$scratch/log
failed=0
for name in "${targets[@]}"; do
  # A short run is a test: what it tries must not depend on luck, nor on the order in which a
  # file system lists the seeds, nor on how fast the machine is.
  learned=$scratch/$name seed=1
  seeds=$(printf '%s,' "fuzz/corpus/$name"/*)
  corpus=("-seed_inputs=${seeds%,}")
  limit=(-runs=10000)
  if [ "$keep" = yes ]; then
    learned=fuzz/grown/$name seed=0
    corpus=("fuzz/corpus/$name")
  fi
  if [ -n "$seconds" ]; then
    limit=("-max_total_time=$seconds")
  fi
  mkdir -p "$learned" "fuzz/artifacts/$name"
  program=$folder/$platform/debug/$name
  status=0
  began=$SECONDS
  "$program" "$learned" "${corpus[@]}" -seed="$seed" "${limit[@]}" -max_len=16384 -rss_limit_mb=1024 \
    -timeout=60 -artifact_prefix="fuzz/artifacts/$name/" -print_final_stats=1 >"$log" 2>&1 </dev/null || status=$?
  inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  if [ "$status" -eq 0 ] && [ "${inputs:-0}" -gt 0 ]; then
    edges=$(grep -oE 'cov: [0-9]+' "$log" | tail -n 1)
    printf 'fuzz: %s: ok, %s inputs in %s s, %s\n' "$name" "$inputs" "$((SECONDS - began))" "$edges"
  else
    failed=1
    tail -n 40 "$log"
    printf 'fuzz: %s: FAILED with %s; again:  %s fuzz/artifacts/%s/FILE\n' "$name" "$status" "$program" "$name"
  fi
done
exit "$failed"
