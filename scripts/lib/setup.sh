# Sourced by scripts/demo and scripts/test: brings a Debian 12 machine with nothing but a clone to the point
# where the product runs. Safe to run again: it installs only what is missing.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root" || exit 1

say() { printf '\n==> %s\n' "$*"; }

# need_packages PACKAGE...: installs those Debian packages that are not there.
need_packages() {
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" -ne 0 ]; then
    echo "missing Debian packages: ${missing[*]}: run this as root once, or install them" >&2
    exit 1
  fi
  say "Installing Debian packages: ${missing[*]}"
  # The daemons are run by us, in namespaces: nothing may start by itself on this machine.
  local policy=/usr/sbin/policy-rc.d made=no
  if [ ! -e "$policy" ]; then printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && made=yes; fi
  apt-get update -q >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" >/tmp/calico-apt.$$.log 2>&1 ||
    { cat /tmp/calico-apt.$$.log >&2; [ "$made" = yes ] && rm -f "$policy"; exit 1; }
  rm -f /tmp/calico-apt.$$.log
  [ "$made" = yes ] && rm -f "$policy"
  return 0
}

# need_npm: an npm of any age will do: it brings the Node runtime that everything else uses.
need_npm() {
  command -v npm >/dev/null 2>&1 || need_packages npm
}

# need_modules: node_modules as the lock file says.
need_modules() {
  local stamp=node_modules/.installed-lock
  if ! cmp -s package-lock.json "$stamp"; then
    say "Installing npm packages (with the pinned Node runtime)"
    npm ci --no-audit --no-fund --loglevel=error
    cp package-lock.json "$stamp"
  fi
  export PATH="$root/node_modules/.bin:$PATH"
}

build() {
  say "Building"
  node scripts/build.mjs
}
