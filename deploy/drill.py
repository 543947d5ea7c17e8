"""`floorbell drill`: whether a drill's result is as the store signed it."""

import re
from pathlib import Path

import click

from deploy.errors import DeployError

_KEY = re.compile(r"[0-9a-fA-F]{64}")


@click.group()
def drill() -> None:
    """Drills of the way from a press to an acknowledgement."""


@drill.command()
@click.option("--key", metavar="HEX", help="The store's evidence key, from elsewhere than the file.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def verify(key: str | None, file: Path) -> None:
    """Check the signed result FILE of a drill, offline."""
    from edge.drills import result

    if key is not None and not _KEY.fullmatch(key):
        raise DeployError(f"The key is {key[:20]!r}; it has 64 hexadecimal signs.")
    with file.open("rb") as opened:
        found = result.check(opened.read(result.MAX_BYTES + 1), key)
    if found.finding != "ok":
        raise DeployError(f"{file}: {found.finding}. {found.words}")
    click.echo(f"ok: {found.words}")
