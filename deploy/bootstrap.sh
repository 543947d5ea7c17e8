#!/bin/sh
# Installs what Floorbell needs on Debian or Raspberry Pi OS: bootstrap.sh demo | server | kiosk | kiosk-screen | kiosk-camera | kiosk-screen-camera | test | hardware
# System packages come from apt, Python ones from the locked requirements into .venv. Repeating it is cheap.
# apt may start a Mosquitto of the system's own on port 1883: we neither use nor touch it.
set -eu
cd "$(dirname "$0")/.."
root=$(pwd)

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
have() { PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$1" >/dev/null 2>&1; }

apt_install() {
    # deploy/install.sh has asked apt already.
    [ -z "${APT_WAS_ASKED:-}" ] || fail "$* is missing."
    command -v apt-get >/dev/null 2>&1 || fail "This system has no apt-get; install $* by hand and try again."
    if [ "$(id -u)" -eq 0 ]; then
        sudo=
    elif command -v sudo >/dev/null 2>&1 && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
        sudo=sudo
    else
        fail "$* is missing; install it as root with: apt-get install $*"
    fi
    say "Installing $* with apt."
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    $sudo apt-get install -y --no-install-recommends "$@" </dev/null >/dev/null 2>&1 ||
        { $sudo apt-get update </dev/null >/dev/null && $sudo apt-get install -y --no-install-recommends "$@" \
            </dev/null >/dev/null; } || fail "apt could not install $*; its message is above."
}

mode=${1:-demo}
case "$mode" in
    server | kiosk) locks="requirements/edge.txt requirements/kiosk.txt" ;;
    # What a screen or a camera needs holds what a kiosk needs.
    kiosk-screen) locks="requirements/edge.txt requirements/screen.txt" ;;
    kiosk-camera) locks="requirements/edge.txt requirements/camera.txt" ;;
    demo | kiosk-screen-camera)
        locks="requirements/edge.txt requirements/screen.txt requirements/camera.txt" ;;
    test | hardware) locks="requirements/dev.txt" ;;
    *) fail "Usage: deploy/bootstrap.sh demo | server | kiosk | kiosk-screen | kiosk-camera | kiosk-screen-camera | test | hardware" ;;
esac

case "$mode" in kiosk*) on_kiosk=yes ;; *) on_kiosk= ;; esac
[ "$on_kiosk" ] || have mosquitto || apt_install mosquitto
if [ "$mode" = hardware ]; then
    # What libcamera and a User Mode Linux kernel are built with; see tests/hardware/run.sh.
    missing=
    for package in bc bison dpkg-dev flex g++ libcap-dev libelf-dev libjpeg-dev libssl-dev libudev-dev libyaml-dev \
        libyuv-dev make meson ninja-build openssl pkg-config pybind11-dev python3-dev python3-jinja2 python3-ply \
        python3-yaml xz-utils; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' ||
            missing="$missing $package"
    done
    # shellcheck disable=SC2086
    [ -z "$missing" ] || apt_install $missing
fi
if [ "$mode" = test ]; then
    have make || apt_install make
    have mosquitto_pub || apt_install mosquitto-clients
    have openssl || apt_install openssl
    # With it a browser of the tests is told to trust a store's CA.
    have certutil || apt_install libnss3-tools
    have initdb || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || apt_install postgresql
    have chromium || have chromium-browser || apt_install chromium
fi

python=${PYTHON:-python3}
have "$python" || apt_install python3
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "Floorbell needs Python 3.11 or later; $python is $("$python" --version 2>&1)."
if [ ! -x .venv/bin/python ]; then
    "$python" -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv
    "$python" -m venv .venv
fi
if [ "$on_kiosk" ] && ! .venv/bin/python -c 'import lgpio' 2>/dev/null; then
    # The pins' library comes from apt, beside the system's own Python, and is seen from there.
    "$python" -c 'import lgpio' 2>/dev/null || (apt_install python3-lgpio) ||
        say "Without it the kiosk runs with --pins mock only."
    "$python" -m venv --system-site-packages .venv
fi
case "$mode" in
    kiosk*camera)
        # Only Raspberry Pi OS has it; USB and network cameras need none of it.
        "$python" -c 'import picamera2' 2>/dev/null || (apt_install python3-picamera2) ||
            say "Without it no camera on the Pi's own connector can be used." ;;
esac
.venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null

# shellcheck disable=SC2086
wanted=$( (.venv/bin/python --version; cat $locks) | sha256sum)
stamp=.venv/floorbell-$mode.stamp
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    say "Installing the Python packages into .venv."
    arguments=
    for lock in $locks; do arguments="$arguments -r $lock"; done
    # shellcheck disable=SC2086
    .venv/bin/python -m pip install -qq --disable-pip-version-check --no-input --require-hashes \
        $arguments </dev/null || fail "The Python packages could not be installed; pip's message is above."
    printf '%s\n' "$wanted" >"$stamp"
fi

cat >.venv/bin/floorbell <<EOF
#!/bin/sh
export PYTHONPATH='$root'
# A kiosk has little memory: it loads nothing of the server's.
if [ "\${1:-}" = kiosk ]; then
    shift
    exec '$root/.venv/bin/python' -m kiosk "\$@"
elif [ "\${1:-}" = camera ]; then
    exec '$root/.venv/bin/python' -m kiosk "\$@"
fi
exec '$root/.venv/bin/python' -m deploy.cli "\$@"
EOF
chmod +x .venv/bin/floorbell
