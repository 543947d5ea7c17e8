"""`floorbell evidence`: take clips and incidents out of the store, and verify offline what came out."""

import datetime as dt
import re
import threading
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from deploy import noting
from deploy.errors import DeployError
from deploy.provision import reading, writing
from deploy.register import CONFIG
from edge.audit.store import Actor
from edge.config import EdgeConfig, load_config
from edge.evidence import clips, copies, export, heads, incident_file, stamp
from edge.evidence.clips import Clip
from edge.evidence.copies import Copy
from edge.evidence.files import VaultFiles
from edge.evidence.findings import Known, Verdict
from edge.evidence.reporting import reported
from edge.evidence.verify import describe, examine
from edge.handling import exporting, keeping
from edge.handling.exporting import Taken
from edge.incidents import store as incidents

if TYPE_CHECKING:
    import sqlalchemy as sa
    from cryptography.x509 import Certificate

_HEAD = re.compile(r"(\d{1,15}):([0-9a-f]{64})")
_KEY = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"(\d{4})-(\d{1,8})")


@click.group()
def evidence() -> None:
    """Clips and incidents as evidence: export and verify."""


@evidence.command("export")
@CONFIG
@click.option("--clip", "wanted", multiple=True, metavar="ID", help="May be given again.")
@click.option("--incident", metavar="NUMBER", help="As 2026-0012: its file, and all of its clips.")
@click.option("--by", required=True, metavar="NAME", help="Who takes it out; stands in the custody log.")
@click.option("--reason", required=True, help="Why; stands in the custody log.")
@click.argument("bundle", type=click.Path(path_type=Path, dir_okay=False))
def export_(
    config: Path, wanted: tuple[str, ...], incident: str | None, by: str, reason: str, bundle: Path
) -> None:
    """Write sealed clips, or an incident with all of its clips, with their proofs to the file BUNDLE."""
    # Only here: the signatures' library is no part of the other commands.
    from broker.signing import load_signer

    loaded, now, identity = load_config(config), dt.datetime.now(dt.UTC), uuid4()
    if bundle.exists():
        raise DeployError(f"{bundle} is there already; give another name.")
    if not by.strip() or not reason.strip():
        raise DeployError("Say by whom and why; both stand in the custody log.")
    if bool(wanted) == bool(incident):
        raise DeployError("Say which clips, or which incident: --clip or --incident, not both.")
    signer = load_signer(loaded.identity_path / "vault" / "sign.key")
    files = VaultFiles(loaded.vault_path)
    with writing(loaded) as conn:
        if incident:
            taken = _incident(conn, loaded, incident, str(identity), by, reason, now)
            chosen, case = taken.clips, taken.file
        else:
            chosen, case = _chosen(conn, loaded.store, wanted), None
            exporting.write_down(conn, loaded.store, chosen, str(identity), by, reason, now)
        heads.sign_newest(conn, loaded.store, signer, now)
    with TemporaryDirectory(dir=bundle.absolute().parent) as folder:
        copied = {clip.id: _copy(clip, files, Path(folder)) for clip in chosen}
        with reading(loaded) as conn:
            paper = partial(
                reported, conn, loaded.store, loaded.title, files, chosen, copied, identity, now, case
            )
            anchors = export.write(
                bundle, conn, loaded.store, files, chosen, identity, now, paper, copied, case
            )
    for one in incident_file.decode(case).clips if case else []:
        if one.why_not is not None:
            click.echo(f"Not in it: the clip {one.clip}. {one.why_not}", err=True)
    of = f"the incident {incident} and " if incident else ""
    click.echo(f"{bundle}: {of}{len(chosen)} clips. Keep these apart from it, to verify it with:")
    for key in export.keys_of(anchors, chosen):
        click.echo(f"--key {key}")
    click.echo(f"--head {anchors.head.size}:{anchors.head.root}")


def _chosen(conn: "sa.Connection", store: str, wanted: tuple[str, ...]) -> list[Clip]:
    chosen = []
    for one in dict.fromkeys(wanted):
        found = clips.find(conn, store, one[:36])
        if found is None:
            raise DeployError(f"There is no clip {one[:80]!r} in this store.")
        chosen.append(found)
    export.check(chosen)
    return chosen


def _incident(
    conn: "sa.Connection",
    loaded: EdgeConfig,
    number: str,
    identity: str,
    by: str,
    reason: str,
    now: dt.datetime,
) -> Taken:
    if (said := _NUMBER.fullmatch(number)) is None:
        raise DeployError(f"The incident is {number[:80]!r}; a number is like 2026-0012.")
    found = incidents.of_number(conn, loaded.store, int(said[1]), int(said[2]))
    if found is None:
        raise DeployError(f"There is no incident {number} in this store.")
    actor, files = Actor(by, "command"), VaultFiles(loaded.vault_path)
    late_at = now - dt.timedelta(hours=loaded.vault.arrive_hours)
    return exporting.take_incident(
        conn,
        loaded.store,
        loaded.title,
        found,
        identity,
        actor,
        reason,
        now,
        late_at,
        files.has,
        silent=True,
        currency=loaded.currency,
    )


def _copy(clip: Clip, files: VaultFiles, folder: Path) -> Copy:
    place = folder / clip.id
    place.mkdir()
    made = copies.copy(clip, files, place, lambda: dt.datetime.now(dt.UTC), threading.Event())
    if made.trouble is not None:
        click.echo(f"The working copy of {clip.id}: {made.trouble}", err=True)
    return made


@evidence.command("erase-name")
@CONFIG
@click.option("--by", required=True, metavar="NAME", help="Who does it; stands in the custody log.")
@click.option("--reason", required=True, help="Why, without the name; stands in the custody log.")
@click.argument("name")
def erase_name(config: Path, by: str, reason: str, name: str) -> None:
    """Erase NAME by law from every entry of the custody log; the log still verifies."""
    loaded, now = load_config(config), dt.datetime.now(dt.UTC)
    if not by.strip() or not name.strip():
        raise DeployError("Say whose name, and by whom; who erases it stands in the custody log.")
    actor = Actor(by.strip(), "command")
    with writing(loaded) as conn:
        had = keeping.erase_name(conn, loaded.store, name, actor, reason, now)
    noting.leave_if_backed_up(loaded, now, [name])
    entries = "1 entry has" if had == 1 else f"{had} entries have"
    click.echo(f"{entries} no name any more; that it was erased, by whom and why, is an entry itself.")
    click.echo(
        "Not erased: bundles that were given out or wait to be fetched, the list of exports, reasons in "
        "which people wrote the name, the people, requests and incidents of the store, and backups: "
        "one that is restored has it erased again, where word of it could be left beside them."
    )


@evidence.command("verify")
@click.argument("bundle", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--key", "keys", multiple=True, help="A public key of the store or a device, from elsewhere.")
@click.option("--head", "known", multiple=True, metavar="SIZE:ROOT", help="The last head you know of.")
@click.option(
    "--stamp-ca",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The CA of the time-stamping authority, in PEM, from elsewhere.",
)
def verify_(bundle: Path, keys: tuple[str, ...], known: tuple[str, ...], stamp_ca: Path | None) -> int:
    """Say what is true and what is not, without a network. Exit status 1 unless all is ok."""
    for key in keys:
        if not _KEY.fullmatch(key):
            raise DeployError(f"The key is {key[:80]!r}; a key has 64 signs of 0-9 and a-f.")
    pairs = []
    for one in known:
        if (found := _HEAD.fullmatch(one)) is None:
            raise DeployError(f"The head is {one[:100]!r}; it is the number of entries, ':' and 64 signs.")
        pairs.append((int(found[1]), found[2]))
    examined = examine(bundle, Known(frozenset(keys), pairs, _authority(stamp_ca)))
    for line in describe(examined.findings):
        click.echo(line)
    for sentence in examined.restored:
        click.echo(f"restored: {sentence}")
    if examined.stamp is not None:
        click.echo(f"stamp: {examined.stamp}")
    return 0 if {finding.verdict for finding in examined.findings} == {Verdict.OK} else 1


def _authority(path: Path | None) -> "list[Certificate] | None":
    if path is None:
        return None
    try:
        return stamp.authority(path.read_bytes(), str(path))
    except OSError as error:
        raise DeployError(f"{path} cannot be read: {error.strerror}.") from None
