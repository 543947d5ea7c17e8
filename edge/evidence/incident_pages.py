"""The pages of the report that tell an incident: what was said and by whom, what was done, all timelines."""

from collections.abc import Sequence
from datetime import datetime

from edge.evidence.incident_file import Entry, IncidentFile, Page, Request
from edge.evidence.paper import Paper, moment

_SUBJECTS = {"security": "Security request", "help": "Request for help", "feedback": "Feedback"}


def tell(paper: Paper, case: IncidentFile) -> None:
    """All of it but its clips."""
    paper.heading(f"The incident {case.number}", 15)
    paper.facts(
        [
            ("What", case.class_words),
            ("Where", case.zone_title),
            ("When it happened", moment(case.happened_at)),
            ("Opened", f"{moment(case.opened_at)} by {case.opened_by or 'the security request'}"),
            ("State", f"closed {moment(case.closed_at)}" if case.closed_at else "open"),
            ("Outcome", case.outcome_words or "none yet"),
            (
                "Lost, as far as is known",
                "not known" if case.lost_cents is None else money(case.lost_cents, case.currency),
            ),
        ]
    )
    _entries(paper, "What was said", case, ("statement", "account"), "Nobody has written down what happened.")
    if case.accounts_asked:
        paper.heading("The associate's own account")
        asked = [
            (one.name, moment(one.at), "written, above" if one.written else "not written yet")
            for one in case.accounts_asked
        ]
        paper.table((60, 60, 70), ("Who was asked", "When", "Their account"), asked)
    _entries(paper, "Who was involved", case, ("person",), "Nobody is described.")
    _entries(paper, "Losses", case, ("loss",), "None is written down.")
    _entries(paper, "What was done", case, ("action",), "Nothing beside the checklist.")
    paper.heading("Checklist")
    checks = [
        (one.words, f"{one.name}, {moment(one.at)}" if one.name and one.at else "not ticked")
        for one in case.checks
    ]
    paper.table((95, 95), ("Point", "Ticked by"), checks)
    paper.heading("Timeline of the incident")
    paper.text("How it was opened, written into, closed, opened again and taken out.")
    paper.table(
        (44, 120, 26),
        ("When", "What", "Through"),
        [(moment(step.at), step.words, step.through) for step in case.timeline],
    )
    for request in case.requests:
        _request(paper, request)


def money(cents: int, currency: str) -> str:
    return f"{cents / 100:,.2f} {currency}"


def _entries(paper: Paper, title: str, case: IncidentFile, kinds: Sequence[str], nothing: str) -> None:
    paper.heading(title)
    found = [entry for entry in case.entries if entry.kind in kinds]
    if not found:
        paper.text(nothing)
    for entry in found:
        below = [f"Written by {entry.name}, {moment(entry.written_at)}, {entry.through}."]
        if entry.happened_at is not None:
            below.append(f"It was {moment(entry.happened_at)}.")
        if entry.corrects is not None:
            below.append(f"Corrects entry {entry.corrects}.")
        if entry.corrected_by is not None:
            below.append(f"Corrected by entry {entry.corrected_by}.")
        if entry.identified:
            below.append("The store knows who it is; this paper does not say it.")
        paper.quote(f"{entry.number}. {_whose(entry, case.currency)}", entry.words, below)


def _whose(entry: Entry, currency: str) -> str:
    if entry.kind == "account":
        return f"Own account of {entry.name}"
    if entry.kind == "statement":
        return f"{entry.said_by} said"
    if entry.kind == "person":
        return entry.role or "Not known"
    if entry.kind == "loss":
        return "Amount not known" if entry.amount_cents is None else money(entry.amount_cents, currency)
    return "Done"


def _request(paper: Paper, request: Request) -> None:
    subject = _SUBJECTS.get(request.kind, request.kind.capitalize())
    paper.heading(f"{subject} {request.reference}")
    raised = moment(request.raised_at) + ("" if request.age_known else ", when it came; its age is not known")
    facts = [
        ("Where", f"{request.zone_title}, {request.device}"),
        # A security request's topic is the gesture that raised it.
        ("Gesture" if request.kind == "security" else "About", request.topic or "not said"),
        ("Raised", raised + (", silently" if request.silent else "")),
        ("State", request.state),
        ("Answered", _stage(request.acknowledged_at, request.owner)),
        ("There", _stage(request.attended_at)),
        ("Over", _stage(request.closed_at)),
    ]
    if request.count > 1:
        facts.append(("Pressed", f"{request.count} times"))
    if request.score is not None:
        facts.append(("Rated", f"{request.score} of 4"))
    facts += [(name, said) for name, said in (("Said", request.reason), ("Note", request.note)) if said]
    paper.facts(facts)
    paper.table(
        (44, 88, 36, 22),
        ("When", "What", "Who", "Through"),
        [(moment(step.at), step.words, step.name or "", step.through) for step in request.timeline],
    )
    if request.pages:
        paper.text("Who was called, and how far each call verifiably got:")
        rows = [(one.name, moment(one.created_at), one.reason, _reached(one)) for one in request.pages]
        paper.table((34, 44, 52, 60), ("Who", "Called", "Why they", "How far"), rows)
    if request.earlier_pages:
        paper.text(f"{request.earlier_pages} earlier calls are not told here.")


def _stage(at: datetime | None, by: str | None = None) -> str:
    if at is None:
        return "no"
    return moment(at) + (f" by {by}" if by else "")


def _reached(page: Page) -> str:
    stages = (("sent", page.sent_at), ("delivered", page.delivered_at), ("seen", page.seen_at))
    reached = [f"{word} {at.astimezone():%H:%M:%S}" for word, at in stages if at is not None]
    if reached and page.state == stages[len(reached) - 1][0]:
        return ", ".join(reached)
    state = page.state.replace("_", " ") + (f" ({page.answer})" if page.answer else "")
    return ", ".join([state, *reached])
