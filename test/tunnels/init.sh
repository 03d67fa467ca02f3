#!/bin/bash
# Process 1 of the virtual machine: a file system of its own for what the test writes (all below /run), the
# modules that the test is about, then the test program. PROGRAM is the directory with it, NODE the runtime.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mkdir /run/netns

modules=$(echo /usr/lib/uml/modules/*)

present() { [ -e "/sys/module/$(basename "$1" .ko | tr - _)" ]; }

# load MODULE: its dependencies first, which modules.dep lists last to first.
load() {
  local line file files
  present "$1" && return
  line=$(grep "/$1\.ko:" "$modules/modules.dep") || { echo "no module $1"; return; }
  files=$(echo "${line/:/}" | tr ' ' '\n' | tac)
  for file in $files; do present "$file" || busybox insmod "$modules/$file"; done
}
for module in ipv6 ipip veth bridge; do load "$module"; done

ip link set lo up
"$NODE" "$PROGRAM/guest.js"
halt -f
