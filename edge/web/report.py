"""The forms in which staff write down what happened: the same on the phone and at the desk."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from flask import request

from broker.events import new_id
from edge.errors import Faulty
from edge.handling.writing import Said
from edge.incidents.rules import Kind
from edge.incidents.store import New
from edge.web.access import signed_in
from edge.web.minutes import at_here, minute
from edge.web.services import services


def fresh() -> dict[str, Any]:
    """What every such form needs: ids of its own, so that the same form sent twice is written once."""
    now = services().clock()
    return {
        "new_case": str(new_id(int(now.timestamp() * 1000))),
        "fresh_id": lambda: str(uuid4()),
        "local_now": minute(now),
    }


def new_here(now: datetime) -> New:
    """The incident that the form is to open. Faulty."""
    form = request.form
    return New(
        id_here("case"), form.get("class", "")[:32], form.get("zone", "")[:32], at_here(now) or now,
        signed_in().person.id,
    )  # fmt: skip


def said_here(kind: Kind, now: datetime) -> Said:
    """What the form says. Faulty."""
    form = request.form
    corrects = form.get("corrects", "")
    if corrects and not (corrects.isascii() and corrects.isdigit() and len(corrects) < 6):
        raise Faulty(f"The entry to correct is {corrects[:40]!r}; it is a number.", "corrects")
    return Said(
        kind,
        form.get("words", "").replace("\r\n", "\n").replace("\x00", ""),
        form.get("said_by", "").replace("\x00", ""),
        form.get("role", "")[:16] or None,
        _cents(form.get("amount", "")),
        at_here(now, "said_at") if kind is Kind.STATEMENT else None,
        int(corrects) if corrects else None,
        id_here("entry"),
    )


def id_here(name: str) -> str:
    """The form's own id in this field, or a new one. Faulty."""
    text = request.form.get(name, "")
    try:
        return str(UUID(text)) if text else str(uuid4())
    except ValueError:
        raise Faulty(f"The form's own number is {text[:40]!r}; load the page again.", name) from None


def _cents(text: str) -> int | None:
    """'249' or '249.90' or '249,90' in hundredths; None for nothing."""
    text = text.strip().replace(",", ".")
    if not text:
        return None
    whole, _, part = text.partition(".")
    if not ((whole + part).isascii() and (whole + part).isdigit() and len(part) <= 2 and len(whole) <= 9):
        raise Faulty(
            f"The amount is {text[:40]!r}; it looks like 249, 249.90 or 249,90, with nothing else.", "amount"
        )
    return int(whole or "0") * 100 + int((part + "00")[:2])
