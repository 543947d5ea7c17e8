"""What is refused stands in the audit: whom, what, from where; and a flood of it fills no disk."""

from datetime import UTC, datetime, timedelta

from edge.audit.bounds import MOST_PER_HOUR, Bounds
from edge.tokens import store as tokens
from edge.web.denials import turned_away

from .conftest import STORE, Browser, Shop

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def refused(shop: Shop) -> list[tuple[object, ...]]:
    shop.services.errands.record_noted()
    return audited(shop, "%denied%")


def audited(shop: Shop, what: str) -> list[tuple[object, ...]]:
    query = "SELECT what, actor, through, subject, words FROM audit WHERE what LIKE :what ORDER BY id"
    return shop.read(query, what=what)


def test_a_role_that_may_not_is_written_down_with_the_address_but_no_id(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in_at_desk("Sofia")
    visitor.get("/manage/evidence/0193-some-clip")
    assert refused(shop) == [
        (
            "denied.role", "Sofia", "desk", "GET /manage/evidence/<clip_id>",
            "Sofia was refused GET /manage/evidence/<clip_id>, asked from 127.0.0.1.",
        )
    ]  # fmt: skip


def test_wrong_secrets_are_written_down_by_whom_they_were_tried_for(shop: Shop) -> None:
    Browser(shop.app).sign_in(shop.people["Ana"], "9999")
    Browser(shop.app).sign_in_at_desk("Mira", "wrong wrong wrong")
    Browser(shop.app).sign_in_at_desk("my-secret-passphrase", "Mira")
    found = refused(shop)
    assert [(what, subject) for what, _, _, subject, _ in found] == [
        ("denied.pin", "Ana"), ("denied.password", "Mira"), ("denied.password", "nobody known"),
    ]  # fmt: skip
    assert found[0][4] == "A wrong PIN for Ana, asked from 127.0.0.1."
    assert not any("passphrase" in str(value) or "9999" in str(value) for row in found for value in row)


def test_one_row_a_minute_and_the_next_one_says_how_many_were_like_it(shop: Shop) -> None:
    for _ in range(8):
        Browser(shop.app).sign_in(shop.people["Ana"], "9999")
    assert [row[0] for row in refused(shop)] == ["denied.pin", "denied.held_up"]
    shop.clock.pass_(minutes=61)
    Browser(shop.app).sign_in(shop.people["Ana"], "9998")
    assert [row[0] for row in refused(shop)] == ["denied.pin", "denied.held_up", "denied.held_up"]
    assert refused(shop)[-1][4] == (
        "Too many wrong tries for Ana: held up, asked from 127.0.0.1. 2 more like it since 10:00 UTC."
    )


def test_a_token_without_the_scope_and_one_unknown_are_written_down(shop: Shop) -> None:
    secret = tokens.fresh()
    shop.write(
        lambda conn: tokens.add(
            conn, STORE, "Head office", ["read:log"], tokens.key_of(secret), "Mira", shop.clock.now
        )
    )
    client = shop.app.test_client()
    client.get("/api/v1/people", headers={"Authorization": f"Bearer {secret}"})
    client.get("/api/v1/people", headers={"Authorization": "Bearer nothing-of-ours"})
    client.get("/api/v1/people")
    assert [row[:4] for row in refused(shop)] == [
        ("denied.token", "Head office", "api", "GET /api/v1/people"),
        ("denied.token", "nobody known", "api", "unknown token"),
    ]


def test_whoever_is_merely_signed_out_is_refused_nothing(shop: Shop, visitor: Browser) -> None:
    visitor.get("/manage/log")
    visitor.client.get("/floor/pages", headers={"HX-Request": "true"})
    assert refused(shop) == []


def test_what_concerns_silent_calls_stands_under_their_kind(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in(shop.people["Ana"])
    visitor.get("/floor/quiet")
    visitor.post("/floor/quiet/take-back", person=shop.people["Ana"].id, pin="9999")
    assert [row[0] for row in refused(shop)] == ["silent.denied"]


def test_the_changes_show_refusals_alone(shop: Shop, mira: Browser, visitor: Browser) -> None:
    sofia = Browser(shop.app)
    sofia.sign_in_at_desk("Sofia")
    sofia.get("/manage/tokens")
    shop.services.errands.record_noted()
    page = mira.get("/manage/changes?what=denied").text
    assert "Sofia was refused GET /manage/tokens" in page and "Refusals" in page


def test_sign_ins_at_the_desk_and_exports_are_written_down(shop: Shop, mira: Browser) -> None:
    mira.get("/manage/log.csv")
    shop.services.errands.record_noted()
    ((_, actor, through, subject, words),) = audited(shop, "session.%")
    assert (actor, through, subject) == ("Mira", "desk", "Mira")
    assert words == "Mira signed in at the desk, asked from 127.0.0.1."
    ((what, actor, _, _, words),) = audited(shop, "export.%")
    assert (what, actor) == ("export.taken", "Mira")
    assert words == "Mira took out the log as CSV, asked from 127.0.0.1."


def test_a_sign_in_on_a_phone_is_written_down_with_its_address(shop: Shop, ana: Browser) -> None:
    shop.services.errands.record_noted()
    ((_, actor, through, subject, words),) = audited(shop, "session.%")
    assert (actor, through, subject) == ("Ana", "phone", "Ana")
    assert words == "Ana signed in on a phone, asked from 127.0.0.1."


def test_a_flood_from_everywhere_is_bounded_and_counted() -> None:
    bounds = Bounds()
    passed = [bounds.take((f"10.0.{n % 256}.{n // 256}",), NOW) for n in range(5000)]
    assert sum(one is not None for one in passed) == MOST_PER_HOUR
    assert (passed[MOST_PER_HOUR - 1] or "").endswith("refusals are only counted.")
    later = bounds.take(("10.0.0.1",), NOW + timedelta(hours=1))
    assert later == f" In the hour before, {5000 - MOST_PER_HOUR} more refusals were only counted."


def test_what_was_held_back_is_said_with_the_next_one() -> None:
    bounds, key = Bounds(), ("denied.pin", "Ana")
    assert [bounds.take(key, NOW + timedelta(seconds=n)) for n in (0, 1, 59)] == ["", None, None]
    assert bounds.take(key, NOW + timedelta(seconds=60)) == " 2 more like it since 10:00 UTC."


def test_what_was_turned_away_at_the_door_is_one_row(shop: Shop) -> None:
    turned_away(shop.services, {"who asked too much at once": 812, "whose TLS was none of ours": 3})
    words = "812 who asked too much at once, 3 whose TLS was none of ours"
    said = f"Turned away at the door within a minute: {words}."
    assert refused(shop) == [("denied.door", "nobody known", "desk", "the web server", said)]
