#!/bin/sh
# `make hardware`: builds once what stands in for a Raspberry Pi, and runs the tests of this folder on it. None may
# be skipped. Builds stay in $FLOORBELL_HARDWARE, or ~/.cache/floorbell/hardware, for every checkout; deleting
# that folder costs only the time of a build. Arguments are pytest's.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${FLOORBELL_HARDWARE:-${XDG_CACHE_HOME:-$HOME/.cache}/floorbell/hardware}
. "$here/sources.sh"
[ "$(uname -m)" = x86_64 ] || fail "The simulated hardware is for x86-64; this machine is $(uname -m). On a" \
    "Raspberry Pi try the real one: floorbell kiosk check, and .venv/bin/python -m pytest tests/hardware."
mkdir -p "$cache"
python=$root/.venv/bin/python
minor() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }
[ "$(minor "$python")" = "$(minor /usr/bin/python3)" ] ||
    fail "libcamera is built for Debian's Python $(minor /usr/bin/python3), and .venv has $(minor "$python");" \
        "make .venv anew with PYTHON=/usr/bin/python3."

# Named after all that they are made of: whoever changes that gets new ones.
named() { cat "$@" | sha256sum | cut -c -12; }
libcamera=$cache/libcamera-$(minor "$python")-$(cd "$here" && named sources.sh build_libcamera.sh virtual.yaml)
kernel=$cache/linux-$(cd "$here" && named sources.sh build_uml.sh uml.config)
packages=$cache/python-$(minor "$python")-$(named "$root/requirements/hardware.txt")
exec 9>"$cache/lock"
flock 9 # two checkouts do not build the same at once
if [ ! -e "$libcamera.done" ]; then
    rm -rf "$libcamera"
    "$here/build_libcamera.sh" "$cache" "$libcamera" 9>&-
    : >"$libcamera.done"
fi
[ -e "$kernel" ] || { "$here/build_uml.sh" "$cache" "$kernel.part" 9>&- && mv "$kernel.part" "$kernel"; }
if [ ! -d "$packages" ]; then
    say "Installing picamera2 and lgpio beside .venv."
    rm -rf "$packages.part"
    "$python" -m pip install -qq --disable-pip-version-check --no-input --require-hashes --no-deps \
        --target "$packages.part" -r "$root/requirements/hardware.txt" </dev/null ||
        fail "The Python packages could not be installed; pip's message is above."
    mv "$packages.part" "$packages"
fi
exec 9>&-

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
export PYTHONPATH="$root:$packages:$libcamera/lib/python3/dist-packages"
export LD_LIBRARY_PATH="$libcamera/lib" LIBCAMERA_LOG_LEVELS='*:WARN' PYTHONDONTWRITEBYTECODE=1
cd "$root"
pytest="$python -m pytest --hardware -p no:cacheprovider -p no:xdist -W ignore:setDaemon:DeprecationWarning"
say "On this machine, with libcamera's virtual camera:"
failed=
$pytest -m "hardware and not pins" tests/hardware "$@" || failed=yes

say "In User Mode Linux, with a simulated GPIO chip:"
{
    # lgpio keeps a pipe in the folder that it is started in, and the disk is read-only.
    printf 'cd /run\n'
    printf 'export %s="%s"\n' PYTHONPATH "$PYTHONPATH" LD_LIBRARY_PATH "$LD_LIBRARY_PATH"
    printf "export LIBCAMERA_LOG_LEVELS='*:WARN' PYTHONDONTWRITEBYTECODE=1\n"
    printf '%s -c "%s" --rootdir "%s" -m pins "%s"' "$pytest" "$root/pyproject.toml" "$root" "$here"
    [ $# -eq 0 ] || printf " '%s'" "$@"
    printf '\n'
} >"$work/command.sh"
head -c 64 /dev/urandom >"$work/seed"
"$kernel" mem=768M rootfstype=hostfs root=/dev/root ro init="$here/uml_init.sh" COMMAND="$work/command.sh" \
    SEED="$work/seed" CPUINFO="$here/cpuinfo.pi4" con=null con0=fd:0,fd:1 quiet </dev/null 2>"$work/kernel.log" | tee "$work/said"
grep -q '^GUEST ENDED WITH 0' "$work/said" || { tail -n 20 "$work/kernel.log" >&2; failed=yes; }
[ -z "$failed" ]
