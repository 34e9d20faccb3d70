# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# What the scripts of this folder share; sourced, never run. Leaves the caller in the project's root.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
cores=$(nproc)
: "${HOME:=$(getent passwd "$(id -u)" | cut -d: -f6)}"
export HOME

say() { printf '== %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Run apt-get as root, asking sudo where need be.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "installing packages needs root or sudo. As root, run: $*"
  fi
}

# Run a command silently; if it fails, show the end of what it printed.
quietly() {
  local log
  log=$(mktemp)
  if "$@" >"$log" 2>&1; then
    rm -f "$log"
  else
    local code=$?
    tail -n 40 "$log" >&2
    rm -f "$log"
    return "$code"
  fi
}

apt_install() {
  quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

# build PRESET [TARGET ...]: configure where need be, then build.
build() {
  local preset=$1 generator=()
  shift
  # The presets ask for ninja.
  command -v ninja >/dev/null || generator=(-G "Unix Makefiles")
  quietly cmake --preset "$preset" "${generator[@]}" || die "cmake --preset $preset failed; its last lines stand above"
  cmake --build "build/$preset" --parallel "$cores" ${1:+--target "$@"}
}
