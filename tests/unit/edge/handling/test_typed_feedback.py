"""What a shopper said by telephone, in a letter or at the desk."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from broker.events import HelpRequested, SecurityRequested, reference_of
from edge.db.feedback_tables import feedback as scores
from edge.db.tables import interaction, timeline
from edge.errors import Faulty, NotFound
from edge.feedback import opinions
from edge.feedback.opinions import Filters, Opinion
from edge.handling import acting, feedback
from edge.handling.feedback import Typed
from tests.unit.edge.conftest import STORE, SmallStore
from tests.unit.edge.ingest.server import Kiosk, Server, id_of

EVERYTHING = Filters()
WORDS = "The lady said:\n‘Nobody came for 10 minutes’"


@pytest.fixture
def letter(server: Server) -> Typed:
    return Typed("letter", 2, None, "tills", {}, WORDS, server.clock.now - timedelta(days=2))


class Desk:
    """Types in as one of the staff."""

    def __init__(self, server: Server, people: dict[str, str]) -> None:
        self._server, self.people = server, people

    def save(self, what: Typed, person: str = "Mira", through: str = "desk") -> str:
        conn, now = self._server.conn, self._server.clock.now
        with conn.begin():
            return feedback.typed(conn, STORE, what, self.people[person], through, now)


@pytest.fixture
def desk(server: Server, small_store: SmallStore) -> Desk:
    return Desk(server, small_store.people)


def all_scores(server: Server, filters: Filters = EVERYTHING) -> list[Opinion]:
    with server.conn.begin():
        return opinions.newest(server.conn, STORE, filters, None, 50)


def test_a_letter_is_kept_in_its_exact_words_with_who_typed_it_in(
    desk: Desk, server: Server, letter: Typed
) -> None:
    id_ = desk.save(letter)
    (one,) = all_scores(server)
    assert (one.interaction, one.reason, one.source, one.score) == (id_, WORDS, "letter", 2)
    assert (one.at, one.entered_by, one.zone_title, one.device) == (letter.at, "Mira", "Tills", "")
    assert (one.judged, one.why) == ("counted", "written by one person")
    (row,) = server.rows(interaction)
    assert (row["raised_at"], row["received_at"], row["kind"]) == (letter.at, server.clock.now, "feedback")
    assert [line["words"] for line in server.rows(timeline)] == ["Told by letter; typed in by Mira."]


def test_told_of_a_request_it_stands_on_the_timeline_of_that_request(
    desk: Desk, server: Server, kiosk: Kiosk, letter: Typed
) -> None:
    help_ = kiosk.event(HelpRequested("till", "ca"))
    server.take(help_)
    with server.conn.begin():
        acting.acknowledge(server.conn, STORE, str(id_of(help_)), desk.people["Ana"], server.clock.now)
        code = reference_of(id_of(help_)).lower().replace("-", " ")
        about = feedback.told_of(server.conn, STORE, code, server.clock.now)
    at = server.clock.now
    desk.save(
        replace(letter, source="phone", about=about, zone="", answers={"wait": "long"}, at=at), "Ana", "phone"
    )
    (one,) = all_scores(server)
    assert (one.about, one.reference, one.owner_name) == (about, reference_of(id_of(help_)), "Ana")
    assert (one.zone, one.answers, one.why) == ("shoes", {"wait": "long"}, "the first score of its request")
    (said,) = [line for line in server.rows(timeline) if line["what"] == "feedback"]
    assert said["interaction"] == about and said["through"] == "phone" and WORDS in said["words"]


def test_a_second_score_of_a_request_is_kept_and_not_counted(
    desk: Desk, server: Server, kiosk: Kiosk, letter: Typed
) -> None:
    help_ = kiosk.event(HelpRequested("till", "ca"))
    server.take(help_)
    told = replace(letter, about=str(id_of(help_)), at=server.clock.now)
    desk.save(told)
    server.clock.forward(3600)
    desk.save(replace(told, source="phone", score=4, at=server.clock.now))
    with server.conn.begin():
        totals = opinions.totals(server.conn, STORE, Filters())
    assert (totals.all, totals.counted, totals.bursts, totals.by_staff) == (2, 1, 1, 0)
    assert totals.faces() == {1: 0, 2: 1, 3: 0, 4: 1}
    assert totals.faces(opinions.Judged.COUNTED) == {1: 0, 2: 1, 3: 0, 4: 0}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"source": "kiosk"}, "Say how it was told: allowed are by telephone, by letter, at the desk."),
        ({"score": 0}, "Choose one of the four faces."),
        ({"score": 5}, "Choose one of the four faces."),
        ({"words": "x" * 501}, "The words have 501 signs; allowed are 500."),
        ({"answers": {"wait": "ages"}}, "The answer to 'wait' is 'ages'; allowed are short, fair, long."),
        (
            {"answers": {"wait": "long", "manner": "kind", "again": "no"}},
            "3 questions are answered; allowed are 2.",
        ),
        ({"zone": "roof"}, "There is no zone 'roof' in this store."),
        ({"days": 93}, "When it was said lies in the last 92 days and not in the future."),
        ({"days": -1}, "When it was said lies in the last 92 days and not in the future."),
    ],
)
def test_what_cannot_be_saved_says_what_is_allowed_and_writes_nothing(
    desk: Desk, server: Server, letter: Typed, wrong: dict[str, object], sentence: str
) -> None:
    if "days" in wrong:
        wrong = {"at": server.clock.now - timedelta(days=wrong["days"])}  # type: ignore[arg-type]
    with pytest.raises(Faulty) as refused:
        desk.save(replace(letter, **wrong))  # type: ignore[arg-type]
    assert str(refused.value) == sentence
    assert server.rows(scores) == [] and server.rows(interaction) == []


def test_an_unknown_code_and_one_of_a_silent_request_are_refused_alike(
    desk: Desk, server: Server, kiosk: Kiosk
) -> None:
    hold = kiosk.event(SecurityRequested("hold", True))
    server.take(hold)
    for code in ("ZZZ-ZZZ", reference_of(id_of(hold))):
        with (
            server.conn.begin(),
            pytest.raises(Faulty, match=f"No request of the last 92 days has the code {code}"),
        ):
            feedback.told_of(server.conn, STORE, code, server.clock.now)
    with pytest.raises(NotFound):
        desk.save(Typed("desk", 1, str(id_of(hold)), "", {}, "", server.clock.now))


def test_nobody_types_in_for_somebody_who_is_not_here(desk: Desk, server: Server, letter: Typed) -> None:
    with server.conn.begin(), pytest.raises(NotFound):
        feedback.typed(server.conn, STORE, letter, "0" * 36, "desk", server.clock.now)


def test_the_list_goes_on_behind_a_place_and_is_narrowed(desk: Desk, server: Server, letter: Typed) -> None:
    for number in range(5):
        desk.save(replace(letter, score=1 + number % 4, at=letter.at + timedelta(minutes=number // 2)))
    with server.conn.begin():
        seen: list[Opinion] = []
        while some := opinions.newest(
            server.conn, STORE, Filters(), (seen[-1].at, seen[-1].interaction) if seen else None, 2
        ):
            seen += some
    assert len({one.interaction for one in seen}) == 5
    assert [one.at for one in seen] == sorted((one.at for one in seen), reverse=True)
    assert len(all_scores(server, Filters(scores=(1, 2)))) == 3
    assert len(all_scores(server, Filters(from_at=letter.at + timedelta(minutes=1)))) == 3
    assert (
        len(all_scores(server, Filters(source="letter", about="visit", judged="counted", zone="tills"))) == 5
    )
    for nothing in (
        Filters(source="code"),
        Filters(about="request"),
        Filters(judged="staff"),
        Filters(zone="shoes"),
    ):
        assert all_scores(server, nothing) == []


def test_answers_are_counted_where_the_score_counts(desk: Desk, server: Server, letter: Typed) -> None:
    for answers in ({"found": "yes"}, {"found": "no", "ease": "hard"}, {"found": "yes"}, {}):
        desk.save(replace(letter, answers=answers))
    with server.conn.begin():
        assert opinions.totals(server.conn, STORE, Filters()).answers == {
            "found": {"yes": 2, "no": 1},
            "ease": {"hard": 1},
        }
        assert server.conn.execute(sa.select(sa.func.count()).select_from(scores)).scalar() == 4
