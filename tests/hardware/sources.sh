# Which sources the rig is built from, and how they come from Debian: sourced by the two build scripts.
# A file that already lies in $cache/sources and has this SHA-256 is not fetched.
LIBCAMERA_VERSION=0.7.2-1
LIBCAMERA_FILE=libcamera_0.7.2.orig.tar.gz
LIBCAMERA_SHA256=e27f5670fe9443eebc8e2f24235cd20b533324ef481a3684d34c78f1c3a12afb
LINUX_VERSION=6.1.176-1
LINUX_FILE=linux-source-6.1_6.1.176-1_all.deb
LINUX_SHA256=9305d1a151b8e83dcb88aa11361e7b9513f0c252bdf7f5647e4542762d99c094

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# sha256sum's own words would name the file twice.
is() { [ -f "$1" ] && [ "$(sha256sum <"$1")" = "$2  -" ]; }

# use_debian "deb SUITE" | "deb-src SUITE": apt with lists of its own, from the mirror that this machine uses.
use_debian() {
    mkdir -p "$cache/apt/lists/partial" "$cache/apt/archives/partial" "$cache/sources"
    mirror=$(apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
        sed -n '/-\(security\|updates\|backports\)/d;s/^Debian main [^ ]* //p' | sort -u | head -n 1)
    [ "$mirror" ] || fail "apt on this machine knows no Debian mirror; put $file into $cache/sources by hand."
    keys=/usr/share/keyrings/debian-archive-keyring.gpg
    printf '%s [signed-by=%s] %s %s main\n' "${1% *}" "$keys" "$mirror" "${1#* }" >"$cache/apt/sources.list"
    cat >"$cache/apt/apt.conf" <<EOF
Dir::Etc::sourcelist "$cache/apt/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$cache/apt/lists";
Dir::Cache "$cache/apt";
APT::Sandbox::User "";
Acquire::Languages "none";
EOF
    APT_CONFIG=$cache/apt/apt.conf
    export APT_CONFIG
    apt-get -qq update || fail "Debian's lists for $file could not be fetched; apt's message is above."
}

# fetch FILE SHA256 "deb|deb-src SUITE" COMMAND…: FILE in $cache/sources, checked.
fetch() {
    file=$1 sha256=$2 from=$3
    shift 3
    is "$cache/sources/$file" "$sha256" && return
    say "Fetching $file."
    (use_debian "$from" && cd "$cache/sources" && "$@" >/dev/null) ||
        fail "Debian does not give $file. Put it into $cache/sources by hand," \
            "or a version that Debian has, with its SHA-256, into tests/hardware/sources.sh."
    is "$cache/sources/$file" "$sha256" || fail "$cache/sources/$file is not what sources.sh pins: its SHA-256 differs."
}
