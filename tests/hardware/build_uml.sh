#!/bin/sh
# A User Mode Linux kernel with a simulated GPIO chip, an ordinary program: build_uml.sh CACHE FILE
# About three minutes on two cores, 6 MB.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=$1 kernel=$2
. "$here/sources.sh"
fetch "$LINUX_FILE" "$LINUX_SHA256" "deb bookworm" apt-get download "linux-source-6.1=$LINUX_VERSION"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
say "Building the kernel $LINUX_VERSION."
cd "$work"
dpkg-deb --fsys-tarfile "$cache/sources/$LINUX_FILE" | tar x ./usr/src/linux-source-6.1.tar.xz
tar xf usr/src/linux-source-6.1.tar.xz --strip-components=1
{
    make ARCH=um tinyconfig &&
        scripts/kconfig/merge_config.sh -m .config "$here/uml.config" &&
        make ARCH=um olddefconfig &&
        nice make ARCH=um -j"$(nproc)" linux
} >"$cache/uml.log" 2>&1 || { tail -n 20 "$cache/uml.log" >&2; fail "It is all in $cache/uml.log."; }
for option in $(sed -n 's/^\(CONFIG.*=.*\)/\1/p' "$here/uml.config"); do
    grep -qxF "$option" .config || fail "This kernel has no $option."
done
cp linux "$kernel"
