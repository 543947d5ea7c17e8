#!/bin/sh
# Makes this machine a store server or a kiosk, brings it to this release, takes it back, or takes it off.
# For 64-bit Raspberry Pi OS and Debian, Bookworm and Trixie; from a clone or an unpacked release, as root.
# What a technician wrote in /etc/floorbell is never written over. Done twice, the second time changes nothing;
# cut off anywhere, the same command finishes it.
set -eu
umask 022
usage='Usage: deploy/install.sh server [--store NAME --title TITLE --zone NAME=TITLE …] [--messenger] [--bridge] [--s3] [--postgresql] …
       deploy/install.sh kiosk [--enrol CODE] [--camera] [--screen] …

  --store NAME           make a store of this name, if there is none
    --title TITLE        what people call it
    --zone NAME=TITLE    one of its zones; as often as there are zones
    --beside NAME=NAME   two zones beside each other
    --host NAME          how kiosks find this server; HOSTNAME.local if not given
    --passphrase-file F  the passphrase of the CA key in its first line; without it you are asked
  --release-keys FILE    the public keys of whoever makes releases; without them none is taken over the air
  --enrol CODE           let this kiosk in by the code that "floorbell device invite" shows on the server
    --anew               though it is let in already: with other keys, in the place of what it has
  --camera, --screen     a kiosk with a camera, with a display
  --messenger            call phones that are locked, and people outside the store (needs the internet)
  --bridge               tell Home Assistant how the kiosks are
  --s3, --postgresql     what backups into a bucket, and a database on PostgreSQL, need
  --wheels DIR           take the Python packages from there (deploy/wheelhouse.sh), not from the index
  --packages-only        the packages of the system and no more: where there is internet, before going to the shop
  --database-copied      the database is no file, and somebody has copied it
  --rollback             go back to the release before
    --with-database      and to its copy of the database, whatever has come since
  --uninstall            leaves configuration and data
    --purge-data         takes them, too'

opt=/opt/floorbell etc=/etc/floorbell data=/var/lib/floorbell units=/etc/systemd/system
parts='broker kiosk edge deploy requirements pyproject.toml README.md CHANGELOG.md LICENSE'
source=$(cd "$(dirname "$0")/.." && pwd)
changes=0

say() { printf '%s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }
did() { changes=$((changes + 1)); say "$*"; }
as_service() { setpriv --reuid=floorbell --regid=floorbell --init-groups env HOME="$data" "$@"; }
running() { [ -d /run/systemd/system ]; }
keeper() { PYTHONPATH=$source python3 -P -B -m kiosk.keeper "$@" --root "$opt"; }
current() { basename "$(readlink "$opt/current" 2>/dev/null || true)"; }
other() { if [ "$(current)" = b ]; then say a; else say b; fi; }
version_in() { sed -n 's/^VERSION = "\(.*\)"$/\1/p' "$1/kiosk/__init__.py" 2>/dev/null; }
installed() { dpkg-query -W -f '${Status}\n' "$1" 2>/dev/null | grep -q '^install ok installed'; }
setting() { # setting FILE TABLE KEY: what stands there, or nothing.
    python3 - "$@" <<'PYTHON'
import sys, tomllib
try:
    said = tomllib.load(open(sys.argv[1], "rb"))
    print(said.get(sys.argv[2], {}).get(sys.argv[3], ""))
except (OSError, ValueError, AttributeError):
    print("")
PYTHON
}

put() { # put FILE DESTINATION MODE: the file is there, with that content.
    if ! cmp -s "$1" "$2" || [ "$(stat -c %a "$2")" != "${3#0}" ]; then
        mkdir -p "$(dirname "$2")"
        install -m "$3" "$1" "$2.new"
        mv "$2.new" "$2"
        did "Wrote $2."
        return 0
    fi
    return 1
}

take() { # take FILE …: they are gone.
    for file in "$@"; do
        if [ -e "$file" ] || [ -L "$file" ]; then
            rm -rf "$file"
            did "Removed $file."
        fi
    done
}

folder() { # folder PATH OWNER GROUP MODE: it is there, and theirs.
    if [ "$(stat -c '%U %G %a' "$1" 2>/dev/null)" != "$2 $3 ${4#0}" ]; then
        install -d -o "$2" -g "$3" -m "$4" "$1"
        did "Made $1."
    fi
}

check_said() { # check_said OPTION VALUE: what is mistyped is said before minutes are spent.
    case "$1" in
        --store)
            printf '%s\n' "$2" | LC_ALL=C grep -Eqx '[a-z0-9][a-z0-9-]{0,31}' ||
                fail "The store's name is '$2'; allowed is 1 to 32 of a-z, 0-9 and '-', beginning with a letter or digit." ;;
        --zone)
            printf '%s\n' "$2" | LC_ALL=C grep -Eqx '[a-z0-9][a-z0-9-]{0,31}=.+' ||
                fail "--zone is '$2'; allowed is NAME=TITLE, as in tills=Tills, the name of a-z, 0-9 and '-'." ;;
        --enrol)
            case "$2" in
                ?*@?*) ;;
                *) fail "The code has no server behind an @; allowed is XXXX-…-XXXX@host as it was shown." ;;
            esac ;;
    esac
}

read_arguments() {
    kind=${1:-}
    case "$kind" in
        server | kiosk) shift ;;
        -h | --help) say "$usage"; exit 0 ;;
        '') fail "What is this machine to be? deploy/install.sh server, or deploy/install.sh kiosk." ;;
        *) fail "'$kind' is no kind of machine; allowed are server and kiosk." ;;
    esac
    store='' title='' zones='' host='' passphrase='' code='' anew='' let_in='' wheels='' keys=''
    more='' made='' action=install with_database='' purge='' copied='' packages_only=''
    while [ $# -gt 0 ]; do
        case "$1" in
            --store | --title | --zone | --beside | --host | --passphrase-file | --enrol | --wheels | --release-keys)
                [ $# -gt 1 ] || fail "$1 needs a value; see deploy/install.sh --help." ;;
        esac
        case "$kind $1" in
            'server --store') check_said "$1" "$2"; store=$2; shift ;;
            'server --title') title=$2; shift ;;
            'server --zone') check_said "$1" "$2"; zones="$zones--zone
$2
"; shift ;;
            'server --beside') zones="$zones--beside
$2
"; shift ;;
            'server --host') host=$2; shift ;;
            'server --passphrase-file') passphrase=$2; shift ;;
            'server --messenger') more="$more messenger" ;;
            'server --bridge') more="$more bridge" ;;
            'server --s3') more="$more s3" ;;
            'server --postgresql') more="$more postgresql" ;;
            'server --database-copied') copied=--copied-elsewhere ;;
            'server --with-database') with_database=--with-database ;;
            'kiosk --enrol') check_said "$1" "$2"; code=$2; shift ;;
            'kiosk --anew') anew=--anew ;;
            'kiosk --camera') more="$more camera" ;;
            'kiosk --screen') more="$more screen" ;;
            *' --wheels') wheels=$2; shift ;;
            *' --release-keys') keys=$2; shift ;;
            *' --packages-only') packages_only=yes ;;
            *' --rollback') action=rollback ;;
            *' --uninstall') action=uninstall ;;
            *' --purge-data') purge=yes ;;
            *' -h' | *' --help') say "$usage"; exit 0 ;;
            *) fail "$1 is no option of a $kind; deploy/install.sh --help shows those that are allowed." ;;
        esac
        shift
    done
    [ -z "$with_database" ] || [ "$action" = rollback ] || fail "--with-database goes with --rollback only."
    [ -z "$anew" ] || [ -n "$code" ] || fail "--anew goes with --enrol only."
    [ -z "$purge" ] || [ "$action" = uninstall ] || fail "--purge-data goes with --uninstall only."
    if [ -n "$store" ]; then
        if [ -z "$title" ] || [ -z "$zones" ]; then
            fail "--store needs a title and a zone, as in --store riverside --title Riverside --zone tills=Tills."
        fi
    elif [ -n "$title$zones$host$passphrase" ]; then
        fail "--title, --zone, --beside, --host and --passphrase-file go with --store only."
    fi
    if [ -n "$wheels" ]; then
        [ -d "$wheels" ] || fail "$wheels is no folder; --wheels names one that deploy/wheelhouse.sh has filled."
        wheels=$(cd "$wheels" && pwd)
    fi
}

check_machine() {
    [ "$(id -u)" -eq 0 ] || fail "Only root can install; try: sudo deploy/install.sh $kind"
    command -v apt-get >/dev/null 2>&1 || fail "This system has no apt-get; allowed are Debian and Raspberry Pi OS."
    case "$(getconf LONG_BIT) $(uname -m)" in
        '64 x86_64' | '64 aarch64') ;;
        *) fail "This system is $(getconf LONG_BIT)-bit on $(uname -m); allowed is 64-bit on x86_64 or aarch64." ;;
    esac
    # shellcheck disable=SC1091
    system=$(. /etc/os-release; say "$ID ${VERSION_ID:-}")
    case "$system" in
        'debian 12' | 'debian 13') ;;
        *) say "This system is $system, where it was not tried; debian 12 and 13 are." ;;
    esac
    # One machine, one kind: both use the same folders.
    there=$(cat "$opt/kind" 2>/dev/null || true)
    case "$there" in
        '' | "$kind"*) ;;
        *) fail "This machine is a ${there%% *}; uninstall that first: deploy/install.sh ${there%% *} --uninstall" ;;
    esac
    mkdir -p /run/lock
    exec 9>/run/lock/floorbell-install
    flock -n 9 || fail "Another installation is at work; wait for its end."
}

remember_parts() { # What was chosen once stays chosen: an upgrade need not name it.
    more=$(printf '%s\n' "${there#"$kind"} $more" | tr -s ' ' '\n' | sort -u | tr '\n' ' ')
}

has() { case " $more " in *" $1 "*) ;; *) return 1 ;; esac; }

install_packages() {
    wanted='python3 python3-venv avahi-daemon libnss-mdns ca-certificates'
    time=systemd-timesyncd
    [ "$kind" = server ] && { wanted="$wanted mosquitto"; time=chrony; }
    # Whatever else keeps the clock already is left alone.
    if installed ntpsec || installed openntpd || { [ "$kind" = kiosk ] && installed chrony; }; then time=; fi
    wanted="$wanted $time"
    optional=
    [ "$kind" = server ] || optional=python3-lgpio
    if has camera; then optional="$optional python3-picamera2"; fi
    if has screen && ! installed chromium-browser; then wanted="$wanted chromium"; fi
    missing=
    for package in $wanted; do installed "$package" || missing="$missing $package"; done
    export DEBIAN_FRONTEND=noninteractive
    if [ -n "$missing" ]; then
        apt-get update -q </dev/null >/dev/null || fail "apt could not read its lists; its message is above."
    fi
    for package in $optional; do
        if installed "$package"; then continue; fi
        if apt-cache show "$package" >/dev/null 2>&1; then
            missing="$missing $package"
        else
            say "This system has no $package, which only Raspberry Pi OS has everywhere; without it a kiosk has no" \
                "$(case "$package" in *lgpio) say "buttons of its own." ;; *) say "camera on the Pi's own connector." ;; esac)"
        fi
    done
    [ -n "$missing" ] || { silence_mosquitto; return 0; }
    say "Installing$missing with apt."
    scratch=$(mktemp)
    case "$missing " in *' mosquitto '*) mkdir -p "$opt"; : >"$opt/mosquitto-came" ;; esac
    # What an apt before this one was cut off in.
    dpkg --configure -a </dev/null >/dev/null || true
    # shellcheck disable=SC2086
    apt-get install -q -y --no-install-recommends $missing </dev/null >/dev/null 2>"$scratch" || {
        tail -n 3 "$scratch" >&2
        rm -f "$scratch"
        fail "apt could not install$missing. The end of its message is above; is there internet here?"
    }
    rm -f "$scratch"
    silence_mosquitto
    did "Installed$missing."
}

silence_mosquitto() { # The service that came with the package; one that was here before is left alone.
    [ -e "$opt/mosquitto-came" ] || return 0
    # Ours is another: mutual TLS, its own configuration, its own service.
    systemctl disable --now mosquitto.service >/dev/null 2>&1 || true
    rm "$opt/mosquitto-came"
}

make_users() {
    names=floorbell
    [ "$kind" = server ] || names='floorbell floorbell-update'
    for name in $names; do
        if ! getent passwd "$name" >/dev/null; then
            useradd --system --user-group --home-dir "$data" --no-create-home --shell /usr/sbin/nologin "$name"
            did "Added the user $name."
        fi
    done
    if [ "$kind" = kiosk ]; then
        for group in gpio video; do
            if getent group "$group" >/dev/null && ! id -nG floorbell | tr ' ' '\n' | grep -qx "$group"; then
                usermod -a -G "$group" floorbell
                did "Put the user floorbell into the group $group."
            fi
        done
    fi
    folder "$etc" root floorbell 0750
    if [ -n "$keys" ]; then
        [ -f "$keys" ] || fail "$keys is not there; it is to hold the public keys of releases, one in a line."
        put "$keys" "$etc/release.keys" 0644 || true
    fi
    folder "$data" floorbell floorbell 0750
}

digest() { # Of the code, and of what it is installed with.
    (
        cd "$source"
        # shellcheck disable=SC2086
        find $parts -type f ! -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
        python3 --version
        say "$kind $more"
    ) | sha256sum | cut -d ' ' -f 1
}

rest_keeper() { # It builds nothing into a slot that is being filled by hand; however that ends, it goes on.
    if [ "$kind" = kiosk ] && running && systemctl is-active -q floorbell-update.service; then
        trap 'systemctl start floorbell-update.service' EXIT
        systemctl stop floorbell-update.service
    fi
}

fill_slot() { # The release is whole in $slot, which may be the current one.
    for part in $parts; do
        [ -e "$source/$part" ] || fail "$source is no release of Floorbell: $part is missing."
    done
    wanted=$(digest)
    for slot in "$(current)" "$(other)"; do
        if [ "$(cat "$opt/slots/$slot/.installed" 2>/dev/null)" = "$wanted" ] &&
            [ ! -e "$opt/slots/$slot/unfinished" ]; then return 0; fi
    done
    slot=$(other)
    rest_keeper
    mkdir -p "$opt/slots" "$opt/update"
    say "Putting the release $(version_in "$source") into $opt/slots/$slot."
    keeper begin "$slot"
    # shellcheck disable=SC2086
    (cd "$source" && tar -c --exclude=__pycache__ $parts) | tar -x --no-same-owner -C "$opt/slots/$slot"
    chmod -R u=rwX,go=rX "$opt/slots/$slot"
    mode=$kind
    if has screen; then mode=$mode-screen; fi
    if has camera; then mode=$mode-camera; fi
    # pip unpacks where there is room: /tmp may be in memory.
    mkdir "$opt/slots/$slot/tmp"
    (
        export APT_WAS_ASKED=yes PIP_NO_CACHE_DIR=1 TMPDIR="$opt/slots/$slot/tmp"
        [ -z "$wheels" ] || export PIP_NO_INDEX=1 PIP_FIND_LINKS="$wheels" PIP_CONFIG_FILE=/dev/null
        "$opt/slots/$slot/deploy/bootstrap.sh" "$mode" || exit 1
        for extra in s3 postgresql; do
            if has "$extra"; then
                "$opt/slots/$slot/.venv/bin/python" -m pip install -qq --disable-pip-version-check --no-input \
                    --require-hashes -r "$opt/slots/$slot/requirements/$extra.txt" </dev/null || exit 1
            fi
        done
    ) || fail "The release could not be put into $opt/slots/$slot; what runs is as it was."
    rm -rf "$opt/slots/$slot/tmp"
    "$opt/slots/$slot/.venv/bin/python" -m compileall -q "$opt/slots/$slot" || true
    say "$wanted" >"$opt/slots/$slot/.installed"
    keeper finish "$slot"
    did "The release $(version_in "$source") is in $opt/slots/$slot."
}

own_slots() { # Updates over the air are the keeper's (kiosk/decisions/001); it stands outside of them.
    [ "$kind" = kiosk ] || return 0
    for file in "$source"/kiosk/keeper/*.py; do
        if ! cmp -s "$file" "$opt/keeper/kiosk/keeper/${file##*/}"; then
            keeper lay
            did "Laid the keeper of the slots at $opt/keeper."
        fi
    done
    # It turns the link in there; the sticky bit keeps its hands off the keeper, which root starts.
    chown root:floorbell-update "$opt"
    chmod 1775 "$opt"
    if [ -L "$opt/current" ]; then chown -h floorbell-update:floorbell-update "$opt/current"; fi
    chown -R -h floorbell-update:floorbell-update "$opt/slots" "$opt/update"
}

unit_names() { # The services of this machine.
    if [ "$kind" = server ]; then
        say floorbell-broker.service floorbell-worker.service floorbell-web.service floorbell-vault.service
        if has messenger; then say floorbell-messenger.service; fi
        if has bridge; then say floorbell-bridge.service; fi
    else
        say floorbell-kiosk.service
        if has camera; then say floorbell-camera@kiosk.service; fi
        if has screen; then say floorbell-screen.service; fi
    fi
}

started_names() { # What is enabled besides the services: timers and watched paths of this kind of machine.
    say floorbell.target
    for unit in "$1"/floorbell-backup*.timer "$1"/floorbell-update.service "$1"/floorbell-update.timer "$1"/*.path; do
        [ -e "$unit" ] || continue
        case "$kind ${unit##*/}" in
            'server floorbell-backup'*.timer | 'kiosk floorbell-update.'* | kiosk*.path) say "${unit##*/}" ;;
        esac
    done
}

belongs() { # belongs UNIT: whether this kind of machine has it.
    case "$kind $1" in
        *' floorbell.target') ;;
        'server floorbell-'*) case "$1" in *kiosk* | *camera* | *screen* | *update* | *.path) return 1 ;; esac ;;
        'kiosk floorbell-'*) case "$1" in *broker* | *worker* | *web* | *vault* | *messenger* | *bridge* | *backup*) return 1 ;; esac ;;
        *) return 1 ;;
    esac
}

instance() { say "$1" | sed 's/@\./@kiosk./'; } # instance UNIT: what of it runs here.

unit_files() { # unit_files RELEASE: the units in it that this kind of machine has.
    for file in "$1"/deploy/systemd/*; do
        if belongs "${file##*/}"; then say "${file##*/}"; fi
    done
}

brought() { # Units that a release of ours brought; all others are somebody's own.
    grep -x 'floorbell[A-Za-z0-9@.-]*' "$etc/units-brought" 2>/dev/null || true
}

remember_units() { # remember_units NAME …: as brought by a release.
    scratch=$(mktemp)
    { say '# Written by install.sh: the units that a release brought, and that another one may take away.'
      printf '%s\n' "$@" | LC_ALL=C sort -u; } >"$scratch"
    cmp -s "$scratch" "$etc/units-brought" || {
        install -m 0644 "$scratch" "$etc/units-brought.new"
        mv "$etc/units-brought.new" "$etc/units-brought"
    }
    rm -f "$scratch"
}

put_units() { # put_units RELEASE: its units, and none that only another one had.
    reload=
    # Before the first of them: what is cut off here is known all the same.
    # shellcheck disable=SC2046
    remember_units $(brought) $(unit_files "$1")
    for name in $(unit_files "$1"); do
        if put "$1/deploy/systemd/$name" "$units/$name" 0644; then reload=yes; fi
    done
    for name in $(brought); do
        if [ ! -f "$units/$name" ] || [ -e "$1/deploy/systemd/$name" ]; then continue; fi
        systemctl disable --now "$name" >/dev/null 2>&1 || true
        take "$units/$name"
        reload=yes
    done
    # shellcheck disable=SC2046
    remember_units $(unit_files "$1")
    if [ -n "$reload" ] && running; then systemctl daemon-reload; fi
    for unit in $(started_names "$1/deploy/systemd") $(unit_names); do
        if [ "$(systemctl is-enabled "$unit" 2>/dev/null || true)" != enabled ]; then
            systemctl enable -q "$unit"
            did "Enabled $unit."
        fi
    done
}

put_machine_files() {
    from=$source/deploy/machine
    put "$from/floorbell" /usr/local/bin/floorbell 0755 || true
    if put "$from/journald-$kind.conf" /etc/systemd/journald.conf.d/floorbell.conf 0644 && running; then
        systemctl restart systemd-journald.service
    fi
    if [ "$kind" = server ]; then
        put "$from/avahi.service" /etc/avahi/services/floorbell.service 0644 || true
        if installed chrony && put "$from/chrony.conf" /etc/chrony/conf.d/floorbell.conf 0644 && running; then
            systemctl restart chrony.service || true
        fi
        return 0
    fi
    for mount in tmp.mount var-tmp.mount; do
        # What the system itself has there wins, as on Trixie, and so does a line in fstab.
        where=/$(say "${mount%.mount}" | tr - /)
        if [ -e "/usr/lib/systemd/system/$mount" ] ||
            grep -Eq "^[^#[:space:]]+[[:space:]]+${where}[[:space:]]" /etc/fstab 2>/dev/null; then continue; fi
        put "$from/$mount" "$units/$mount" 0644 || true
        if [ "$(systemctl is-enabled "$mount" 2>/dev/null || true)" != enabled ]; then
            systemctl enable -q "$mount"
            did "Enabled $mount, from the next start of the machine."
        fi
    done
    if has screen; then put "$from/floorbell-screen.desktop" /etc/xdg/autostart/floorbell-screen.desktop 0644 || true; fi
    server=$(setting "$etc/kiosk.toml" broker host)
    if [ -n "$server" ] && installed systemd-timesyncd; then
        scratch=$(mktemp)
        { say '# The store server keeps the time, with or without internet.'; say '[Time]'; say "NTP=$server"; } >"$scratch"
        if put "$scratch" /etc/systemd/timesyncd.conf.d/floorbell.conf 0644 && running; then
            systemctl restart systemd-timesyncd.service || true
        fi
        rm -f "$scratch"
    fi
}

make_store() { # Its configuration takes its place last; until then nothing runs with it.
    [ -n "$store" ] || return 0
    if [ -e "$etc/edge.toml" ]; then
        say "$etc/edge.toml is there already; the store stays as it is."
        return 0
    fi
    # The first that is written of a store, and the last that is removed.
    if [ -e "$etc/edge.toml.unfinished" ]; then
        say "The making of a store was cut off; it is begun anew."
        rm -rf "$data/identity" "$data"/floorbell.db*
        rm "$etc/edge.toml.unfinished"
    elif [ -e "$data/identity" ] || [ -e "$data/floorbell.db" ]; then
        fail "$data holds a store already, and $etc/edge.toml is missing; put that back, or move $data away."
    fi
    [ -n "$host" ] || host=$(hostname).local
    set -f
    old_ifs=$IFS
    IFS='
'
    # shellcheck disable=SC2086
    set -- $zones
    IFS=$old_ifs
    set +f
    [ -z "$passphrase" ] || set -- "$@" --passphrase-file "$passphrase"
    "$opt/slots/$slot/.venv/bin/floorbell" provision store "$store" --title "$title" --dir "$data" --host "$host" \
        --web-port 8443 --config "$etc/edge.toml.unfinished" "$@" >/dev/null || fail "No store was made."
    if [ -e "$data/identity/web/tls.crt" ]; then
        # No proxy is needed: phones come to trust the store's own certificate by a QR code.
        sed -i -e '/^\[web\]/,$ s|^host = .*|host = "0.0.0.0"|' -e 's|^# tls = "store"|tls = "store"|' \
            -e 's|^# trust_port = |trust_port = |' "$etc/edge.toml.unfinished"
    fi
    chown -R floorbell:floorbell "$data"
    chown root:floorbell "$etc/edge.toml.unfinished"
    chmod 0640 "$etc/edge.toml.unfinished"
    mv "$etc/edge.toml.unfinished" "$etc/edge.toml"
    made=yes
    did "The store $store is made; kiosks find it as $host."
}

enrol() { # What it was let in as stays beside its keys, so that kiosk.toml can be written at any time.
    said=$data/identity/enrolled.toml
    if [ -n "$code" ]; then
        if [ -e "$data/identity/tls.crt" ] && [ -z "$anew" ]; then
            say "This kiosk is let in already; $data/identity stays as it is. With --anew it is let in again."
        else
            # shellcheck disable=SC2086
            words=$(as_service "$opt/slots/$slot/.venv/bin/floorbell" kiosk enrol "$code" --dir "$data/identity" $anew) ||
                fail "This kiosk was not let in."
            let_in=yes
            did "$(say "$words" | sed -n '1s/ In its kiosk.toml:$//p')"
        fi
    fi
    if [ ! -e "$said" ] || { [ -e "$etc/kiosk.toml" ] && [ -z "$let_in" ]; }; then return 0; fi
    if [ -e "$etc/kiosk.toml" ]; then
        say "$etc/kiosk.toml is there already; what it needs to say:"
        say "$words" | sed 1d
        return 0
    fi
    # Its user may write there what root would run: only what a name, a host or a port can be is taken.
    of() { sed -n "s/^$1 = \(\"\{0,1\}[A-Za-z0-9.-]*\"\{0,1\}\)\$/\1/p" "$said" | head -n 1; }
    sed -e "s|^store = .*|store = $(of store)|" -e "s|^device = .*|device = $(of device)|" \
        -e "s|^zone = .*|zone = $(of zone)|" -e "s|^host = .*|host = $(of host)|" -e "s|^port = .*|port = $(of port)|" \
        -e "s|^identity = .*|identity = \"$data/identity\"|" -e "s|^directory = .*|directory = \"$data/outbox\"|" \
        "$opt/slots/$slot/kiosk/kiosk.example.toml" >"$etc/kiosk.toml.new"
    sed -i '/^# \[update\]/,/^# word = / s|^# ||' "$etc/kiosk.toml.new"
    if has screen; then sed -i 's|^# \[screen\]|[screen]|' "$etc/kiosk.toml.new"; fi
    if has camera; then
        sed -i -e 's|^# \[camera\]|[camera]|' -e 's|^# source = |source = |' \
            -e "s|^# clips = \"clips\" *#|clips = \"$data/clips\"  #|" "$etc/kiosk.toml.new"
    fi
    chown root:floorbell "$etc/kiosk.toml.new"
    chmod 0640 "$etc/kiosk.toml.new"
    mv "$etc/kiosk.toml.new" "$etc/kiosk.toml"
    did "Wrote $etc/kiosk.toml."
}

all_active() { # systemctl itself is content with one.
    for unit in $(unit_names); do systemctl is-active -q "$unit" || return 1; done
}

configured() { [ -e "$etc/edge.toml" ] || [ -e "$etc/kiosk.toml" ]; }

start_rest() { # Timers and watched paths that are only enabled would not work before the next start of the machine.
    # shellcheck disable=SC2046
    systemctl start $(started_names "$opt/current/deploy/systemd") || true
}

healthy() { # All programs are up, and stay so; the server says itself that it is ready.
    failed=
    # shellcheck disable=SC2046
    systemctl restart $(unit_names) || failed=yes
    start_rest
    [ -z "$failed" ] || return 1
    if [ "$kind" = server ]; then
        as_service "$opt/current/.venv/bin/floorbell" upgrade ready --config "$etc/edge.toml" || return 1
    else
        sleep 5
    fi
    all_active
}

last_words() { # What each program that does not run said last.
    for unit in $(unit_names); do
        systemctl is-active -q "$unit" ||
            say "$unit: $(journalctl -q -o cat -n 20 _SYSTEMD_UNIT="$unit" 2>/dev/null |
                awk 'length > 2 { last = $0 } END { print last }')" >&2
    done
}

stop_programs() {
    running || return 0
    # shellcheck disable=SC2046
    systemctl stop floorbell.target $(unit_names) 2>/dev/null || true
}

go_back() { # go_back SLOT [--with-database]: from what runs to what is in SLOT.
    if [ "$kind" = server ] && [ -e "$etc/edge.toml" ]; then
        # shellcheck disable=SC2086
        as_service "$opt/slots/$1/.venv/bin/floorbell" upgrade undo ${2:-} --config "$etc/edge.toml" || return 1
    fi
    keeper use "$1"
    own_slots
    put_units "$opt/slots/$1"
}

turn_to_slot() { # Start everything from $slot, or go on as before.
    before=$(current)
    if [ "$before" != "$slot" ]; then
        stop_programs
        if [ "$kind" = server ] && [ -e "$etc/edge.toml" ]; then
            as_service "$opt/slots/$slot/.venv/bin/floorbell" upgrade database $copied --config "$etc/edge.toml" || {
                if [ -n "$before" ] && running; then healthy || true; fi
                fail "The release in $opt/slots/$slot is not used; what ran before runs on."
            }
        fi
        keeper use "$slot"
        did "$opt/current leads to slots/$slot."
    fi
    own_slots
    before_units=$changes
    put_units "$opt/slots/$slot"
    say "$kind $more" >"$opt/kind.new"
    mv "$opt/kind.new" "$opt/kind"
    running || { say "systemd does not run here: nothing was started."; return 0; }
    configured || return 0
    if [ "$before" = "$slot" ] && [ "$before_units" -eq "$changes" ] && [ -z "$let_in" ] && all_active; then
        start_rest
        return 0
    fi
    if healthy; then
        did "All programs run."
        return 0
    fi
    last_words
    if [ -z "$before" ] || [ "$before" = "$slot" ]; then
        fail "Not all programs run. Their last words are above, all of them in sudo journalctl -u 'floorbell-*' -n 50."
    fi
    stop_programs
    if go_back "$before" && healthy; then
        fail "The new release did not run; the release before runs again. journalctl -u 'floorbell-*' says why."
    fi
    healthy || true
    fail "The new release is not ready, and the one before could not be gone back to: the sentence above says why."
}

roll_back() {
    slot=$(other)
    if [ -z "$(current)" ] || [ ! -x "$opt/slots/$slot/.venv/bin/floorbell" ] || [ -e "$opt/slots/$slot/unfinished" ]; then
        fail "There is no release to go back to: $opt/slots/$slot holds none."
    fi
    stop_programs
    go_back "$slot" "$with_database" || {
        if running; then healthy || true; fi
        fail "Nothing was gone back to; $(version_in "$opt/current") runs on."
    }
    if running && configured && ! healthy; then
        fail "The release $(version_in "$opt/current") is back, but not all programs run; see journalctl -u 'floorbell-*'."
    fi
    say "The release $(version_in "$opt/current") in $opt/slots/$slot is back."
}

uninstall() {
    stop_programs
    gone=$(brought; unit_files "$opt/current")
    for file in $gone; do
        systemctl disable -q --now "$(instance "$file")" 2>/dev/null || true
    done
    for mount in tmp.mount var-tmp.mount; do
        cmp -s "$source/deploy/machine/$mount" "$units/$mount" || continue
        systemctl disable -q "$mount" 2>/dev/null || true
        take "$units/$mount"
    done
    for file in $gone; do
        take "$units/$file"
        rmdir "$units/$file.wants" 2>/dev/null || true
        # What somebody here has changed of it.
        if [ -n "$purge" ]; then take "$units/$file.d" "$units/$(instance "$file").d"; fi
    done
    rm -f "$etc/units-brought"
    take /usr/local/bin/floorbell /etc/systemd/journald.conf.d/floorbell.conf \
        /etc/avahi/services/floorbell.service /etc/chrony/conf.d/floorbell.conf \
        /etc/systemd/timesyncd.conf.d/floorbell.conf /etc/xdg/autostart/floorbell-screen.desktop "$opt"
    if running; then systemctl daemon-reload; fi
    if [ -n "$purge" ]; then
        take "$etc" "$data"
        for name in floorbell floorbell-update; do
            if getent passwd "$name" >/dev/null; then
                userdel "$name"
                did "Removed the user $name."
            fi
        done
    else
        say "Left behind: $etc and $data, with the users they belong to; --purge-data takes them, too."
    fi
    say "What apt installed stays; Floorbell is off this machine."
}

next_steps() {
    if [ -n "$made" ]; then
        say "Write the passphrase down: nothing can replace it. Next:"
        say "  sudo floorbell ca backup --to FILE    the copy of the CA's key, on a stick"
        say "  sudo floorbell ca qr                  how phones come to trust this server"
        say "  sudo floorbell person first           the code for the first admin"
    fi
    if [ -n "$let_in" ]; then
        say "Next, which button is at which pin: sudo nano $etc/kiosk.toml"
        say "and whether each lamp and button works: sudo systemctl stop floorbell-kiosk; sudo floorbell kiosk check"
    fi
    if [ "$kind" = server ] && ! configured; then
        say "Next, the store: sudo deploy/install.sh server --store riverside --title Riverside --zone tills=Tills"
    elif [ "$kind" = kiosk ] && ! configured; then
        say "Next, on the server: sudo floorbell device invite NAME --zone ZONE"
        say "and here: sudo deploy/install.sh kiosk --enrol CODE"
    fi
}

read_arguments "$@"
check_machine
remember_parts
case "$action" in
    uninstall) uninstall; exit 0 ;;
    rollback) roll_back; exit 0 ;;
esac
install_packages
[ -z "$packages_only" ] || { say "The system's packages are there."; exit 0; }
make_users
fill_slot
make_store
enrol
put_machine_files
turn_to_slot
if [ "$changes" -eq 0 ]; then
    say "Nothing had to be changed: this $kind has the release $(version_in "$opt/current")."
else
    say "This $kind has the release $(version_in "$opt/current")."
fi
next_steps
