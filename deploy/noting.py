"""Word beside the backups of who is shut out and what was erased: a restored store must not undo it."""

import datetime as dt
from collections.abc import Collection

import click

from broker.errors import BrokerError
from deploy.provision import reading
from edge.config import EdgeConfig
from edge.errors import EdgeError
from edge.handling import restored


def leave(config: EdgeConfig, now: dt.datetime, erased: Collection[str] = ()) -> None:
    """Write it. BackupError if there is no place for backups, or it takes nothing."""
    # Only here: the signatures' library is no part of the other commands.
    from edge.backup import notes, recovery, targets

    with reading(config) as conn:
        out = restored.shut_out(conn, config.store, erased)
    notes.write(targets.target_of(config), recovery.sealer(config.identity_path), config.store, out, now)


def leave_if_backed_up(config: EdgeConfig, now: dt.datetime, erased: Collection[str] = ()) -> None:
    """After a deed that a restore must not undo; a sentence where no word of it could be left."""
    if config.backup.to is None:
        return
    try:
        leave(config, now, erased)
    except (EdgeError, BrokerError) as error:
        click.echo(f"A restore of an earlier backup would not know of this: {error}", err=True)
