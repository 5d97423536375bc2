#!/usr/bin/env bash
# Installs what obvan needs from the distribution's own package sources, and checks the Rust toolchain.
# Asks nothing, skips what is there, and touches the network only when something is missing.
# Usage: scripts/setup.sh [--list]     --list prints the packages and stops
set -euo pipefail
cd "$(dirname "$0")/.."

# Compilers and headers for the build; players and plugins for running and for the tests.
packages=(
  build-essential pkg-config clang libclang-dev curl ca-certificates ffmpeg
  libavcodec-dev libavformat-dev libavutil-dev libavfilter-dev libavdevice-dev
  libswscale-dev libswresample-dev
  libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev gstreamer1.0-tools
  gstreamer1.0-plugins-base gstreamer1.0-plugins-good
  gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly
  nginx libnginx-mod-rtmp
)
# The same needs where there is no dpkg to ask.
commands=(cc make pkg-config clang curl ffmpeg ffprobe gst-launch-1.0 node npm)
modules=(
  libavcodec libavformat libavutil libavfilter libavdevice libswscale libswresample
  gstreamer-1.0 gstreamer-app-1.0 gstreamer-video-1.0
)

say() { printf 'setup: %s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

if [ "${1:-}" = --list ]; then
  printf '%s\n' "${packages[@]}" nodejs npm
  exit 0
fi

install_missing() {
  local missing=() package state
  for package in "${packages[@]}"; do
    state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
  done
  # By command: Node.js from another source than the distribution's brings its own npm.
  have node || missing+=(nodejs)
  have npm || missing+=(npm)
  if [ ${#missing[@]} -eq 0 ]; then
    return 0
  fi

  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if have sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
      as_root=(sudo)
    else
      say "these packages are missing, and installing them needs root, which this shell cannot become:"
      say "  ${missing[*]}"
      say "run this as root, then start again:"
      say "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
      exit 1
    fi
  fi
  say "installing with apt-get: ${missing[*]}"
  say "this needs root because packages go into the system's folders${as_root[0]:+ (by sudo)}"
  local quiet=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120)
  "${as_root[@]}" "${quiet[@]}" update </dev/null
  local web_server
  web_server=$(dpkg-query -W -f='${db:Status-Status}' nginx 2>/dev/null || true)
  if [ "$web_server" != installed ]; then
    without_web_server
  fi
  "${as_root[@]}" "${quiet[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null
}

# The tests run an nginx of their own. The package would also start one on port 80, now and at every
# boot, which nobody asked for: a masked unit does neither. Where nginx was installed before us, it is
# left as it is.
without_web_server() {
  if have systemctl && [ -d /run/systemd/system ]; then
    say "nginx is for the tests only: its service is masked (systemctl unmask nginx undoes that)"
    "${as_root[@]}" systemctl mask nginx.service </dev/null
  fi
}

# An unknown distribution: name what is not there, and go on when nothing is.
check_without_dpkg() {
  local lacking=() name
  for name in "${commands[@]}"; do
    have "$name" || lacking+=("the command $name")
  done
  for name in "${modules[@]}"; do
    pkg-config --exists "$name" 2>/dev/null || lacking+=("the development files of $name")
  done
  if [ ${#lacking[@]} -eq 0 ]; then
    return 0
  fi
  say "this is not Debian or Ubuntu, so nothing is installed here. Lacking:"
  for name in "${lacking[@]}"; do
    say "  $name"
  done
  say "Debian calls the whole set: ${packages[*]} nodejs npm"
  exit 1
}

# The toolchain is the user's own choice to install; only its age is checked.
check_rust() {
  local wanted found
  wanted=$(sed -n 's/^rust-version *= *"\([0-9.]*\)".*/\1/p' Cargo.toml | head -n 1)
  if ! have cargo || ! have rustc; then
    if [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
      say "Rust is installed but not on the PATH: run  . \"${CARGO_HOME:-$HOME/.cargo}/env\"  and start again"
    else
      say "Rust $wanted or newer is needed, and there is none: install it with rustup, see https://rustup.rs"
    fi
    exit 1
  fi
  found=$(rustc --version | cut -d ' ' -f 2)
  if [ "$(printf '%s\n%s\n' "$wanted" "${found%%-*}" | sort -V | head -n 1)" != "$wanted" ]; then
    say "Rust $wanted or newer is needed, and $(command -v rustc) is $found: run  rustup update stable,"
    say "or install rustup first if this is the distribution's Rust, see https://rustup.rs"
    exit 1
  fi
}

if have dpkg-query && have apt-get; then
  install_missing
else
  check_without_dpkg
fi
check_rust
