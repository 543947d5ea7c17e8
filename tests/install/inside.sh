#!/usr/bin/env bash
# inside.sh SYSTEMS WHEELS CACHE ASKED, in namespaces of its own: what run.sh made is installed into, and each promise looked at.
# Without an init: each program is started by its unit's ExecStart, as the unit's user. boot.sh has systemd do it.
set -euo pipefail
systems=$1 wheels=$2 cache=$3 asked=$4
source=$(cd "$(dirname "$0")/../.." && pwd)
server=$systems/server kiosk=$systems/kiosk
D=/srv/floorbell
. "$source/tests/install/asserting.sh"
# How many times slower programs are here than their processor would have them.
patience=1
case "$systems $(uname -m)" in *aarch64) ;; *-arm64\ *) patience=8 ;; esac

prepare() { # prepare ROOT: what a chroot needs, the release and the wheels; daemons that apt brings stay down.
    mount --make-rprivate / 2>/dev/null || true
    mount -t proc proc "$1/proc"
    mount --bind /sys "$1/sys"
    mount --bind /dev "$1/dev"
    mkdir -p "$1$D" "$1/srv/wheels" "$1/run/lock"
    mount --bind "$wheels" "$1/srv/wheels"
    printf '127.0.0.1 localhost floorbell.test\n' >"$1/etc/hosts"
    cp /etc/resolv.conf "$1/etc/resolv.conf"
    printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
    chmod 0755 "$1/usr/sbin/policy-rc.d"
    release_into "$1$D"
}

start() { # start ROOT UNIT [MORE]: its ExecStart as its user; nothing is left of it when this script ends.
    local unit=$1/etc/systemd/system/$2 command
    command=$(sed -n 's/^ExecStart=//p' "$unit")
    # shellcheck disable=SC2086
    chroot "$1" setpriv --reuid=floorbell --regid=floorbell --init-groups env -C /tmp $command ${3:-} \
        >"$1/tmp/$2.log" 2>&1 &
    started+=($!)
}

stop_all() {
    local pid
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
    started=()
}

start_server() {
    start "$server" floorbell-broker.service
    until_true 60 "Mosquitto listens" chroot "$server" grep -q :22B3 /proc/net/tcp
    for name in worker web vault messenger; do start "$server" floorbell-$name.service; done
    until_true 120 "the store is ready" quiet chroot "$server" floorbell upgrade ready --within 5
}

press() { # press BUTTON at the kiosk's pins
    chroot "$kiosk" env PYTHONPATH=/opt/floorbell/current /opt/floorbell/current/.venv/bin/python - "$1" <<'PYTHON'
import sys, time
from pathlib import Path
from deploy.demo.control import Hand
hand = Hand(Path("/run/floorbell/hand"))
hand.press(sys.argv[1]); time.sleep(0.2); hand.release(sys.argv[1])
PYTHON
}

start_kiosk() { # The kiosk as it is, on pins that can be pressed from here.
    # That of the kiosk before, which hears nothing any more, is not to be taken for the new one.
    rm -f "$kiosk/run/floorbell/hand"
    mkdir -p "$kiosk/run/floorbell"
    chroot "$kiosk" chown floorbell: /run/floorbell
    chroot "$kiosk" setpriv --reuid=floorbell --regid=floorbell --init-groups env -C /run/floorbell \
        PYTHONPATH=/opt/floorbell/current /opt/floorbell/current/.venv/bin/python -m deploy.demo.kiosk \
        --config /etc/floorbell/kiosk.toml --socket /run/floorbell/hand >"$kiosk/tmp/pressed.log" 2>&1 &
    started+=($!)
    until_true 120 "the kiosk has its socket" test -S "$kiosk/run/floorbell/hand"
}

events() {
    chroot "$server" python3 -c 'import sqlite3; print(sqlite3.connect("/var/lib/floorbell/floorbell.db").execute("SELECT count(*) FROM event").fetchone()[0])'
}
more_events() { [ "$(events)" -gt "$1" ]; }

install() { # install ROOT KIND …
    local root=$1
    shift
    chroot "$root" "$D/deploy/install.sh" "$@"
}

started=()
for root in "$server" "$kiosk"; do prepare "$root"; done

step "apt, with internet; all else is done without"
install "$server" server --packages-only >"$systems/log" 2>&1 || show "$systems/log"
install "$kiosk" kiosk --packages-only --camera >"$systems/log" 2>&1 || show "$systems/log"

for machine in server kiosk; do
    if [ ! -e "$cache-$machine-$asked.tar" ]; then
        rm -f "$cache-$machine"-*.tar
        tar -c --one-file-system --exclude="./srv/*" -C "$systems/$machine" -f "$cache-$machine-$asked.tar.new" .
        mv "$cache-$machine-$asked.tar.new" "$cache-$machine-$asked.tar"
    fi
done

exec unshare --net bash -c "$(declare -f); $(declare -p systems wheels source server kiosk D started steps patience)
set -euo pipefail
ip link set lo up
. \"$source/tests/install/story.sh\""
