"""Who looked at footage of an associate's requests is theirs to read, and nobody else's."""

from datetime import timedelta

import pytest

from edge.audit.store import Actor
from edge.evidence import causes, looks
from edge.handling import acting, keeping

from .api.conftest import letting
from .conftest import STORE, Browser, Shop


@pytest.fixture
def helped(shop: Shop, alarm: str) -> str:
    """A help request that Ana has accepted and Marc was called for; its clip."""
    request = shop.raise_request("Ana", "Marc")
    shop.write(lambda conn: acting.acknowledge(conn, STORE, request, shop.people["Ana"].id, shop.clock.now))
    return shop.seal(request)


def look(shop: Shop, clip: str, who: str = "Mira", reason: str = "A shopper has complained") -> None:
    actor = Actor(who, "desk")
    shop.write(lambda conn: keeping.view(conn, STORE, clip, actor, reason, shop.clock.now, silent=True))


def page_of(shop: Shop, name: str) -> str:
    browser = Browser(shop.app)
    browser.sign_in(shop.people[name])
    return browser.get("/floor/looks").text


def test_whoever_took_part_reads_who_looked_when_and_why_and_nobody_else_does(
    shop: Shop, helped: str
) -> None:
    assert "Nobody has looked at such a clip" in page_of(shop, "Ana")
    look(shop, helped)
    hold = Actor("Adam", "desk")
    shop.write(
        lambda conn: keeping.place_hold(conn, STORE, helped, hold, "Case 12", shop.clock.now, silent=True)
    )
    page = page_of(shop, "Ana")
    assert "Mira" in page and "Looked at it" in page and "A shopper has complained" in page
    assert "Adam" in page and "Ordered it to be kept" in page and "Case 12" in page
    assert "The clip: Shoes," in page and page.index("Adam") < page.index("Mira")
    assert "A shopper has complained" not in page_of(shop, "Marc"), "to be called is not to take part"


def test_reading_it_is_no_look_at_footage(shop: Shop, helped: str) -> None:
    look(shop, helped)
    before = shop.custody()
    page_of(shop, "Ana")
    assert shop.custody() == before


def test_a_silent_request_is_shown_to_those_alone_who_took_part_in_it(
    shop: Shop, alarm: str, clip: str
) -> None:
    look(shop, clip, reason="What happened at the shoes")
    assert "What happened at the shoes" not in page_of(shop, "Igor"), "he was only called"
    shop.write(lambda conn: acting.acknowledge(conn, STORE, alarm, shop.people["Igor"].id, shop.clock.now))
    assert "What happened at the shoes" in page_of(shop, "Igor")
    assert "What happened at the shoes" not in page_of(shop, "Ana")


@pytest.mark.parametrize("known", [True, False])
def test_a_clip_that_also_shows_a_silent_request_of_others_or_an_unknown_one_is_kept_back(
    shop: Shop, alarm: str, helped: str, known: bool
) -> None:
    look(shop, helped)
    other = alarm if known else "019cadfd-8900-7aef-8a03-6c229584b983"
    shop.write(lambda conn: causes.add(conn, STORE, helped, [other]))
    assert "A shopper has complained" not in page_of(shop, "Ana")


def test_an_erased_name_is_named_so(shop: Shop, helped: str) -> None:
    look(shop, helped)
    shop.write(lambda conn: conn.exec_driver_sql("UPDATE custody SET actor = NULL, actor_salt = NULL"))
    page = page_of(shop, "Ana")
    assert "A name that was erased by law" in page and "A shopper has complained" in page


def test_it_is_reached_from_the_persons_own_page_and_is_not_kept_by_the_phone(
    shop: Shop, visitor: Browser
) -> None:
    assert visitor.get("/floor/looks").status_code == 303
    visitor.sign_in(shop.people["Ana"])
    assert 'href="/floor/looks"' in visitor.get("/floor/").text
    assert "looks" not in visitor.get("/floor/pages").text
    answer = visitor.get("/floor/looks")
    assert answer.headers["Cache-Control"] == "no-store"


def test_there_is_an_end_to_the_list(shop: Shop, helped: str) -> None:
    for _ in range(4):
        shop.clock.pass_(seconds=1)
        look(shop, helped)
    with shop.services.read() as conn:
        found = looks.of_person(conn, STORE, shop.people["Ana"].id, limit=3)
    assert [deed.at for deed in found] == [shop.clock.now - timedelta(seconds=n) for n in range(3)]


def test_another_program_reads_the_same_and_of_silent_requests_only_with_that_scope(
    shop: Shop, alarm: str, helped: str, clip: str
) -> None:
    ana, igor = shop.people["Ana"].id, shop.people["Igor"].id
    shop.write(lambda conn: acting.acknowledge(conn, STORE, alarm, igor, shop.clock.now))
    for one in (helped, clip):
        look(shop, one)
    let = letting(shop)
    quiet, knowing = let("read:evidence"), let("read:evidence", "security")
    (deed,) = quiet.get(f"/people/{ana}/looks").json["looks"]
    assert (deed["action"], deed["actor"], deed["clip"]) == ("viewed", "Mira", helped)
    assert quiet.get(f"/people/{igor}/looks").json == {"looks": []}
    assert [one["clip"] for one in knowing.get(f"/people/{igor}/looks").json["looks"]] == [clip]
    assert quiet.ask("GET", "/people/nobody/looks").status_code == 404
