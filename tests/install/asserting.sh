# What inside.sh and boot.sh look with. Read by them, not run.
# shellcheck shell=bash disable=SC2154
steps=0
step() { printf '  %s\n' "$*"; steps=$((steps + 1)); }
show() { cat "$1" >&2; return 1; }
quiet() { "$@" >/dev/null 2>&1; }
broken() { # broken SENTENCE: the end, with what the programs said last
    printf 'Not so: %s\n' "$*" >&2
    tail -n 8 "$server"/tmp/*.log "$kiosk"/tmp/*.log >&2 2>/dev/null || true
    if [ -d /run/systemd/system ]; then
        systemctl --no-pager --all list-units 'floorbell-*' >&2 || true
        journalctl --no-pager --lines 60 --unit 'floorbell-*' >&2 || true
    fi
    exit 1
}
holds() { # holds SENTENCE COMMAND …
    local sentence=$1
    shift
    "$@" >/dev/null 2>&1 || broken "$sentence"
}
says() { # says TEXT WORDS: the words stand in the text
    case "$1" in *"$2"*) ;; *) broken "'$2' is said; it was: $1" ;; esac
}
refused() { # refused WORDS COMMAND …: it fails, with one line that has the words and no trace
    local words=$1 said
    shift
    if said=$("$@" 2>&1 >/dev/null); then broken "'$*' is refused"; fi
    says "$said" "$words"
    case "$said" in *Traceback*) broken "a sentence without a trace; it was: $said" ;; esac
}
until_true() { # until_true SECONDS SENTENCE COMMAND …: a generous deadline, which is only an alarm
    local end=$((SECONDS + $1 * ${patience:-1})) sentence=$2
    shift 2
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || broken "$sentence"
        sleep 0.3
    done
}
release_into() { # release_into FOLDER: what a clone or an unpacked release is
    mkdir -p "$1"
    tar -c -C "$source" --exclude=__pycache__ broker kiosk edge deploy requirements pyproject.toml README.md \
        CHANGELOG.md LICENSE | tar -x --no-same-owner -C "$1"
}
next_release() { # next_release FOLDER: the release in it, one migration later
    local version
    version=$(sed -n 's/^VERSION = "\(.*\)"$/\1/p' "$1/edge/db/engine.py")
    sed -i 's/^VERSION = .*/VERSION = "9999"/' "$1/edge/db/engine.py"
    sed -i 's/^VERSION = .*/VERSION = "0.1.1"/' "$1/kiosk/__init__.py"
    cat >"$1/edge/db/migrations/versions/9999_trial.py" <<PYTHON
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "$version"


def upgrade() -> None:
    op.create_table("install_check", sa.Column("id", sa.Integer, primary_key=True))
PYTHON
}
