#!/usr/bin/env bash
# Installs a store server and a kiosk into clean Debian systems, and looks: run.sh [bookworm-amd64 trixie-amd64 trixie-arm64 …]
# The systems are made once, by mmdebstrap from this machine's own mirror, and kept in var/install-check; so are the
# wheels. Nothing is mounted and no port is opened outside of namespaces of its own. Needs root.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD cache=$PWD/var/install-check
fail() { printf '%s\n' "$*" >&2; exit 1; }
[ "$(id -u)" -eq 0 ] || fail "Only root can make systems to install into; try: sudo make install-check"
[ $# -gt 0 ] || set -- bookworm-amd64 trixie-amd64 trixie-arm64

work="" registered="" inside="" mounted=""
clean() {
    # As the first of its own process namespace it takes everything in there with it, mounts too.
    [ -z "$inside" ] || kill -9 "$inside" 2>/dev/null || true
    [ -z "$registered" ] || echo -1 >/proc/sys/fs/binfmt_misc/qemu-aarch64
    [ -z "$mounted" ] || umount /proc/sys/fs/binfmt_misc
    [ -z "$work" ] || rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM

need() { # need COMMAND PACKAGE
    command -v "$1" >/dev/null || apt-get install -y --no-install-recommends "$2" >/dev/null ||
        { apt-get update >/dev/null && apt-get install -y --no-install-recommends "$2" >/dev/null; } ||
        fail "$2 is missing; install it with: apt-get install $2"
}

# Where Debian is got here, first of all this machine's own place for it.
# shellcheck disable=SC2016
mirror() { apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/*$' || fail "apt knows no mirror of Debian."; }

make_root() { # make_root SUITE-ARCHITECTURE
    [ -e "$cache/$1.tar" ] && return
    mkdir -p "$cache"
    printf 'Making a clean %s; this happens once.\n' "$1"
    mmdebstrap --quiet --architectures="${1#*-}" --variant=important --format=tar "${1%-*}" "$cache/$1.tar.new" "$(mirror)"
    mv "$cache/$1.tar.new" "$cache/$1.tar"
}

emulate() { # Programs for arm64 run here until this script ends, unless they did already.
    case "$(uname -m)" in aarch64) return ;; esac
    need qemu-aarch64-static qemu-user-static
    need arch-test arch-test
    if [ ! -e /proc/sys/fs/binfmt_misc/register ]; then
        mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
        mounted=yes
    fi
    [ -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ] && return
    cat /usr/lib/binfmt.d/qemu-aarch64.conf >/proc/sys/fs/binfmt_misc/register
    registered=yes
}

need mmdebstrap mmdebstrap
need systemd-nspawn systemd-container
mkdir -p "$cache"
work=$(mktemp -d "$cache/work.XXXXXX")
locks=$(cat requirements/*.txt deploy/wheelhouse.sh | sha256sum)
if [ "$(cat "$cache/wheels/locks" 2>/dev/null)" != "$locks" ]; then
    deploy/wheelhouse.sh "$cache/wheels" aarch64 x86_64
    printf '%s\n' "$locks" >"$cache/wheels/locks"
fi
asked=$(sed -n '/^install_packages()/,/^}/p' deploy/install.sh | sha256sum | cut -c 1-12)
for root in "$@"; do
    case "$root" in *-arm64) emulate ;; esac
    make_root "$root"
    for machine in server kiosk; do
        mkdir -p "$work/$root/$machine"
        # With its packages already, if apt has been asked for just these since.
        from=$cache/$root-$machine-$asked.tar
        [ -e "$from" ] || from=$cache/$root.tar
        tar -x -C "$work/$root/$machine" -f "$from"
    done
    began=$SECONDS
    unshare --mount --mount-proc --pid --fork --kill-child "$here/tests/install/inside.sh" "$work/$root" "$cache/wheels" \
        "$cache/$root" "$asked" &
    inside=$!
    wait "$inside" || fail "$root: not everything held; what was said last stands above."
    inside=""
    printf '%s: everything held, in %s s.\n\n' "$root" $((SECONDS - began))
    rm -rf "${work:?}/$root"
done
