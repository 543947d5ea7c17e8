#!/bin/sh
# libcamera with its virtual pipeline and its Python bindings: build_libcamera.sh CACHE PREFIX
# About two minutes on two cores, 5 MB. The bindings are for Debian's own Python.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=$1 prefix=$2
. "$here/sources.sh"
fetch "$LIBCAMERA_FILE" "$LIBCAMERA_SHA256" "deb-src forky" \
    apt-get source --download-only --only-source "libcamera=$LIBCAMERA_VERSION"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
say "Building libcamera $LIBCAMERA_VERSION."
tar xf "$cache/sources/$LIBCAMERA_FILE" -C "$work" --strip-components=1
cd "$work"
# Debian's tools and Python, whatever else stands first in the path.
PATH=/usr/bin:/bin
# Without udev it would build as well, and find no camera.
{
    meson setup build --prefix="$prefix" --libdir=lib --buildtype=release --wrap-mode=nofallback -Db_lto=false \
        -Dpipelines=virtual -Dipas= -Dpycamera=enabled -Dudev=enabled -Dandroid=disabled -Dcam=disabled \
        -Dqcam=disabled -Dgstreamer=disabled -Dv4l2=disabled -Dlc-compliance=disabled -Dtracing=disabled \
        -Ddocumentation=disabled -Dtest=false &&
        nice ninja -C build install
} >"$cache/libcamera.log" 2>&1 || { tail -n 20 "$cache/libcamera.log" >&2; fail "It is all in $cache/libcamera.log."; }
cp "$here/virtual.yaml" "$prefix/share/libcamera/pipeline/virtual/virtual.yaml"
