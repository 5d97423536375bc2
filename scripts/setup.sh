#!/usr/bin/env bash
# Installs what obvan needs from the distribution's own package sources, and checks the Rust toolchain.
# Asks nothing, skips what is there, and touches the network only when something is missing.
# Usage: scripts/setup.sh [--list|--tests]
#   --list     prints the packages and stops
#   --tests    installs what only the tests need; Chromium and OBS only where they are to be had
set -euo pipefail
cd "$(dirname "$0")/.."

# Compilers and headers for the build; players, plugins and a font for running, and for the tests.
packages=(
  build-essential pkg-config clang libclang-dev curl ca-certificates ffmpeg
  libavcodec-dev libavformat-dev libavutil-dev libavfilter-dev libavdevice-dev
  libswscale-dev libswresample-dev
  libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev gstreamer1.0-tools
  gstreamer1.0-plugins-base gstreamer1.0-plugins-good
  gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly
  fonts-dejavu-core
)
# Peers that only the tests talk to, and what fetches one of them.
test_packages=(openssl nginx libnginx-mod-rtmp libnginx-mod-stream python3-gi gir1.2-gst-rtsp-server-1.0 python3-pip valgrind)
# The same needs where there is no dpkg to ask.
commands=(cc make pkg-config clang curl ffmpeg ffprobe gst-launch-1.0 node npm)
modules=(
  libavcodec libavformat libavutil libavfilter libavdevice libswscale libswresample
  gstreamer-1.0 gstreamer-app-1.0 gstreamer-video-1.0
)

say() { printf 'setup: %s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

if [ "${1:-}" = --list ]; then
  printf '%s\n' "${packages[@]}" nodejs npm "${test_packages[@]}" chromium obs-studio xvfb libgl1-mesa-dri
  exit 0
fi

# What runs a command as root; fails where this shell cannot become it.
as_root=()
become_root() {
  if [ "$(id -u)" -ne 0 ]; then
    have sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; } || return 1
    as_root=(sudo)
  fi
}

# Puts packages in; root was asked for before.
apt_install() {
  say "installing with apt-get: $*"
  say "this needs root because packages go into the system's folders${as_root[0]:+ (by sudo)}"
  # Without a sync after each file, which makes minutes of seconds; should the power fail in them,
  # apt says what is to be done again.
  local quiet=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120
    -o Dpkg::Options::=--force-unsafe-io)
  "${as_root[@]}" "${quiet[@]}" update </dev/null
  "${as_root[@]}" "${quiet[@]}" install -y --no-install-recommends "$@" </dev/null
}

# The player's tests run in a real browser. Some distributions have it only as a snap, or
# not at all: then those tests are skipped, and scripts/test.sh says so.
get_browser() {
  local name
  for name in "${CHROMIUM:-chromium}" chromium chromium-browser google-chrome; do
    if have "$name"; then
      return 0
    fi
  done
  install_if_there "the tests in a browser" chromium
}

# OBS, and what it draws on where there is no screen.
get_obs() {
  have obs && have Xvfb || install_if_there "the test with OBS" obs-studio xvfb libgl1-mesa-dri
}

# install_if_there WHAT PACKAGE…: installs them if the first is to be had; WHAT is skipped otherwise.
install_if_there() {
  local what=$1 candidate
  shift
  have apt-get && have apt-cache || return 0
  candidate=$(apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: *//p')
  if [ -n "$candidate" ] && [ "$candidate" != "(none)" ]; then
    { become_root && apt_install "$@"; } || say "$1 could not be installed: $what will be skipped"
  fi
}

# An ffmpeg that writes enhanced FLV, as Debian 12's does not: a Python package carries one. Without
# it the tests leave out what only it can send, and the rest runs.
new_ffmpeg=fixtures/generated/new-ffmpeg
get_new_ffmpeg() {
  [ -x "$new_ffmpeg" ] && return 0
  local work
  work=$(mktemp -d)
  say "fetching a recent ffmpeg for the tests (imageio-ffmpeg, a Python package of 70 MB)"
  if python3 -m pip -q download --no-deps --only-binary :all: -d "$work" imageio-ffmpeg==0.8.1 &&
    python3 -m zipfile -e "$work"/*.whl "$work" && mkdir -p "${new_ffmpeg%/*}"; then
    install -m 755 "$work"/imageio_ffmpeg/binaries/ffmpeg-* "$new_ffmpeg"
  else
    say "it could not be had; lines with HEVC and Opus in FLV are not tested"
  fi
  rm -rf "$work"
}

# Installs those of these packages that are not there.
install_missing() {
  local missing=() package state
  for package in "$@"; do
    state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    return 0
  fi

  if ! become_root; then
    say "these packages are missing, and installing them needs root, which this shell cannot become:"
    say "  ${missing[*]}"
    say "run this as root, then start again:"
    say "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
    exit 1
  fi
  # The tests run an nginx of their own; the package's service would open port 80 for nobody.
  if [[ " ${missing[*]} " == *" nginx "* ]] && [ -d /run/systemd/system ]; then
    say "the service that comes with nginx is masked; to have it: systemctl unmask nginx"
    "${as_root[@]}" systemctl mask nginx.service </dev/null
  fi
  apt_install "${missing[@]}"
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

if [ "${1:-}" = --tests ]; then
  if have dpkg-query && have apt-get; then
    install_missing "${test_packages[@]}"
  fi
  get_browser
  get_obs
  get_new_ffmpeg
  exit 0
fi
if have dpkg-query && have apt-get; then
  needed=("${packages[@]}")
  # By command: Node.js from another source than the distribution's brings its own npm.
  have node || needed+=(nodejs)
  have npm || needed+=(npm)
  install_missing "${needed[@]}"
else
  check_without_dpkg
fi
check_rust
