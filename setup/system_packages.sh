#!/usr/bin/env bash
# Make sure that the Debian packages named in the given lists are there.
#
#   setup/system_packages.sh [--optional] LIST...
#
# Installs what is missing by apt, as root or by sudo that asks no password; where it may not, it
# says what to install. --optional: the caller can do without, so nothing missing is an error.
set -euo pipefail

optional=false
if [ "${1:-}" = --optional ]; then optional=true; shift; fi

give_up() {
  echo "  $1" >&2
  $optional && { echo "  going on without" >&2; exit 0; }
  exit 1
}

wanted=$(sed 's/#.*//' "$@" | awk 'NF {print $1}' | sort -u)

if ! command -v dpkg-query >/dev/null; then
  if [ "$(uname)" = Darwin ]; then
    # Unverified: nobody has run this on a Mac yet. PyPI's wheels bring PortAudio along there.
    echo "  macOS: nothing to install to run; the tests want: brew install chromium ffmpeg" >&2
    exit 0
  fi
  give_up "this is not Debian; install what these Debian packages hold: $(echo $wanted)"
fi

installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 2>/dev/null | awk '$1 == "ii" {print $2}' | sort -u)
missing=$(comm -23 <(echo "$wanted") <(echo "$installed"))
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then as_root=""
elif sudo -n true 2>/dev/null; then as_root="sudo -n"
else give_up "please install, then try again:  sudo apt-get install $(echo $missing)"
fi

echo "  installing" $missing
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"; }
apt update >"$log" 2>&1 </dev/null || { tail -n 5 "$log" >&2; give_up "apt-get update failed"; }
apt install -y --no-install-recommends $missing >"$log" 2>&1 </dev/null ||
  { tail -n 15 "$log" >&2; give_up "apt-get install failed: $(echo $missing)"; }
