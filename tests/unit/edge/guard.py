"""What must hold of security requests, besides what holds of all: who is called, how often, and what ends it.

As watcher.py, it reads the tables and asks none of the product's rules: DESIGN 5 is written down again.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from edge.policies import Policy
from tests.unit.edge.watcher import GONE, OPEN, Row, Seen

BESIDE = timedelta(minutes=2)
# Acts of people that call somebody to a request which somebody has already.
CALLING = {"hand_over", "call_to_request"}


def judge(before: Seen, after: Seen, policy: Policy, now: datetime, act: str, *, looked: bool) -> None:
    """What one act, or one look of the worker, did to security requests and to drills. `policy` is security's
    in force, `act` the name of what a person did, '' for none."""
    for request in after.requests.values():
        if request["id"] in after.drills:
            _drilled(after, request, _new_pages(before, after, request))
        elif request["kind"] == "security":
            _called(before, after, request, policy, now, looked)
            _ended(before, after, request)
            _quiet_once_answered(before, after, request, now, act)
            _tampering_said(after, request)


def _called(before: Seen, after: Seen, request: Row, policy: Policy, now: datetime, looked: bool) -> None:
    """At once everyone of the first step; at each press and each repetition everyone anew, and with them
    whoever has come since."""
    was = before.requests.get(request["id"])
    new = _new_pages(before, after, request)
    if was is None:
        if request["state"] == "raised":
            wanted = _everyone(after, request, policy, now)
            assert wanted <= _people(new), "somebody was not called at once"
        return
    pressed = request["count"] > was["count"]
    due = before.timers.get((request["id"], "escalate"))
    # In the same look an answer at the kiosk may have come before.
    repeated = looked and due is not None and due <= now and request["state"] == was["state"] == "raised"
    if not pressed and not repeated:
        return
    assert request["round"] > was["round"], "it was pressed again, or was due, and nobody is called again"
    known = _people(p for p in before.pages.values() if p["request"] == request["id"])
    working = {id_ for id_, p in after.people.items() if p["active"]}
    wanted = _everyone(after, request, policy, now) | (known & working)
    missing = {after.people[id_]["name"] for id_ in wanted - {request["raised_by"]} - _people(new)}
    assert not missing, f"{missing} were not called again"


def _everyone(seen: Seen, request: Row, policy: Policy, now: datetime) -> set[str]:
    """Whom the steps that are done call: those who are here, also in the place of those who are not."""
    groups = {who for step in policy.steps[: request["step"]] for who in step.who}
    here = {
        id_: {p["role"]}
        for id_, p in seen.people.items()
        if p["active"] and p["role"] != "drill" and p["presence"] not in GONE
    }
    for away in seen.people.values():
        if away["active"] and away["presence"] == "unreachable" and away["cover"] in here:
            here[away["cover"]].add(away["role"])
    here.pop(request["raised_by"], None)
    if "all" in groups:
        return set(here)
    roles = {group.removesuffix("s") for group in groups}
    return {id_ for id_, as_roles in here.items() if as_roles & roles}


def _ended(before: Seen, after: Seen, request: Row) -> None:
    """Only a person ends it, and their own call only its caller takes back."""
    assert request["state"] != "missed", "security was given up"
    was = before.requests.get(request["id"])
    if was is None or was["state"] == request["state"]:
        return
    entries = after.timeline[len(before.timeline) :]
    said = [e for e in entries if e["interaction"] == request["id"] and e["what"] == request["state"]]
    if request["state"] == "acknowledged" and was["state"] == "raised":
        assert [e["person"] for e in said] == [request["owner"]], "it stopped without a person's answer"
    if request["state"] == "cancelled" and request["raised_by"] is not None:
        assert [e["person"] for e in said] == [request["raised_by"]], "another took it back"
    elif request["state"] == "cancelled":
        assert [e["through"] for e in said] == ["kiosk"], "nobody took it back where it was pressed"


def _quiet_once_answered(before: Seen, after: Seen, request: Row, now: datetime, act: str) -> None:
    """Once somebody has it nobody is paged for it, unless it is pressed again or somebody is asked for."""
    was = before.requests.get(request["id"])
    if was is None or was["state"] not in ("acknowledged", "attended") or act in CALLING:
        return
    waits = before.timers.get((request["id"], "arrival"))
    if request["count"] > was["count"] or (waits is not None and waits <= now):
        return
    assert not _new_pages(before, after, request), "somebody was paged after it was answered"


def _tampering_said(seen: Seen, request: Row) -> None:
    """Tampering in its zone within two minutes either way is said to those who are called, once."""
    said = [e for e in seen.timeline if e["interaction"] == request["id"] and e["what"] == "tampering"]
    near = [
        row
        for row in seen.tampered
        if row["zone"] == request["zone"]
        and not row["drill"]
        and abs(row["raised_at"] - request["raised_at"]) <= BESIDE
    ]
    assert len(said) <= bool(near and not request["drill"]), "tampering was said of none, or twice"
    if request["state"] in OPEN and near and not request["drill"]:
        assert said, "there was tampering beside it, and nobody is told"


def _drilled(seen: Seen, request: Row, new: list[Row]) -> None:
    """A drill of the store's calls its responder alone."""
    drill = seen.drills[request["id"]]
    assert request["drill"], "a drill was taken for real"
    assert _people(new) <= {drill["responder"]}, "a drill called somebody else"
    assert drill["state"] != "passed" or request["acknowledged_at"] is not None, "it passed by itself"


def _new_pages(before: Seen, after: Seen, request: Row) -> list[Row]:
    return [p for id_, p in after.pages.items() if p["request"] == request["id"] and id_ not in before.pages]


def _people(pages: Iterable[Row]) -> set[str]:
    return {page["person"] for page in pages}
