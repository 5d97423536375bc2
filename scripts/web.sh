#!/usr/bin/env bash
# Builds the page's player from npm into player/dist, when its sources are newer than the last build.
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
newer=$(find . \( -path ./node_modules -o -path ./dist \) -prune -o -type f -newer node_modules/.built -print -quit 2>/dev/null || true)
if [ ! -d dist ] || [ ! -f node_modules/.built ] || [ -n "$newer" ]; then
  npm run --silent build </dev/null
  touch node_modules/.built
fi
