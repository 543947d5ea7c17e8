"""Two associates at once, on phones that lose the store and find it again."""

import pytest
from playwright.sync_api import Route, expect

from tests.browser.floor_rig import Floor, SignIn, accept, close, serious, waiting

pytestmark = pytest.mark.browser
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)


def test_of_two_who_accept_at_once_one_wins_and_what_the_winner_taps_without_a_network_is_sent_once(
    floor: Floor, phone: SignIn
) -> None:
    phones = {name: phone(name) for name in ("Ana", "Marc")}
    request = floor.press()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)
        if len(held) == 2:
            for one in held:
                one.continue_()

    for one in phones.values():
        waiting(one)
        one.route("**/acknowledge", hold)
    with phones["Ana"].expect_response("**/acknowledge"), phones["Marc"].expect_response("**/acknowledge"):
        for one in phones.values():
            accept(one)
    state, winner = floor.state(request)
    assert (state, len(held)) == ("acknowledged", 2) and winner is not None
    (loser,) = set(phones) - {winner}
    won, lost = phones[winner], phones[loser]
    expect(lost.locator("#trouble")).to_have_text(f"{winner} is already coming.")
    expect(lost.get_by_role("heading", name=f"{winner} is coming")).to_be_visible()
    expect(won.get_by_text("You are on your way")).to_be_visible()

    won.context.set_offline(True)
    won.get_by_role("button", name="I’m here").tap()
    note = won.locator("[data-tap]")
    expect(note.locator("p")).to_have_text(
        "“I’m here” is kept on this phone, not sent yet. It is sent as soon as the store can be reached."
    )
    expect(note.get_by_role("button")).to_have_text("Drop it")
    expect(won.get_by_role("button", name="I’m here")).to_be_disabled()
    won.locator("summary", has_text="Done").tap()
    won.get_by_role("button", name="Helped").tap()
    expect(note).to_have_count(2)
    expect(note.last).to_contain_text("“Done: Helped” is kept on this phone, not sent yet.")
    expect(won.locator("#link")).to_have_attribute("data-link", "lost")
    expect(won.locator("#link")).to_contain_text("Not reachable since")
    assert serious(won) == []
    assert floor.state(request) == ("acknowledged", winner)

    answers: list[Route] = []
    won.route("**/floor/heard", lambda route: answers.append(route))
    won.context.set_offline(False)
    expect(note).to_have_count(0)
    expect(won.locator("[data-request]")).to_have_count(0)
    assert floor.state(request) == ("resolved", winner)
    assert floor.lines(request, "attended", "resolved") == [f"{winner} is there.", "Helped."]
    assert [words.split(" tapped this ")[0] for words in floor.lines(request, "kept")] == [winner, winner]
    # The taps are through, but that a call would reach this phone is not yet confirmed.
    expect(won.locator("#link")).to_have_attribute("data-link", "lost")
    won.unroute("**/floor/heard")
    for route in answers:
        route.continue_()
    expect(won.locator("#link")).to_have_attribute("data-link", "connected")


def test_a_kept_tap_that_comes_too_late_is_told_who_has_the_request(floor: Floor, phone: SignIn) -> None:
    ana, marc = phone("Ana"), phone("Marc")
    request = floor.press()
    waiting(ana)
    waiting(marc)
    ana.context.set_offline(True)
    accept(ana)
    expect(ana.locator("[data-tap]")).to_contain_text("“I’m coming” is kept on this phone, not sent yet.")
    accept(marc)
    expect(marc.get_by_text("You are on your way")).to_be_visible()
    ana.context.set_offline(False)
    expect(ana.locator("#trouble")).to_have_text("Marc is already coming.")
    expect(ana.locator("[data-tap]")).to_have_count(0)
    expect(ana.get_by_role("heading", name="Marc is coming")).to_be_visible()
    assert floor.lines(request, "acknowledged") == ["Marc is coming."]
    close(marc)


def test_a_tap_whose_answer_is_lost_is_sent_again_and_done_once(floor: Floor, phone: SignIn) -> None:
    ana = phone("Ana")
    request = floor.press()
    waiting(ana)

    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort("connectionreset")

    ana.route("**/acknowledge", lose_the_answer, times=1)
    with ana.expect_request("**/acknowledge"):
        accept(ana)
    note = ana.locator("[data-tap]")
    expect(note.locator("p")).to_have_text(
        "“I’m coming” is kept on this phone: the store has not answered yet. It is sent until it is answered."
    )
    expect(note.get_by_role("button")).to_have_count(0)
    with ana.expect_response("**/acknowledge") as again:
        expect(ana.get_by_text("You are on your way")).to_be_visible()
    assert again.value.status == 200
    expect(note).to_have_count(0)
    assert floor.lines(request, "acknowledged") == ["Ana is coming."]
    close(ana)


def test_a_kept_tap_that_is_too_old_is_asked_about_and_survives_a_closed_page(
    floor: Floor, phone: SignIn
) -> None:
    ana = phone("Ana")
    request = floor.press()
    waiting(ana)
    ana.context.set_offline(True)
    accept(ana)
    expect(ana.locator("[data-tap]")).to_be_visible()
    # As if the minute that 'I am coming' holds had passed.
    ana.evaluate("""() => {
        const key = Object.keys(localStorage).find((name) => name.startsWith("floorbell-taps-"));
        const taps = JSON.parse(localStorage.getItem(key)).map((tap) => ({ ...tap, at: tap.at - 75_000 }));
        localStorage.setItem(key, JSON.stringify(taps));
    }""")
    sent: list[str] = []
    ana.on("request", lambda asked: sent.append(asked.url) if asked.url.endswith("/acknowledge") else None)
    ana.context.set_offline(False)
    ana.reload()
    note = ana.locator("article [data-tap]")
    expect(note).to_contain_text("“I’m coming” was tapped 1 min")
    expect(note).to_contain_text("is not known to have arrived. Does it still hold?")
    expect(ana.locator("#link")).to_have_attribute("data-link", "connected")
    assert serious(ana) == []
    assert sent == [] and floor.state(request) == ("raised", None)
    note.get_by_role("button", name="Drop it").tap()
    expect(note).to_have_count(0)
    accept(ana)
    expect(ana.get_by_text("You are on your way")).to_be_visible()
    assert len(sent) == 1
    close(ana)


def test_whoever_accepted_and_is_silent_is_asked_and_a_supervisor_who_accepts_takes_over(
    floor: Floor, phone: SignIn
) -> None:
    ana, sofia = phone("Ana"), phone("Sofia")
    request = floor.press()
    accept(ana)
    expect(ana.get_by_text("You are on your way")).to_be_visible()
    floor.arrival_is_due(request)
    expect(ana.get_by_text("Are you there?")).to_be_visible()
    expect(ana.get_by_role("button", name="Still on my way")).to_be_visible()
    assert serious(ana) == []
    floor.arrival_is_due(request)
    expect(sofia.get_by_text("Ana does not answer")).to_be_visible()
    accept(sofia)
    expect(ana.get_by_role("heading", name="Sofia is coming")).to_be_visible()
    assert floor.state(request) == ("acknowledged", "Sofia")
    close(sofia)
