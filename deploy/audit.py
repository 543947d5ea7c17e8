"""Whether a locked package has a known weakness: `python -m deploy.audit`, or `make audit`.

It asks OSV (https://osv.dev), and where that cannot be reached the package index itself, which knows the
same advisories. Where neither answers it says that nothing was checked, which is no fault of the locks.
It always ends within its time. Without --strict a weakness is told and the exit status is 0: a new advisory
may come on any day, and is no reason to refuse a change that has nothing to do with it (decisions/002).
"""

import argparse
import datetime as dt
import http.client
import json
import os
import sys
import threading
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy import locks
from deploy.errors import DeployError

LOCKS = ("kiosk", "screen", "camera", "edge", "postgresql", "s3")
IGNORED = Path(__file__).with_name("audit-ignored.toml")
OSV, INDEX = "https://api.osv.dev", "https://pypi.org"
WITHIN_S = 25.0
_ANSWER_S, _AT_ONCE = 8.0, 8
# What an answer that is none, or of another shape, raises.
_NO_ANSWER = (OSError, http.client.HTTPException, ValueError, LookupError, TypeError, AttributeError)
Name = tuple[str, str]
# Asks one address, with a body or without, for JSON; one of those above if there is none.
Ask = Callable[[str, Any], Any]


class NotChecked(DeployError):
    """Nobody could be asked; the sentence says why."""


@dataclass(frozen=True)
class Weakness:
    """An advisory that names a locked package. `fixed`: the versions in which it is mended."""

    package: str
    version: str
    id: str
    aliases: tuple[str, ...]
    summary: str
    fixed: tuple[str, ...]

    def sentence(self) -> str:
        also = f" ({', '.join(self.aliases)})" if self.aliases else ""
        mended = f"mended in {', '.join(self.fixed)}" if self.fixed else "not mended in any version yet"
        about = f": {self.summary.rstrip('.')}" if self.summary else ""
        return f"{self.package} {self.version} has {self.id}{also}{about}; {mended}."


@dataclass(frozen=True)
class Ignored:
    """An advisory that does not count until a day, and why."""

    id: str
    reason: str
    until: dt.date


def look(packages: Sequence[Name], ask: Ask) -> tuple[str, list[Weakness]]:
    """Whom was asked, and what is known. NotChecked if nobody answers."""
    troubles = []
    for name, source in (("OSV", _osv), ("the package index", _index)):
        try:
            return name, source(packages, ask)
        except _NO_ANSWER as error:
            troubles.append(f"{name} does not answer ({_said(error)})")
    raise NotChecked(f"Not checked: {' and '.join(troubles)}.")


def judge(
    found: Iterable[Weakness], ignored: Iterable[Ignored], today: dt.date
) -> tuple[list[Weakness], list[str]]:
    """Those that count, and a sentence for each entry of the list that no longer does."""
    entries = list(ignored)
    standing = {one.id for one in entries if today <= one.until}
    over = [
        f"{one.id} is no longer ignored: its day, {one.until}, is over ({one.reason})."
        for one in entries
        if today > one.until
    ]
    return [one for one in found if not standing & {one.id, *one.aliases}], over


def ignored_in(path: Path) -> list[Ignored]:
    """The list's entries: [[ignored]] with id, reason and until. DeployError names what is wrong."""
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("ignored", [])
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise DeployError(f"{path} cannot be read: {error}.") from None
    found = []
    for number, one in enumerate(entries, 1):
        id_, reason, until = (one.get(key) for key in ("id", "reason", "until"))
        if set(one) != {"id", "reason", "until"} or type(until) is not dt.date or not (id_ and reason):
            raise DeployError(
                f"{path}, entry {number}: it has an id, a reason and, as in until = 2027-01-31, its last day."
            )
        found.append(Ignored(str(id_), str(reason), until))
    return found


def _osv(packages: Sequence[Name], ask: Ask) -> list[Weakness]:
    queries = [
        {"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version in packages
    ]
    answer = ask(f"{OSV}/v1/querybatch", {"queries": queries})
    hits = [
        (package, hit["id"])
        for package, result in zip(packages, answer["results"], strict=True)
        for hit in (result or {}).get("vulns", ())
    ]
    told = _all({id_ for _, id_ in hits}, lambda id_: ask(f"{OSV}/v1/vulns/{id_}", None))
    return [
        _weakness(package, told[id_], _fixed_in(told[id_], package[0]))
        for package, id_ in hits
        if not told[id_].get("withdrawn")
    ]


def _fixed_in(advisory: dict[str, Any], package: str) -> list[str]:
    return [
        event["fixed"]
        for affected in advisory.get("affected", ())
        if affected.get("package", {}).get("name", "").lower() == package
        for range_ in affected.get("ranges", ())
        if range_.get("type") == "ECOSYSTEM"
        for event in range_.get("events", ())
        if "fixed" in event
    ]


def _index(packages: Sequence[Name], ask: Ask) -> list[Weakness]:
    told = _all(packages, lambda one: _of_index(one, ask))
    if not any(told.values()):
        raise LookupError("it says 404")
    return [
        _weakness(package, advisory, advisory.get("fixed_in", ()))
        for package in packages
        for advisory in told[package].get("vulnerabilities", ())
        if not advisory.get("withdrawn")
    ]


def _of_index(package: Name, ask: Ask) -> dict[str, Any]:
    """Empty for what is not known there, as a version that was taken back."""
    try:
        answer: dict[str, Any] = ask(f"{INDEX}/pypi/{package[0]}/{package[1]}/json", None)
        return {"vulnerabilities": answer["vulnerabilities"]}
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        return {}


def _weakness(package: Name, advisory: dict[str, Any], fixed: Iterable[str]) -> Weakness:
    aliases = tuple(sorted(set(advisory.get("aliases", ())) - {advisory["id"]}))
    summary = str(advisory.get("summary") or "")[:160]
    return Weakness(*package, advisory["id"], aliases, summary, tuple(dict.fromkeys(fixed)))


def _all(keys: Iterable[Any], ask: Callable[[Any], Any]) -> dict[Any, Any]:
    wanted = list(keys)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(wanted, pool.map(ask, wanted), strict=True))


def _ask(address: str, body: Any) -> Any:
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(address, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=_ANSWER_S) as answer:
        return json.loads(answer.read(64 * 1024 * 1024))


def _said(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"it says {error.code}"
    reason = getattr(error, "reason", None) or error
    return str(getattr(reason, "strerror", None) or reason)[:100] or type(error).__name__


def _in_time(work: Callable[[], Any], within_s: float) -> Any:
    """What the work returns or raises; NotChecked once its time is over, whatever holds it up."""
    ended: list[Any] = []

    def run() -> None:
        try:
            ended.append((True, work()))
        except BaseException as error:
            ended.append((False, error))

    thread = threading.Thread(target=run, name="audit", daemon=True)
    thread.start()
    thread.join(within_s)
    if not ended:
        raise NotChecked(f"Not checked: there was no answer within {within_s:g} s.")
    well, result = ended[0]
    if not well:
        raise result
    return result


def main(arguments: list[str] | None = None, ask: Ask = _ask) -> int:
    """0; with --strict 1 where a weakness is known that a version mends. 2: the list cannot be used."""
    parser = argparse.ArgumentParser(prog="audit", description="Known weaknesses of the locked packages.")
    parser.add_argument("--strict", action="store_true", help="fail for a weakness that a version mends")
    parser.add_argument("--within", type=float, default=WITHIN_S, metavar="SECONDS")
    parser.add_argument("--ignored", type=Path, default=IGNORED, metavar="FILE")
    chosen = parser.parse_args(arguments)
    try:
        entries = ignored_in(chosen.ignored)
        packages = sorted({(one.name, one.version) for lock in LOCKS for one in locks.read(lock)})
    except DeployError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        whom, found = _in_time(lambda: look(packages, ask), chosen.within)
    except NotChecked as error:
        print(error)
        return 0
    counts, over = judge(found, entries, dt.datetime.now(dt.UTC).date())
    for sentence in (*over, *(one.sentence() for one in counts)):
        print(sentence)
    mendable = [one for one in counts if one.fixed]
    print(
        f"{len(packages)} packages were looked up with {whom}: {len(counts)} known weaknesses, "
        f"{len(mendable)} of them mended in another version, {len(found) - len(counts)} ignored."
    )
    return 1 if chosen.strict and mendable else 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # Threads that still wait for an answer hold nothing up.
    os._exit(status)
