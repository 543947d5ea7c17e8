"""What becomes of a request: paged by the store's own policy and choice of people, answered, closed. Pure.

How long an answer takes is chance (log-normal, slower where the shop is busy); who is called when, is not.
"""

import datetime as dt
from dataclasses import dataclass

from deploy.demo.history.arrivals import Press
from deploy.demo.history.phrases import NOTES
from deploy.demo.history.records import Day, Dice, Person, Row, Shop, interaction, line
from edge.config import HELP, SECURITY, Policy
from edge.interactions.request import OUTCOMES
from edge.routing.choose import Colleague, Presence, Wanted, choose

FLOOR = ("associate", "supervisor", "security")
# Median seconds until somebody says that they come, and from there to the place.
ANSWER_S = {"fitting-rooms": 12.0, "entrance": 19.0, "tills": 15.0}
WALK_S = {"fitting-rooms": 28.0, "entrance": 40.0, "tills": 22.0}
END_OF_HELP = {"helped": 0.78, "referred": 0.09, "not-available": 0.09, "gone": 0.04}
END_OF_SECURITY = {"handled": 0.6, "false-alarm": 0.4}
_BREAKS = (12, 13, 14, 15, 16)


@dataclass
class Work:
    """Who is with a shopper until when, and until when a device has a request of a kind open."""

    busy: dict[str, dt.datetime]
    open: dict[tuple[str, str, bool], tuple[dt.datetime, Row]]


@dataclass(frozen=True)
class Called:
    person: Person
    reason: str
    at: dt.datetime


def raise_one(shop: Shop, dice: Dice, day: Day, work: Work, press: Press, came: dt.datetime) -> Row:
    """Play one press to its end; the interaction's row. `came` is when it reached the server."""
    standing = work.open.get((press.device, press.kind, press.drill))
    if standing and press.at < standing[0]:
        return _again(day, standing[1], press, came)
    row = interaction(
        shop, dice, press.device, press.kind, press.at, state="raised", revision=1, received_at=came,
        topic=press.topic, language=press.language if press.kind == "help" else None,
        silent=press.kind == "security", drill=press.drill,
    )  # fmt: skip
    day.interaction.append(row)
    policy = HELP if press.kind == "help" else SECURITY
    if policy.ceiling_s is not None and (came - press.at).total_seconds() >= policy.ceiling_s:
        minutes = int((came - press.at).total_seconds()) // 60
        words = f"It came {minutes} min after the press; nobody was paged."
        row |= {"state": "missed", "closed_at": came}
        day.timeline.append(line(row["id"], came, "missed", "kiosk", words))
        return row
    _play(shop, dice, day, work, row, policy)
    work.open[press.device, press.kind, press.drill] = (row["closed_at"], row)
    return row


def _play(shop: Shop, dice: Dice, day: Day, work: Work, row: Row, policy: Policy) -> None:
    came = row["received_at"]
    load = sum(1 for until in work.busy.values() if until > came)
    median = ANSWER_S.get(row["zone"], 15.0) * (1 + 0.35 * load) * (0.4 if row["kind"] == "security" else 1)
    wait_s = max(2.0, dice.around(median, 0.7))
    cancel_s = dice.between(4, 60) if row["kind"] == "help" and dice.happens(0.05) else None
    ends_s = min(wait_s, cancel_s or wait_s, policy.ceiling_s or wait_s)
    called = _page(shop, work, row, policy, ends_s)
    lines = [line(row["id"], c.at, "paged", "policy", f"{c.person.name} is called: {c.reason}.", c.person.id)
             for c in called]  # fmt: skip
    end = came + dt.timedelta(seconds=ends_s)
    owner: Person | None = None
    if cancel_s is not None and ends_s == cancel_s:
        row |= {"state": "cancelled", "closed_at": end}
        lines.append(line(row["id"], end, "cancelled", "kiosk", "Cancelled at the kiosk."))
    elif not called or ends_s < wait_s:
        end = came + dt.timedelta(seconds=policy.ceiling_s or ends_s)
        row |= {"state": "missed", "closed_at": end}
        lines.append(line(row["id"], end, "missed", "policy", "Nobody answered in time."))
    else:
        free = [c for c in called if work.busy.get(c.person.id, came) <= end]
        owner = dice.one_of((free or called)[:3]).person
        lines += _answered(shop, dice, work, row, owner, end)
    pages = [_page_row(shop, dice, row, c, end, owner) for c in called]
    seen = [(p["seen_at"], c.person) for p, c in zip(pages, called, strict=True) if p["seen_at"]]
    if seen:
        at, person = min(seen, key=lambda s: s[0])
        lines.insert(0, line(row["id"], at, "seen", "phone", f"{person.name} has seen it.", person.id))
    row["revision"] += len(lines)
    day.timeline += sorted(lines, key=lambda entry: entry["at"])
    day.page += pages


def _page(shop: Shop, work: Work, row: Row, policy: Policy, ends_s: float) -> list[Called]:
    """Everyone whom the policy calls before `ends_s`, by the store's own rules."""
    called: dict[str, Called] = {}
    people = {p.id: p for p in shop.staff}
    wanted = Wanted(row["id"], row["kind"], row["zone"], shop.titles[row["zone"]], row["language"])
    for done, step in enumerate(policy.steps, 1):
        if step.after_s and step.after_s + 0.1 > ends_s:
            break
        at = row["received_at"] + dt.timedelta(seconds=step.after_s, milliseconds=15)
        row["step"] = done
        for one in choose(wanted, _roster(shop, work, at), step.who, called.keys()):
            called[one.person] = Called(people[one.person], one.reason, at)
    return list(called.values())


def _roster(shop: Shop, work: Work, at: dt.datetime) -> list[Colleague]:
    """Those on the floor; at lunch they take turns to be away for an hour."""
    hour = at.astimezone(shop.tz).hour
    found = []
    for turn, p in enumerate(p for p in shop.staff if p.role in FLOOR):
        busy = work.busy.get(p.id, at) > at
        presence = Presence.ON_BREAK if hour == _BREAKS[turn % len(_BREAKS)] else Presence.AVAILABLE
        found.append(Colleague(p.id, p.name, p.role, p.zones, p.languages, presence, int(busy)))
    return found


def _answered(shop: Shop, dice: Dice, work: Work, row: Row, owner: Person, coming: dt.datetime) -> list[Row]:
    """From 'I am coming' to the outcome; in one of forty another takes over on the way."""
    lines = [line(row["id"], coming, "acknowledged", "phone", f"{owner.name} is coming.", owner.id)]
    there = coming + dt.timedelta(seconds=dice.around(WALK_S.get(row["zone"], 30.0), 0.5))
    others = [p for p in shop.staff if p.role == "associate" and p.id != owner.id]
    if row["kind"] == "help" and others and dice.happens(0.025):
        second, gap = dice.one_of(others), (there - coming) / 3
        words = f"{owner.name} asks {second.name} to take over."
        lines.append(line(row["id"], coming + gap, "handover_asked", "phone", words, owner.id))
        words = f"{second.name} takes over from {owner.name}."
        lines.append(line(row["id"], coming + 2 * gap, "handed_over", "phone", words, second.id))
        owner = second
    closed = there + dt.timedelta(seconds=dice.around(110.0, 0.8))
    outcome = dice.weighted(END_OF_HELP if row["kind"] == "help" else END_OF_SECURITY)
    note = dice.one_of(NOTES[outcome]) if dice.happens(0.22 if row["kind"] == "help" else 1.0) else None
    if row["drill"]:
        outcome, note = "helped", "Drill before opening."
    lines.append(line(row["id"], there, "attended", "phone", f"{owner.name} is there.", owner.id))
    lines.append(line(row["id"], closed, "resolved", "phone", OUTCOMES[outcome] + ".", owner.id))
    row |= {
        "state": "resolved", "owner": owner.id, "acknowledged_at": coming, "attended_at": there,
        "closed_at": closed, "outcome": outcome, "note": note,
    }  # fmt: skip
    work.busy[owner.id] = closed
    return lines


def _page_row(
    shop: Shop, dice: Dice, row: Row, called: Called, end: dt.datetime, owner: Person | None
) -> Row:
    answered = row["acknowledged_at"] is not None and owner is not None and called.person.id == owner.id
    sent = called.at + dt.timedelta(milliseconds=30)
    delivered = sent + dt.timedelta(seconds=dice.around(0.12, 0.4))
    seen = delivered + dt.timedelta(seconds=dice.around(3.0, 0.8))
    return {
        "id": dice.id_at(called.at), "store": shop.store, "request": row["id"], "person": called.person.id,
        "round": 0, "reason": called.reason, "state": "answered" if answered else "superseded",
        "answer": None, "created_at": called.at, "sent_at": min(sent, end), "delivered_at":
        delivered if delivered < end else end if answered else None,
        "seen_at": seen if seen < end else end if answered else None, "closed_at": end,
    }  # fmt: skip


def _again(day: Day, row: Row, press: Press, came: dt.datetime) -> Row:
    """One more press of an open request. Its line is put in by time."""
    row["count"] += 1
    row["revision"] += 1
    about = f" ({press.topic.replace('-', ' ')})" if press.topic != row["topic"] else ""
    entry = line(row["id"], came, "pressed_again", "kiosk", f"Pressed once more{about}.")
    after = len(day.timeline)
    for place in range(len(day.timeline) - 1, -1, -1):
        if day.timeline[place]["interaction"] == row["id"]:
            if day.timeline[place]["at"] <= entry["at"]:
                break
            after = place
    day.timeline.insert(after, entry)
    return row
