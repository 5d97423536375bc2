#!/usr/bin/env bash
# Every check of the house, in the one profile that tests are built in. A step that fails
# does not keep the next from running; the last line is the total.
# Set-up (scripts/setup.sh, fixtures.sh, web.sh) comes before, see the Makefile.
set -uo pipefail
cd "$(dirname "$0")/.."
mkdir -p target
log=$(mktemp target/test-log.XXXXXX)
trap 'rm -f "$log"' EXIT
# Most tests wait for real time to pass, and few compute for long.
export RUST_TEST_THREADS=${RUST_TEST_THREADS:-$((2 * $(nproc)))}
passed=0
failed=0
broken=()
skipped=()

# step NAME COMMAND…: runs it, shows it, keeps what it printed in $log.
step() {
  local name=$1 from=$SECONDS status
  shift
  printf '\n--- %s\n' "$name"
  "$@" </dev/null 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  printf -- '--- %s: %s in %s s\n' "$name" "$([ "$status" -eq 0 ] && echo ok || echo FAILED)" $((SECONDS - from))
  return "$status"
}
# A check without a count of its own is one.
check() {
  if step "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    broken+=("$1")
  fi
}
# counted PASSED FAILED NAME COMMAND…: adds up what the step counted itself; the two patterns
# are sed expressions that print one number a line. Breaking off uncounted is a failure too.
counted() {
  local ok_pattern=$1 bad_pattern=$2 status=0 ok bad
  shift 2
  step "$@" || status=$?
  ok=$(sed -nE "$ok_pattern" "$log" | awk '{ n += $1 } END { print n + 0 }')
  bad=$(sed -nE "$bad_pattern" "$log" | awk '{ n += $1 } END { print n + 0 }')
  if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
    bad=1
  fi
  if [ "$status" -eq 0 ] && [ "$ok" -eq 0 ]; then
    printf 'test: %s ran nothing\n' "$1" >&2
    bad=$((bad + 1))
  fi
  passed=$((passed + ok))
  failed=$((failed + bad))
  if [ "$bad" -ne 0 ]; then
    broken+=("$1")
  fi
}

# The path of a Chromium, or nothing.
find_chromium() {
  local name
  for name in "${CHROMIUM:-chromium}" chromium chromium-browser google-chrome; do
    if command -v "$name"; then
      return
    fi
  done
}

# libtest:   test result: ok. 7 passed; 0 failed; …
libtest_ok='s/^test result: .* ([0-9]+) passed; .*/\1/p'
libtest_bad='s/^test result: .* ([0-9]+) failed; .*/\1/p'
# criterion in short form: each bench runs once and says Success, and a panic ends the run.
bench_ok='s/^(.*[^a-z])?Success$/1/p'
bench_bad='s/^error: .*bench.*/1/p'
# node:      # pass 12
node_ok='s/^[^a-z]+pass ([0-9]+)$/\1/p'
node_bad='s/^[^a-z]+fail ([0-9]+)$/\1/p'
# fuzz.sh:   fuzz: amf0: ok, 70000 inputs in 2 s, cov: 500
fuzz_ok='s/^fuzz: [a-z0-9_]+: ok, .*/1/p'
fuzz_bad='s/^fuzz: [a-z0-9_]+: FAILED .*/1/p'

# counts.sh: counts: tags, parse: ok, 3321313 instructions, +0.0 %
counts_ok='s/^counts: .*: ok, .*/1/p'
counts_bad='s/^counts: .*: FAILED, .*/1/p'

check formatting cargo fmt --all --check
check "formatting, fuzz targets" cargo fmt --manifest-path fuzz/Cargo.toml --check
# The whole workspace each time, so that every dependency is built once, with one set of features.
counted "$libtest_ok" "$libtest_bad" tests cargo test --locked --workspace --no-fail-fast
counted "$bench_ok" "$bench_bad" "benches, short" cargo test --locked --workspace --no-fail-fast --bench '*'
if command -v valgrind >/dev/null; then
  counted "$counts_ok" "$counts_bad" "instructions of the hot paths" scripts/counts.sh
else
  skipped+=("instructions of the hot paths: there is no valgrind here")
fi
counted "$fuzz_ok" "$fuzz_bad" "fuzz targets, short" scripts/fuzz.sh
check lints cargo clippy --locked --workspace --all-targets -- -D warnings
if [ -f player/package.json ]; then
  counted "$node_ok" "$node_bad" player npm --prefix player test
  # In a real browser, with the binary that was just tested.
  chromium=$(find_chromium)
  if [ -n "$chromium" ]; then
    CHROMIUM=$chromium counted "$node_ok" "$node_bad" "player in a browser" npm --prefix player run test:browser
  else
    skipped+=("player in a browser: there is no Chromium here; install it, or say where it is in CHROMIUM")
  fi
fi

if ! command -v obs >/dev/null || ! command -v Xvfb >/dev/null; then
  skipped+=("OBS as an encoder: it is not installed here (packages obs-studio and xvfb)")
fi

printf '\n'
for name in "${skipped[@]}"; do
  printf 'skipped: %s\n' "$name"
done
for name in "${broken[@]}"; do
  printf 'failed: %s\n' "$name"
done
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
