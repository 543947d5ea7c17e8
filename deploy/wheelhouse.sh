#!/bin/sh
# Fills a folder with the locked Python packages, for a shop without internet: deploy/wheelhouse.sh DIR [ARCH …]
# ARCH is aarch64 (a Raspberry Pi, if none is given) or x86_64. For Python 3.11 (Bookworm) and 3.13 (Trixie), each
# package held against its hash, here and again by deploy/install.sh --wheels DIR. Needs python3 with pip.
set -eu
cd "$(dirname "$0")/.."
fail() { printf '%s\n' "$*" >&2; exit 1; }

[ $# -gt 0 ] || fail "Say into which folder: deploy/wheelhouse.sh DIR [aarch64] [x86_64]"
case "$1" in -*) fail "'$1' is no folder; deploy/wheelhouse.sh DIR [aarch64] [x86_64]" ;; esac
mkdir -p "$1"
into=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- aarch64
for arch in "$@"; do
    case "$arch" in aarch64 | x86_64) ;; *) fail "'$arch' is no processor; allowed are aarch64 and x86_64." ;; esac
done
python=python3
if ! $python -m pip --version >/dev/null 2>&1; then python=.venv/bin/python; fi
$python -m pip --version >/dev/null 2>&1 || fail "python3 has no pip; on Debian: apt-get install python3-pip."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for arch in "$@"; do
    for version in 3.11 3.13; do
        # pip judges the locks' conditions by the Python that it runs on, not by the one that it downloads for.
        $python - "$version" "$arch" "$scratch/locks" <<'PYTHON'
import sys
from pathlib import Path

from pip._vendor.packaging.markers import Marker

version, arch, out = sys.argv[1:]
target = {
    "python_version": version, "python_full_version": f"{version}.2", "sys_platform": "linux",
    "platform_system": "Linux", "platform_machine": arch, "os_name": "posix", "extra": "",
    "implementation_name": "cpython", "platform_python_implementation": "CPython",
}
known = set()
with open(out, "w", encoding="utf-8") as file:
    for name in ("edge", "postgresql", "s3", "kiosk", "screen", "camera"):
        lines, wanted = Path(f"requirements/{name}.txt").read_text(encoding="utf-8").splitlines(), False
        for line in lines:
            if line.startswith("#") or not line.strip():
                continue
            if not line.startswith(" "):
                package, _, condition = line.rstrip(" \\").partition(" ; ")
                wanted = package not in known and (not condition or Marker(condition).evaluate(target))
                known |= {package} if wanted else set()
                line = package + " \\"
            elif line.strip().startswith("#"):
                continue
            if wanted:
                print(line, file=file)
PYTHON
        platforms=$(for glibc in 17 24 26 27 28 31 34 35; do printf -- '--platform manylinux_2_%s_%s ' $glibc "$arch"; done)
        # shellcheck disable=SC2086
        $python -m pip download -qq --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: \
            --implementation cp --python-version "$version" $platforms --platform "manylinux2014_$arch" \
            --dest "$into" -r "$scratch/locks" ||
            fail "Not every package could be had for Python $version on $arch; pip's message is above."
        printf 'Python %s on %s: all %s packages are in %s.\n' "$version" "$arch" "$(grep -c == "$scratch/locks")" "$into"
    done
done
