"""The associate's page: what it shows, and what its forms do."""

from .conftest import Browser, Shop


def state(shop: Shop, request: str) -> object:
    return shop.read("SELECT state FROM interaction WHERE id = :id", id=request)[0][0]


def test_a_page_shows_topic_zone_reason_count_and_code(shop: Shop, ana: Browser) -> None:
    shop.raise_request("Ana", count=3)
    ((reference,),) = shop.read("SELECT reference FROM interaction")
    text = ana.get("/floor/").text
    for shown in ("Fitting room", "Shoes", "You are free and near", "pressed 3 times", str(reference)):
        assert shown in text


def test_who_was_not_greeted_stands_below_help_and_security_and_is_answered_with_one_tap(
    shop: Shop, ana: Browser
) -> None:
    came_in = shop.clock.now
    shop.clock.pass_(seconds=30)
    greet = shop.raise_request("Ana", kind="greet", topic="in", language=None, raised_at=came_in)
    help_ = shop.raise_request("Ana")
    hold = shop.raise_request("Ana", kind="security")
    text = ana.get("/floor/").text
    assert "Somebody at Shoes has not been greeted" in text
    places = [text.index(f'data-request="{one}"') for one in (hold, help_, greet)]
    assert places == sorted(places)
    card = next(one for one in text.split("<article") if greet in one).split("</article>")[0]
    assert "card-greet" in card and "card-waiting" not in card and "I greet them" in card
    ana.post(f"/floor/requests/{greet}/acknowledge")
    assert state(shop, greet) == "resolved" and greet not in ana.get("/floor/").text
    assert shop.read("SELECT outcome FROM interaction WHERE id = :id", id=greet) == [("greeted",)]


def test_only_the_person_who_was_paged_sees_it(shop: Shop, ana: Browser, marc: Browser) -> None:
    shop.raise_request("Ana")
    assert "Nobody is waiting for you" in marc.get("/floor/").text


def test_the_whole_way_works_with_plain_forms(shop: Shop, ana: Browser) -> None:
    request = shop.raise_request("Ana")
    assert ana.post(f"/floor/requests/{request}/acknowledge").location == "/floor/"
    assert "You are on your way" in ana.get("/floor/").text
    ana.post(f"/floor/requests/{request}/attend")
    assert "You are there" in ana.get("/floor/").text
    ana.post(f"/floor/requests/{request}/resolve", outcome="helped", note="Size 38.")
    assert shop.read("SELECT state, outcome, note FROM interaction") == [("resolved", "helped", "Size 38.")]
    assert "Nobody is waiting for you" in ana.get("/floor/").text


def test_of_two_who_accept_the_second_is_told_who_has_it(shop: Shop, ana: Browser, marc: Browser) -> None:
    request = shop.raise_request("Ana", "Marc")
    assert marc.post(f"/floor/requests/{request}/acknowledge", htmx=True).status_code == 200
    late = ana.post(f"/floor/requests/{request}/acknowledge", htmx=True)
    assert late.status_code == 409
    assert "Marc is already coming." in late.text and "<html" not in late.text
    plain = ana.post(f"/floor/requests/{request}/acknowledge")
    assert plain.status_code == 409 and "<html" in plain.text and "Marc is already coming." in plain.text


def test_a_page_that_another_took_says_calmly_who_is_coming(shop: Shop, ana: Browser, marc: Browser) -> None:
    request = shop.raise_request("Ana", "Marc")
    marc.post(f"/floor/requests/{request}/acknowledge")
    text = ana.get("/floor/pages", **{"HX-Request": "true"}).text
    assert "Marc is coming" in text and "I’m coming" not in text


def test_a_request_cannot_be_closed_without_an_outcome(shop: Shop, ana: Browser) -> None:
    request = shop.raise_request("Ana")
    ana.post(f"/floor/requests/{request}/acknowledge")
    assert ana.post(f"/floor/requests/{request}/resolve", note="bye").status_code == 409
    assert state(shop, request) == "acknowledged"


def test_unknown_requests_and_those_of_another_store_are_404(shop: Shop, ana: Browser) -> None:
    other = shop.raise_request(store="elsewhere")
    for request in (other, "00000000-0000-7000-8000-000000000000", "x" * 500):
        assert ana.post(f"/floor/requests/{request}/acknowledge").status_code == 404
    assert state(shop, other) == "raised"


def test_an_unknown_age_is_said_to_be_unknown(shop: Shop, ana: Browser) -> None:
    shop.raise_request("Ana", age_known=False)
    text = ana.get("/floor/").text
    assert "age unknown" in text and "data-since" not in text


def test_a_security_page_is_titled_by_its_place_and_comes_first(shop: Shop, ana: Browser) -> None:
    shop.raise_request("Ana", kind="security")
    shop.clock.pass_(seconds=5)
    shop.raise_request("Ana")
    text = ana.get("/floor/").text
    assert text.index("Security: Shoes") < text.index("Fitting room")


def test_the_phones_report_moves_only_its_own_pages(shop: Shop, ana: Browser, marc: Browser) -> None:
    shop.raise_request("Ana")
    ((page,),) = shop.read("SELECT id FROM page")
    assert marc.post("/floor/pages/seen", pages=page).status_code == 204
    assert shop.read("SELECT state FROM page") == [("pending",)]
    ana.post("/floor/pages/delivered", pages=page)
    assert shop.read("SELECT state FROM page") == [("delivered",)]
    ana.post("/floor/pages/seen", pages=[page, "not-a-page"])
    assert shop.read("SELECT state FROM page") == [("seen",)]


def test_names_and_notes_are_shown_as_text(shop: Shop, ana: Browser) -> None:
    shop.raise_request("Ana", topic="<b>", zone="<i>")
    text = ana.get("/floor/").text
    assert "<b>" not in text and "&lt;i&gt;" in text


def test_the_page_reloads_itself_where_there_are_no_scripts(ana: Browser) -> None:
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in ana.get("/floor/").text


def test_who_was_not_called_for_a_silent_request_cannot_act_on_it_nor_learn_of_it(
    shop: Shop, ana: Browser, marc: Browser
) -> None:
    request = shop.raise_request("Ana", kind="security")
    unknown = marc.post(f"/floor/requests/{'0' * 36}/acknowledge")
    for act in ("acknowledge", "attend", "resolve"):
        refused = marc.post(f"/floor/requests/{request}/{act}", outcome="handled")
        assert (refused.status_code, refused.text) == (404, unknown.text)
    assert state(shop, request) == "raised"
    assert ana.post(f"/floor/requests/{request}/acknowledge").status_code == 303
    assert marc.post(f"/floor/requests/{request}/acknowledge").status_code == 404, (
        "not even the holder's name"
    )
