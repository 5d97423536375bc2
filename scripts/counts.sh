#!/usr/bin/env bash
# Instructions that the hot paths take (benches/benches/counts.rs), beside those that are written
# down in benches/counts.txt: more than 5 % more is a failure. A count is the same on a busy
# machine, where a time is not.
# Usage: scripts/counts.sh [--update]     --update writes down what it finds
set -euo pipefail
cd "$(dirname "$0")/.."

update=no
case ${1:-} in
'') ;;
--update) update=yes ;;
*) printf 'usage: scripts/counts.sh [--update]\n' >&2; exit 2 ;;
esac
known=benches/counts.txt
command -v valgrind >/dev/null || { printf 'counts: valgrind is needed (apt-get install valgrind)\n' >&2; exit 2; }

# In the profile of the tests, and of the whole workspace, whose features its libraries are built
# with: so it is there already.
bench=$(cargo test --locked --workspace --bench counts --no-run --message-format=json 2>/dev/null |
  sed -nE 's/.*"name":"counts".*"executable":"([^"]+)".*/\1/p' | tail -n 1)
[ -x "$bench" ] || { printf 'counts: the bench was not built\n' >&2; exit 1; }

work=$(mktemp -d "${TMPDIR:-/tmp}/counts.XXXXXX")
trap 'rm -rf "$work"' EXIT
# One dump for each time the function that marks a path has ended, counted from its beginning.
valgrind --tool=callgrind --callgrind-out-file="$work/out" --zero-before=counts::counted_path \
  --dump-after=counts::counted_path "$bench" >"$work/paths" 2>"$work/log" ||
  { cat "$work/log" >&2; printf 'counts: the bench failed under valgrind\n' >&2; exit 1; }

mapfile -t names < <(sed -n 's/^Testing //p' "$work/paths")
rustc=$(rustc --version | cut -d' ' -f2)
found=$work/found
printf '# instructions, %s; scripts/counts.sh --update writes this\n' "rustc $rustc" >"$found"
for at in "${!names[@]}"; do
  dump=$work/out.$((at + 1))
  count=$(sed -nE 's/^(summary|totals): ([0-9]+).*/\2/p' "$dump" | head -n 1)
  printf '%s\t%s\n' "${names[at]}" "$count" >>"$found"
done
if [ "$update" = yes ]; then
  cp "$found" "$known"
  cat "$known"
  exit 0
fi

# Another compiler makes other code: then the counts are told, and judge nothing.
limit=5
if ! grep -q "rustc $rustc;" "$known"; then
  limit=1000
  printf 'counts: %s has those of another compiler than rustc %s, so nothing is judged; --update writes new ones\n' "$known" "$rustc"
fi
worse=0
while IFS=$'\t' read -r name count; do
  case $name in '#'*) continue ;; esac
  before=$(awk -F '\t' -v name="$name" '$1 == name { print $2 }' "$known")
  if [ -z "$before" ]; then
    printf 'counts: %s: FAILED, it is not in %s\n' "$name" "$known"
    worse=1
    continue
  fi
  share=$(awk -v now="$count" -v before="$before" 'BEGIN { printf "%+.1f", 100 * (now / before - 1) }')
  if awk -v share="$share" -v limit="$limit" 'BEGIN { exit !(share > limit) }'; then
    printf 'counts: %s: FAILED, %s instructions, %s %%\n' "$name" "$count" "$share"
    worse=1
  else
    printf 'counts: %s: ok, %s instructions, %s %%\n' "$name" "$count" "$share"
  fi
done <"$found"
exit "$worse"
