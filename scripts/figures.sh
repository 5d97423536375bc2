# Sourced by the scripts that compare two programs: how runs are measured, and how figures are told.
# They set `work`, a folder of figures: $work/WHO.cpu, .wall and .mib, a line a run.

# whole_numbers VALUE…: leaves the script where one is none.
whole_numbers() {
  local number
  for number in "$@"; do
    case $number in
    '' | *[!0-9]* | 0*)
      printf '%s: %s is no whole number of 1 or more\n' "$(basename "$0" .sh)" "$number" >&2
      exit 2
      ;;
    esac
  done
}

# Peak memory is told by GNU time alone; without it that line is left out.
gnu_time=
if /usr/bin/time -f %M true >/dev/null 2>&1; then
  gnu_time=/usr/bin/time
fi

# measure WHO COMMAND…: one run in a fresh folder $work/WHO; adds to WHO's figures.
measure() {
  local who=$1 user system wall
  shift
  rm -rf "${work:?}/$who"
  mkdir "$work/$who"
  if [ -n "$gnu_time" ]; then
    set -- "$gnu_time" -o "$work/peak" -f %M "$@"
  fi
  local TIMEFORMAT='%3U %3S %3R'
  cd "$work/$who"
  if ! { time "$@" >"$work/$who.log" 2>&1; } 2>"$work/time"; then
    cat "$work/$who.log" >&2
    printf '%s: %s failed\n' "$(basename "$0" .sh)" "$who" >&2
    exit 1
  fi
  cd - >/dev/null
  read -r user system wall <"$work/time"
  awk -v u="$user" -v s="$system" 'BEGIN { printf "%.3f\n", u + s }' >>"$work/$who.cpu"
  printf '%s\n' "$wall" >>"$work/$who.wall"
  if [ -n "$gnu_time" ]; then
    awk '{ print $1 / 1024 }' "$work/peak" >>"$work/$who.mib"
  fi
  printf '%s: %-8s %s CPU s, %s s\n' "$(basename "$0" .sh)" "$who" "$(tail -n 1 "$work/$who.cpu")" "$wall" >&2
}

# median FILE DIGITS: "median (lowest to highest)".
median() {
  sort -n "$1" | awk -v f="%.$2f" '{ v[NR] = $1 }
    END { m = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
          printf f " (" f " to " f ")", m, v[1], v[NR] }'
}

# shares THEIRS OURS: what we took of what they took, run by run, since a pair ran side by side.
shares() {
  paste "$1" "$2" | awk '{ if ($1 > 0) printf "%.4f\n", $2 / $1; else print 0 }'
}

# row WHAT FIGURE DIGITS THEM US: both medians, and that of the shares.
row() {
  printf '%-14s %-26s %-26s %s\n' "$1" "$(median "$work/$4.$2" "$3")" "$(median "$work/$5.$2" "$3")" \
    "$(median <(shares "$work/$4.$2" "$work/$5.$2") 2)"
}

# table THEM US: CPU, wall time and memory of both.
table() {
  row 'CPU s' cpu 2 "$1" "$2"
  row 'wall s' wall 2 "$1" "$2"
  if [ -n "$gnu_time" ]; then
    row 'peak MiB' mib 0 "$1" "$2"
  fi
}
