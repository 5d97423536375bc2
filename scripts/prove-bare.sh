#!/usr/bin/env bash
# Proves that this repository sets itself up: makes a bare Debian in a temporary folder, gives it
# the Rust toolchain of this machine (read-only) and a fresh clone, and runs things in there.
# What is committed is what is tested. Needs root, debootstrap, git and some 10 GB.
#
# Usage: scripts/prove-bare.sh [TARGET…]     targets of the Makefile; default: test demo
#   SUITE=bookworm     the release of Debian
#   MIRROR=URL         where its packages come from; default: as this machine's own apt has it
#   ROOT=FOLDER        where to build it; a Debian that is there already is used again
#   KEEP=yes           leave it there at the end
set -euo pipefail
cd "$(dirname "$0")/.."
suite=${SUITE:-bookworm}
root=${ROOT:-$(mktemp -d "${TMPDIR:-/tmp}/obvan-bare.XXXXXX")}
[ $# -gt 0 ] || set -- test demo

say() { printf 'bare: %s\n' "$*" >&2; }
if [ "$(id -u)" -ne 0 ]; then
  say "a chroot and its mounts need root: run this with sudo"
  exit 1
fi
for tool in debootstrap git rustc; do
  command -v $tool >/dev/null || { say "$tool is needed and is not on the PATH"; exit 1; }
done

# own_mirror: the first package source of this suite in this machine's apt, in either of its two formats.
own_mirror() {
  local file
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    [ -r "$file" ] || continue
    case $file in
      *.list)
        sed -nE "s/^deb +(\[[^]]*\] +)?([^ ]+) +$suite +.*/\2/p" "$file"
        ;;
      *.sources)
        awk -v suite="$suite" '
          function flush() { if (fits && uri != "") print uri; fits = 0; uri = "" }
          /^[[:space:]]*$/ { flush() }
          /^URIs:/ { uri = $2 }
          /^Suites:/ { for (i = 2; i <= NF; i++) if ($i == suite) fits = 1 }
          END { flush() }' "$file"
        ;;
    esac
  done | head -n 1
}
mirror=${MIRROR:-$(own_mirror)}
if [ -z "$mirror" ]; then
  say "apt on this machine has no source for $suite: say MIRROR=URL"
  exit 1
fi

# --- Everything mounted is unmounted again, and only then is anything removed. ---
mounts=()
leave() {
  local at
  for ((at = ${#mounts[@]} - 1; at >= 0; at--)); do
    umount "${mounts[at]}" || umount -l "${mounts[at]}" || true
  done
  if [ "${KEEP:-}" = yes ] || [ -n "${ROOT:-}" ]; then
    say "left in $root"
  elif ! grep -q " $root/" /proc/mounts; then
    rm -rf --one-file-system "$root"
  else
    say "something is still mounted under $root, so it stays"
  fi
}
trap leave EXIT
within() { # within FLAGS… SOURCE PLACE: mounts it inside, and remembers
  local place=$root/${*: -1}
  mkdir -p "$place"
  mount "${@:1:$#-1}" "$place"
  mounts+=("$place")
}

if [ ! -x "$root/usr/bin/apt-get" ]; then
  say "a bare $suite goes into $root"
  debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$root.log" 2>&1 || {
    tail -n 20 "$root.log" >&2
    exit 1
  }
  rm -f "$root.log"
fi

# The way to the network is this machine's: names, proxies and certificates it was told to trust.
cp /etc/resolv.conf "$root/etc/resolv.conf"
# What Debian's installer writes, and debootstrap does not.
printf '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n' >"$root/etc/hosts"
for conf in /etc/apt/apt.conf.d/*proxy*; do
  if [ -e "$conf" ]; then cp "$conf" "$root/etc/apt/apt.conf.d/"; fi
done
if compgen -G '/usr/local/share/ca-certificates/*.crt' >/dev/null; then
  mkdir -p "$root/usr/local/share/ca-certificates"
  cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/"
fi

within -t proc proc proc
within -t sysfs -o ro sysfs sys
within --bind /dev dev
within --bind /dev/pts dev/pts
within -t tmpfs tmpfs dev/shm
within --bind -o ro "$(rustc --print sysroot)" opt/rust
mount -o remount,bind,ro "$root/opt/rust" 2>/dev/null || true

rm -rf --one-file-system "$root/root/obvan"
git clone -q --no-local --depth 1 "file://$PWD" "$root/root/obvan"
say "$(git -C "$root/root/obvan" log -1 --format='cloned %h %s')"

inside() {
  local proxies=() name
  for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    if [ -n "${!name:-}" ]; then proxies+=("$name=${!name}"); fi
  done
  chroot "$root" env -i HOME=/root TERM="${TERM:-dumb}" LANG=C.UTF-8 "${proxies[@]}" \
    PATH=/opt/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    bash -c "cd /root/obvan && $1" </dev/null
}

status=0
for what in "$@"; do
  case $what in
    test) command='.ci/run' ;;
    *) command="scripts/setup.sh && make $what" ;; # make itself is among what is set up
  esac
  from=$SECONDS
  if inside "$command"; then
    say "$what: ok in $((SECONDS - from)) s"
  else
    say "$what: FAILED after $((SECONDS - from)) s"
    status=1
  fi
done
exit $status
