#!/usr/bin/env bash
# Builds the player package and the page into player/dist, when their sources are newer than the last build.
set -euo pipefail
cd "$(dirname "$0")/../player"
if [ ! -f package.json ]; then
  echo "web: there is no player/package.json, nothing to build" >&2
  exit 0
fi

# The lock file decides what is installed; the copy inside node_modules says for which one that was done.
if ! cmp -s package-lock.json node_modules/.installed-lock; then
  npm ci --no-audit --no-fund --loglevel=error </dev/null
  cp package-lock.json node_modules/.installed-lock
fi
# Tests are in no build: a new page would have the binary built again.
newer=$(find . \( -path ./node_modules -o -path ./dist -o -path ./test -o -path ./browser-test -o -path ./examples \) -prune -o -type f -newer node_modules/.built -print -quit 2>/dev/null || true)
if [ ! -d dist/page ] || [ ! -d dist/lib ] || [ ! -f node_modules/.built ] || [ -n "$newer" ]; then
  npm run --silent build </dev/null
  touch node_modules/.built
fi
