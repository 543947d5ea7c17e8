"""Scores as they come in, in whatever order."""

import random
from datetime import timedelta

import pytest
import sqlalchemy as sa

from broker.events import Attended, FeedbackGiven, HelpRequested, SecurityRequested
from edge.db.feedback_tables import feedback, judge_due
from edge.db.tables import interaction, timeline
from edge.feedback.judging import Score, judge
from edge.handling import acting
from tests.unit.edge.ingest.server import Arrival, Kiosk, Server, id_of

pytestmark = pytest.mark.usefixtures("small_store")


def one(server: Server) -> sa.RowMapping:
    """The only score, judged."""
    server.judge()
    (row,) = server.rows(feedback)
    return row


def test_a_score_is_a_row_in_the_log_and_one_beside_it(server: Server, kiosk: Kiosk) -> None:
    given = kiosk.event(FeedbackGiven(3, "quick"))
    receipts = server.take(given)
    row = one(server)
    assert row["interaction"] == str(id_of(given))
    facts = (row["score"], row["source"], row["zone"], row["about"], row["judged"], row["why"])
    assert facts == (3, "kiosk", "shoes", None, "counted", "stands alone")
    assert server.rows(interaction)[0]["reason"] == "quick"
    assert receipts["kiosk-1"].seqs[kiosk.outbox] == [1]


@pytest.mark.parametrize("score_first", [False, True])
def test_a_score_is_tied_to_its_request_whichever_comes_first(
    server: Server, kiosk: Kiosk, score_first: bool
) -> None:
    press = kiosk.event(HelpRequested("till"))
    request = str(id_of(press))
    score = kiosk.event(FeedbackGiven(1, None, id_of(press)))
    for arrival in (score, press) if score_first else (press, score):
        server.take(arrival)
    assert (one(server)["about"], one(server)["why"]) == (request, "the first score of its request")
    lines = [row["words"] for row in server.rows(timeline, interaction=request, what="feedback")]
    assert lines == ["The shopper's score: 1 of 4, very unhappy."]
    assert server.rows(interaction, kind="feedback")[0]["about"] == request


def test_a_score_of_a_press_that_joined_is_tied_to_the_open_request(server: Server, kiosk: Kiosk) -> None:
    press = kiosk.event(HelpRequested("till"))
    again = kiosk.event(HelpRequested("till"))
    server.take(press)
    server.take(again)
    server.take(kiosk.event(FeedbackGiven(4, None, id_of(again))))
    assert one(server)["about"] == str(id_of(press))


def test_a_score_that_names_another_devices_request_is_one_of_the_visit(server: Server, kiosk: Kiosk) -> None:
    other = Kiosk(server, "till-1")
    press = other.event(HelpRequested("till"))
    server.take(press)
    server.take(kiosk.event(FeedbackGiven(4, None, id_of(press))))
    assert one(server)["about"] is None
    assert server.rows(timeline, what="feedback") == []


def test_a_score_that_names_a_security_request_is_one_of_the_visit(server: Server, kiosk: Kiosk) -> None:
    press = kiosk.event(SecurityRequested("hold", True))
    server.take(press, kiosk.event(FeedbackGiven(1, None, id_of(press))))
    assert one(server)["about"] is None
    assert not server.rows(timeline, interaction=str(id_of(press)), what="feedback")
    assert [row["about"] for row in server.rows(interaction, kind="feedback")] == [None]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
@pytest.mark.parametrize("together", [False, True])
def test_answers_are_put_beside_their_score_in_any_order(
    server: Server, kiosk: Kiosk, order: tuple[int, ...], together: bool
) -> None:
    score = kiosk.event(FeedbackGiven(2))
    first = kiosk.event(FeedbackGiven(2, answers={"found": "no"}, follows=id_of(score)))
    second = kiosk.event(FeedbackGiven(2, "the queue", answers={"ease": "hard"}, follows=id_of(score)))
    arrivals = [(score, first, second)[n] for n in order]
    for batch in [arrivals] if together else [[a] for a in arrivals]:
        receipts = server.take(*batch)
        assert sum(len(r.seqs[kiosk.outbox]) for r in receipts.values()) == len(batch)
    assert one(server)["answers"] == {"found": "no", "ease": "hard"}
    (logged,) = server.rows(interaction)
    assert logged["reason"] == "the queue"


def test_a_wrong_answer_is_refused_with_the_sentence(server: Server, kiosk: Kiosk) -> None:
    server.take(kiosk.event(FeedbackGiven(2, answers={"wait": "forever"})))
    assert server.refusals() == ["The answer to 'wait' is 'forever'; allowed are short, fair, long."]
    assert server.rows(feedback) == server.rows(interaction) == []


def test_answers_that_follow_no_score_are_refused(server: Server, kiosk: Kiosk) -> None:
    press = kiosk.event(HelpRequested("till"))
    server.take(press)
    server.take(kiosk.event(FeedbackGiven(2, answers={"wait": "long"}, follows=id_of(press))))
    assert server.refusals() == [f"It follows {id_of(press)}, which is a help and no score."]


def test_a_drill_is_logged_and_in_no_total(server: Server, kiosk: Kiosk) -> None:
    server.take(kiosk.event(FeedbackGiven(2), drill=True))
    assert server.rows(feedback) == [] and len(server.rows(interaction)) == 1


def test_an_arrival_that_comes_later_changes_the_verdict_on_the_score_before_it(
    server: Server, kiosk: Kiosk, small_store: object
) -> None:
    press = kiosk.event(HelpRequested("till"))
    server.take(press)
    server.do(acting.acknowledge, str(id_of(press)), small_store.people["Ana"])  # type: ignore[attr-defined]
    kiosk.wait(30)
    server.take(kiosk.event(FeedbackGiven(4)))
    assert one(server)["judged"] == "counted"
    kiosk.wait(4)
    server.take(kiosk.event(Attended(id_of(press))))
    assert one(server)["judged"] == "staff"
    assert one(server)["why"] == "an associate was at this device 4 s apart from it"


@pytest.mark.parametrize("seed", range(8))
def test_whatever_the_order_of_arrival_the_verdicts_are_the_same_and_nothing_is_lost(
    server: Server, kiosk: Kiosk, seed: int
) -> None:
    chance = random.Random(seed)
    press = kiosk.event(HelpRequested("till"))
    arrivals: list[Arrival] = [press]
    for _ in range(30):
        kiosk.wait(chance.choice([1, 2, 4, 7, 30, 200]))
        kiosk.heard()
        about = id_of(press) if chance.random() < 0.2 else None
        arrivals.append(kiosk.event(FeedbackGiven(chance.randint(1, 4), None, about)))
    chance.shuffle(arrivals)
    while arrivals:
        server.take(*(arrivals.pop() for _ in range(min(len(arrivals), chance.randint(1, 4)))))
        if chance.random() < 0.3:
            server.judge()
    server.judge()
    rows = server.rows(feedback)
    assert len(rows) == 30
    verdicts = judge(
        [Score(r["interaction"], r["at"], r["score"], r["about"], r["source"]) for r in rows], []
    )
    assert {r["interaction"]: (r["judged"], r["why"]) for r in rows} == {
        id_: (v.judged.value, v.why) for id_, v in verdicts.items()
    }
    assert max(r["at"] for r in rows) - min(r["at"] for r in rows) > timedelta(seconds=30)


def test_a_score_counts_and_says_no_reason_until_it_is_judged(server: Server, kiosk: Kiosk) -> None:
    """Judging reads all that hangs together: no press waits for it."""
    for _ in range(2):
        server.take(kiosk.event(FeedbackGiven(4)))
        kiosk.wait(1)
    assert [(r["judged"], r["why"]) for r in server.rows(feedback)] == [("counted", "")] * 2
    server.judge()
    assert sorted((r["judged"], r["why"]) for r in server.rows(feedback)) == [
        ("burst", "1 s after another one"),
        ("counted", "stands alone"),
    ]
    assert server.rows(judge_due) == []
