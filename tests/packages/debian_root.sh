#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Install the Debian packages in a fresh Debian 12 that has nothing but what they ask for, build programs there, and run them.
#
#   debian_root.sh [PACKAGES]      a folder with the three .deb files (default: build/deb/packages, made if need be)
#
# Needs root, debootstrap and Debian's archive, as this system's apt names it; ends with 77 where one is missing. Takes about five minutes and
# 2 GB in ${TMPDIR:-/tmp}, which are given back. KEEP_ROOT=1 keeps the root, to look at.
set -euo pipefail
source_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
suite=bookworm

say() { printf '== %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
leave_out() { printf 'left out: %s\n' "$*"; exit 77; }

# A mount namespace of its own: whatever is mounted goes with it.
if [ -z "${IN_OWN_NAMESPACE:-}" ]; then
  [ "$(id -u)" -eq 0 ] || leave_out "the test of the Debian packages needs root"
  command -v debootstrap >/dev/null || leave_out "no debootstrap (On Debian: apt-get install debootstrap)"
  unshare --mount true 2>/dev/null || leave_out "mount namespaces are not permitted here"
  IN_OWN_NAMESPACE=1 exec unshare --mount -- "$0" "$@"
fi

entries=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI) $(COMPONENT)' 'Created-By: Packages' |
  sed -n "s/^Debian \($suite[a-z-]*\) /\1 /p" | sort -u)
archive=$(awk -v suite=$suite '$1 == suite && $3 == "main" { print $2; exit }' <<<"$entries")
[ -n "$archive" ] || leave_out "apt knows no archive of $suite here, or apt-get update was never run"

packages=${1:-$source_root/build/deb/packages}
if [ $# -eq 0 ]; then "$source_root/tools/make_debs"; fi
ls "$packages"/{librofi0,liblamellar-dev,lamellar-tools}_*.deb >/dev/null || die "not all three packages are in $packages"

work=$(mktemp -d "${TMPDIR:-/tmp}/lamellar_root.XXXXXX")
root=$work/root
finish() {
  umount --recursive "$root/proc" "$root/dev/shm" 2>/dev/null || true
  if [ -n "${KEEP_ROOT:-}" ]; then say "kept: $root"; else rm -rf --one-file-system "$work"; fi
}
trap finish EXIT

say "Laying down a fresh $suite"
debootstrap --variant=minbase "$suite" "$root" "$archive" >"$work/log" 2>&1 || { tail -n 30 "$work/log"; die "debootstrap failed"; }
while read -r codename uri component; do
  printf 'deb %s %s %s\n' "$uri" "$codename" "$component"
done <<<"$entries" >"$root/etc/apt/sources.list"
# How this system reaches its archive.
apt-config dump | grep -E '^Acquire::(Check-|https?::Proxy)' >"$root/etc/apt/apt.conf.d/90archive" || true
cp -L /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
mkdir "$root/packages" "$root/programs"
cp "$packages"/*.deb "$root/packages/"
cp "$source_root"/tests/integration/installed_package/{CMakeLists.txt,hello.cpp,ordered.cpp,rofi_hello.c} "$root/programs/"
mount -t proc proc "$root/proc"
mkdir -p "$root/dev/shm"
mount -t tmpfs tmpfs "$root/dev/shm"

# inside WORDS COMMAND: run a line of shell in the root, and demand these words of what it says.
inside() {
  local words=$1 output
  if ! output=$(env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    timeout 900 chroot "$root" /bin/sh -ec "$2" </dev/null 2>&1); then
    tail -n 40 <<<"$output" >&2
    die "in the fresh root this failed: $2"
  fi
  grep -qE -- "$words" <<<"$output" || { tail -n 40 <<<"$output" >&2; die "no '$words' in what this said: $2"; }
}
install="apt-get install -y --no-install-recommends"

inside '' 'apt-get update'
say "lamellar-tools, alone"
inside 'Setting up lamellar-tools' "$install /packages/lamellar-tools_*.deb"
inside 'local' 'lamellar-info'
inside '^2$' 'lamellar-run -n 2 echo hello | grep -c hello'
say "librofi0, alone"
inside 'Setting up librofi0' "$install /packages/librofi0_*.deb"
inside 'librofi.so.0' 'ldconfig -p | grep librofi'
inside '' '! ldd /usr/lib/*/librofi.so.0 | grep "not found"'
say "liblamellar-dev, and compilers"
inside 'Setting up liblamellar-dev' "$install /packages/liblamellar-dev_*.deb g++ cmake make"
say "A program by CMake"
inside '' 'cmake -S /programs -B /programs/build -D CMAKE_BUILD_TYPE=Release'
inside '' 'cmake --build /programs/build'
inside 'hello from PE 1 of 2' 'LAMELLAR_PES=2 /programs/build/hello'
inside 'hello from PE 1 of 2' 'lamellar-run -n 2 /programs/build/hello'
say "Programs by pkg-config"
inside '' 'g++ -std=c++20 -O1 -Wall -Wextra -Werror /programs/ordered.cpp -o /programs/ordered $(pkg-config --cflags --libs lamellar)'
inside 'PE 1 of 2: from 1 to 1000' 'lamellar-run -n 2 /programs/ordered'
inside 'PE 1 of 2: from 1 to 1000' 'lamellar-run -n 2 --lamella rofi --hosts 2 /programs/ordered'
inside '' 'cc /programs/rofi_hello.c -o /programs/rofi_hello $(pkg-config --cflags --libs librofi)'
inside 'hello by rofi_put of 1' '/programs/rofi_hello'
say "And away again"
inside '' 'apt-get purge -y librofi0 liblamellar-dev lamellar-tools'
left=$(find "$root/usr" "$root/etc" "$root/var/lib" -iname '*lamellar*' -not -path '*/cache/*' -o -iname '*librofi*')
[ -z "$left" ] || die "the packages left behind: $left"
say "The packages install, serve and go, in a fresh $suite."
