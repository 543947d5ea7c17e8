"""How an access request moves: what is allowed, what is refused and in which words."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from edge.access_requests.letters import Facts, OfShop, letter
from edge.access_requests.rules import (
    AccessRequest,
    Action,
    Answer,
    Change,
    Close,
    Extend,
    Note,
    Ready,
    Refusal,
    Reopen,
    State,
    decide,
    why_not_open,
)

RECEIVED, TODAY = date(2026, 1, 31), date(2026, 2, 10)
OPEN = AccessRequest("a", "2026-0001", RECEIVED, State.OPEN, 3, last_words="Mira opened it.")
NOW = datetime(2026, 2, 10, 12, 0, tzinfo=UTC)


def changed(request: AccessRequest, action: Action) -> AccessRequest:
    done = decide(request, action)
    assert isinstance(done, Change), done
    assert done.request.revision == request.revision + 1
    return done.request


def refused(request: AccessRequest, action: Action) -> str:
    done = decide(request, action)
    assert isinstance(done, Refusal)
    return done.sentence


def extend(told_on: date = TODAY, reason: str = "Many clips", today: date = TODAY) -> Extend:
    return Extend("Mira", told_on, reason, today)


def answer(how: str = "footage", **more: object) -> Answer:
    whole = Answer("Mira", how, "", "Here it is.", Ready(1, 0))
    return replace(whole, **more)  # type: ignore[arg-type]


def test_it_is_extended_once_and_only_if_the_asker_was_told_within_the_first_month() -> None:
    longer = changed(OPEN, extend())
    assert (longer.state, longer.due_on) == (State.EXTENDED, date(2026, 4, 30))
    assert "only once" in refused(longer, extend())
    late = date(2026, 3, 1)
    for told_on, today in ((late, late), (TODAY, TODAY - timedelta(days=1)), (date(2026, 1, 30), TODAY)):
        assert "between 2026-01-31 and 2026-02-28" in refused(OPEN, extend(told_on, today=today))
    # Told in time, written down later.
    assert changed(OPEN, extend(date(2026, 2, 28), today=late)).extended_on == date(2026, 2, 28)
    assert "1 to 500" in refused(OPEN, extend(reason=" "))


def test_footage_goes_out_only_once_every_covered_copy_was_watched_and_the_letter_has_no_blank() -> None:
    assert changed(OPEN, answer()).answer == "footage"
    assert "No clip is marked" in refused(OPEN, answer(ready=Ready()))
    assert "2 clips have no covered copy" in refused(OPEN, answer(ready=Ready(3, 2)))
    blank = "Yours, [name of the company]"
    assert refused(OPEN, answer(letter=blank)) == (
        "The letter has a blank that is not filled in: [name of the company]"
    )
    assert "0 signs" in refused(OPEN, answer(letter=" "))


def test_nothing_found_and_refused_say_what_is_true() -> None:
    assert "marked as showing the asker" in refused(OPEN, answer("nothing"))
    assert changed(OPEN, answer("nothing", ready=Ready())).state is State.ANSWERED
    assert "The reason has 0 signs" in refused(OPEN, answer("refused"))
    assert changed(OPEN, answer("refused", reason="It was another shop.")).answer == "refused"
    assert "allowed are footage, nothing, refused, withdrawn" in refused(OPEN, answer("lost"))


def test_an_answered_one_is_closed_or_opened_again_as_it_was() -> None:
    done = changed(changed(OPEN, extend()), answer())
    assert "answered; open it again first" in refused(done, Note("marked", "x"))
    assert changed(changed(done, Close("Mira")), Reopen("Mira", "One more")).state is State.EXTENDED
    assert "only answered ones are closed" in refused(OPEN, Close("Mira"))
    assert "open already" in refused(OPEN, Reopen("Mira", "x"))


@pytest.mark.parametrize(
    "action", [replace(extend(), based_on=2), replace(answer(), based_on=2), Close("Mira", 2)]
)
def test_whoever_decides_has_read_what_was_written_meanwhile(action: Action) -> None:
    assert refused(OPEN, action).startswith("It was changed meanwhile: Mira opened it.")


def test_what_is_asked_for_is_a_day_at_most_and_lies_in_the_past() -> None:
    def field(came: str = "desk", received: date = TODAY, hours: float = 1, later: float = 0) -> str | None:
        began = NOW - timedelta(hours=2) + timedelta(hours=later)
        found = why_not_open(came, received, began, began + timedelta(hours=hours), NOW, TODAY)
        return found[0] if found else None

    assert [field(), field(hours=24)] == [None, None]
    assert [field("fax"), field(received=TODAY + timedelta(days=1)), field(hours=0), field(hours=24.1)] == [
        "came",
        "received",
        "to",
        "to",
    ]
    assert field(later=3) == field(later=-24 * 366 * 51) == "from"


def test_the_letter_says_what_the_law_asks_for_and_leaves_blanks_for_what_only_the_shop_knows() -> None:
    facts = Facts("The shop", "2026-0001", RECEIVED, "Shoes", NOW, NOW, [(NOW, NOW)], 72, 24 * 90)
    text = letter(OfShop(), facts)
    assert text.count("[") == 6 and "3 days" in text and "90 days" in text and "video-1.mp4" in text
    full = letter(OfShop("The Shop Ltd", "x", "safety", "nobody", "no", "the authority"), facts)
    assert "[" not in full and "The Shop Ltd" in full
    assert isinstance(decide(OPEN, answer(letter=full)), Change)
