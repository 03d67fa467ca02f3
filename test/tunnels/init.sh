#!/bin/bash
# Process 1 of the virtual machine: a file system of its own for what the test writes (all below /run), the
# modules that the test is about, then the test program. PROGRAM is the directory with it, NODE the runtime.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mkdir /run/netns

modules=$(echo /usr/lib/uml/modules/*)

# load MODULE: its dependencies first, which modules.dep lists last to first. Only insmod is a process: those
# are slow to start here.
declare -A depends
while IFS=: read -r file others; do
  name=${file##*/}
  depends[${name%.ko}]="$file$others"
done <"$modules/modules.dep"
load() {
  local i name files
  [ -n "${depends[$1]:-}" ] || { echo "no module $1"; return; }
  read -ra files <<<"${depends[$1]}"
  for ((i = ${#files[@]} - 1; i >= 0; i--)); do
    name=${files[i]##*/} name=${name%.ko}
    [ -e "/sys/module/${name//-/_}" ] || busybox insmod "$modules/${files[i]}"
  done
}
for module in ipv6 ipip veth bridge; do load "$module"; done

ip link set lo up
"$NODE" "$PROGRAM/guest.js"
halt -f
