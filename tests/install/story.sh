# From an empty machine to a store that hears a press, an upgrade, a way back, and off again. Read by inside.sh.
# shellcheck shell=bash disable=SC2154

printf 'correct horse battery\n' >"$server/srv/passphrase"
mode() { stat -c '%U:%G %a' "$1"; }
modes() { # modes ROOT PATH OWNER:GROUP MODE
    local found
    found=$(chroot "$1" stat -c '%U:%G %a' "$2")
    [ "$found" = "$3 $4" ] || broken "$2 is $3 $4; it is $found"
}
units_hold() { # units_hold ROOT KIND
    local unit score
    for unit in "$1"/etc/systemd/system/floorbell*.service; do
        unit=${unit##*/}
        chroot "$1" systemd-analyze verify "/etc/systemd/system/${unit/@/@kiosk}" >"$systems/verify" 2>&1 ||
            show "$systems/verify"
        score=$(chroot "$1" systemd-analyze security --offline=true "/etc/systemd/system/$unit" 2>/dev/null |
            sed -n 's/.*exposure level for [^:]*: \([0-9.]*\).*/\1/p')
        python3 -c "import sys; sys.exit(not float('$score') < 2.5)" || broken "$unit is below 2.5; it is at $score"
        printf '    %s %s\n' "$unit" "$score"
    done
}

step "a server: the store, the second time nothing, units, users, modes"
refused "is no kind of machine; allowed are server and kiosk" install "$server" till
refused "is no option of a server" install "$server" server --camera
refused "--store needs a title and a zone" install "$server" server --store trial
refused "is no folder" install "$server" server --wheels /nowhere
install "$server" server --wheels /srv/wheels --messenger --s3 --postgresql --store trial --title "The trial store" \
    --zone tills=Tills --zone "shoes=Ladies' shoes" --beside tills=shoes --host floorbell.test \
    --passphrase-file /srv/passphrase >"$systems/log" 2>&1 || show "$systems/log"
said=$(install "$server" server --wheels /srv/wheels) || broken "the second run works"
says "$said" "Nothing had to be changed"
units_hold "$server"
modes "$server" /etc/floorbell root:floorbell 750
modes "$server" /etc/floorbell/edge.toml root:floorbell 640
modes "$server" /var/lib/floorbell floorbell:floorbell 750
modes "$server" /var/lib/floorbell/identity/ca/ca.key floorbell:floorbell 600
modes "$server" /var/lib/floorbell/floorbell.db floorbell:floorbell 600
modes "$server" /opt/floorbell/current/edge root:root 755
[ "$(chroot "$server" getent passwd floorbell | cut -d : -f 7)" = /usr/sbin/nologin ] || broken "floorbell has no login"
holds "the units are enabled" chroot "$server" systemctl is-enabled floorbell.target floorbell-worker.service

step "its programs, each by ExecStart as its user"
start_server
before=$(events)
page() { # page ADDRESS [CA]: it is there, and trusted
    chroot "$server" python3 -c 'import ssl, sys, urllib.request as r
r.urlopen(sys.argv[1], timeout=60, context=ssl.create_default_context(cafile=sys.argv[2]) if sys.argv[2:] else None)' "$@"
}
holds "the pages are trusted by whoever installed the CA for phones" \
    page https://floorbell.test:8443/healthz /var/lib/floorbell/identity/phones/ca.crt
holds "phones find that CA" page http://floorbell.test:8081/trust
holds "the QR code for it is shown" chroot "$server" floorbell ca qr
holds "the CA key is copied onto what only root may write" chroot "$server" sh -c \
    'mkdir -m 0700 /srv/stick && floorbell ca backup --to /srv/stick/ca.pem --passphrase-file /srv/passphrase'
rm "$server/var/lib/floorbell/identity/ca/ca.key"
holds "and is put back from there, as its user's" chroot "$server" floorbell ca restore --from /srv/stick/ca.pem \
    --passphrase-file /srv/passphrase
modes "$server" /var/lib/floorbell/identity/ca/ca.key floorbell:floorbell 600
says "$(chroot "$server" floorbell person first 2>&1)" "/manage/first"

step "a kiosk: let in by a code, the second time nothing, units, users, modes"
install "$kiosk" kiosk --camera --wheels /srv/wheels >"$systems/log" 2>&1 || show "$systems/log"
chroot "$server" floorbell device invite kiosk-1 --zone shoes --passphrase-file /srv/passphrase \
    >"$systems/invite" 2>&1 &
started+=($!)
until_true 60 "a code is shown" grep -q 'kiosk enrol' "$systems/invite"
code=$(sed -n 's/.*kiosk enrol \([^ ]*\).*/\1/p' "$systems/invite")
install "$kiosk" kiosk --wheels /srv/wheels --enrol "$code" >"$systems/log" 2>&1 || show "$systems/log"
said=$(install "$kiosk" kiosk --wheels /srv/wheels) || broken "the second run works"
says "$said" "Nothing had to be changed"
units_hold "$kiosk"
modes "$kiosk" /etc/floorbell/kiosk.toml root:floorbell 640
modes "$kiosk" /var/lib/floorbell/identity/tls.key floorbell:floorbell 600
modes "$kiosk" /opt/floorbell root:floorbell-update 1775
modes "$kiosk" /opt/floorbell/keeper/run root:root 755
modes "$kiosk" /opt/floorbell/slots/b floorbell-update:floorbell-update 755
groups=$(chroot "$kiosk" id -nG floorbell)
says " $groups " " video "
# Debian's Bookworm has none; Raspberry Pi OS has.
[ ! -e "$kiosk/usr/lib/python3/dist-packages/lgpio.py" ] || holds "lgpio is there" chroot "$kiosk" /opt/floorbell/current/.venv/bin/python -c 'import lgpio, gpiozero; lgpio.gpiochip_open'
refused "is a kiosk; uninstall that first" install "$kiosk" server

step "a press at its pins is in the store"
sed -i 's|^source = "picamera"|source = "scene"  #|' "$kiosk/etc/floorbell/kiosk.toml"
start_kiosk
until_true 120 "the kiosk reaches the store" quiet chroot "$server" sh -c 'floorbell device list | grep -q "kiosk-1.*online"'
press fitting-room
until_true 60 "the press is in the store" more_events "$before"
after=$(events)
stop_all

boot() { # boot ROOT SCRIPT: with systemd as its init, and no network
    local mounted
    cp "$source/tests/install/$2" "$1/srv/booted.sh"
    cp "$source/tests/install/asserting.sh" "$1/srv/asserting.sh"
    cat >"$1/etc/systemd/system/install-check.service" <<UNIT
[Service]
ExecStart=/bin/bash /srv/booted.sh
ExecStopPost=/bin/systemctl poweroff --no-block
StandardOutput=file:/srv/booted.log
StandardError=file:/srv/booted.log
[Install]
WantedBy=multi-user.target
UNIT
    chroot "$1" systemctl enable -q install-check.service
    for mounted in dev sys proc; do umount "$1/$mounted"; done
    SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=$unified timeout -k 10 1500 systemd-nspawn -q -D "$1" --machine="floorbell-$$" --boot --register=no \
        --keep-unit --private-network </dev/null >"$systems/boot" 2>&1 || true
    rmdir "/run/systemd/nspawn/propagate/floorbell-$$" 2>/dev/null || true
    grep '^  ' "$1/srv/booted.log" || true
    if [ "$(tail -n 1 "$1/srv/booted.log")" != "EVERYTHING HELD" ]; then
        tail -n 40 "$systems/boot" "$1/srv/booted.log" >&2
        broken "with systemd as its init everything holds"
    fi
    mount -t proc proc "$1/proc"
    mount --bind /sys "$1/sys"
    mount --bind /dev "$1/dev"
    rm "$1/etc/systemd/system/multi-user.target.wants/install-check.service" "$1/etc/systemd/system/install-check.service"
}

case "$systems" in
    *-arm64) step "(arm64 is emulated here, where systemd cannot be the init)" ;;
    *)
        case "$systems" in *bookworm*) unified=0 ;; *) unified=1 ;; esac
        step "the server with systemd as its init"
        boot "$server" booted_server.sh
        step "the kiosk with systemd as its init"
        mkdir -p "$kiosk/etc/systemd/system/floorbell-kiosk.service.d"
        printf '[Service]\nExecStart=\nExecStart=%s --pins mock\n' \
            "$(sed -n 's/^ExecStart=//p' "$kiosk/etc/systemd/system/floorbell-kiosk.service")" \
            >"$kiosk/etc/systemd/system/floorbell-kiosk.service.d/pins.conf"
        sed -i 's/^# \[screen\]/[screen]/' "$kiosk/etc/floorbell/kiosk.toml"
        boot "$kiosk" booted_kiosk.sh
        rm -r "$kiosk/etc/systemd/system/floorbell-kiosk.service.d"
        ;;
esac

step "an upgrade with a migration: the database is copied, the store goes on, a unit of somebody's own stays"
own=$server/etc/systemd/system/floorbell-own.service
printf '[Service]\nExecStart=/bin/true\n' >"$own"
cp -a "$server$D" "$server/srv/next"
D=/srv/next
next_release "$server/srv/next"
said=$(install "$server" server --wheels /srv/wheels) || broken "the upgrade works"
says "$said" "brought from"
[ "$(readlink "$server/opt/floorbell/current")" = slots/a ] || broken "current leads to slots/a"
[ -e "$own" ] || broken "somebody's own unit is left alone"
said=$(install "$server" server --wheels /srv/wheels)
says "$said" "Nothing had to be changed"
start_server
start_kiosk
press till
until_true 60 "a press reaches the new release" more_events "$after"
stop_all

step "back again: refused as long as something would be lost unasked"
D=/srv/next
refused "loses" install "$server" server --rollback
[ "$(readlink "$server/opt/floorbell/current")" = slots/a ] || broken "current still leads to slots/a"
said=$(install "$server" server --rollback --with-database) || broken "the way back works"
says "$said" "The release 0.1.0"
[ "$(events)" = "$after" ] || broken "the database is the copy"
start_server
stop_all

step "off again: data stays until it is told to go"
D=/srv/floorbell
install "$server" server --uninstall >"$systems/log" 2>&1 || show "$systems/log"
for path in /opt/floorbell /usr/local/bin/floorbell /etc/systemd/system/floorbell-worker.service; do
    [ ! -e "$server$path" ] || broken "$path is gone"
done
[ -e "$own" ] || broken "somebody's own unit outlives Floorbell"
[ "$(events)" = "$after" ] || broken "the database is still there"
holds "the configuration is still there" test -e "$server/etc/floorbell/edge.toml"
install "$server" server --wheels /srv/wheels >"$systems/log" 2>&1 || show "$systems/log"
start_server
[ "$(events)" = "$after" ] || broken "installed again it is the same store"
stop_all
for root in server kiosk; do
    install "$systems/$root" $root --uninstall --purge-data >"$systems/log" 2>&1 || show "$systems/log"
    for path in /opt/floorbell /etc/floorbell /var/lib/floorbell; do
        [ ! -e "$systems/$root$path" ] || broken "$path is gone"
    done
    ! grep -q floorbell "$systems/$root/etc/passwd" || broken "the users are gone"
done
printf '  %s steps.\n' "$steps"
