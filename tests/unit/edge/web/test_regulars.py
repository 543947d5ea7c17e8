"""Whose requests do not wait behind strangers': whoever was found valid here, as long as they are."""

import sqlalchemy as sa

from edge.serving.head import Head
from edge.tokens import store as tokens
from edge.web.regulars import MOST, Regulars

from .conftest import STORE, Browser, Shop


def head(**fields: str) -> Head:
    return Head("/", fields, None)


def cookie(browser: Browser, audience: str = "floor") -> str:
    found = browser.client.get_cookie(f"floorbell_{audience}", path=f"/{audience}")
    assert found is not None
    return f"floorbell_{audience}={found.value}"


def test_a_phone_is_known_from_its_sign_in_until_its_session_is_found_to_be_over(
    shop: Shop, ana: Browser
) -> None:
    here, known = cookie(ana), shop.services.regulars.knows
    assert known(head(cookie=f"other=1; {here}")) and not known(head(cookie=here + "x"))
    shop.write(lambda conn: conn.execute(sa.text("DELETE FROM session")))
    assert ana.get("/floor/").status_code == 303
    assert not known(head(cookie=here))


def test_a_cookie_that_is_no_utf8_beside_it_hangs_up_on_nobody(shop: Shop, ana: Browser) -> None:
    known = shop.services.regulars.knows
    assert known(head(cookie=f"other=\xff\xfe; {cookie(ana)}"))
    assert not known(head(cookie="floorbell_floor=\xff"))


def test_after_a_restart_it_is_known_with_its_first_request(shop: Shop, ana: Browser) -> None:
    here = cookie(ana)
    shop.services.regulars = Regulars()
    assert not shop.services.regulars.knows(head(cookie=here))
    ana.get("/floor/")
    assert shop.services.regulars.knows(head(cookie=here))


def test_a_token_is_known_until_it_is_revoked_and_one_that_is_none_never(shop: Shop) -> None:
    secret, now, known = tokens.fresh(), shop.clock.now, shop.services.regulars.knows
    shop.write(lambda conn: tokens.add(conn, STORE, "Wall", ["read:log"], tokens.key_of(secret), "Mira", now))
    said, client = {"authorization": f"Bearer {secret}"}, shop.app.test_client()
    client.get("/api/v1/floor", headers=said)
    assert known(head(**said))
    client.get("/api/v1/floor", headers={"authorization": "Bearer fb_none"})
    assert not known(head(authorization="Bearer fb_none")) and not known(head())
    shop.write(lambda conn: conn.execute(sa.text("DELETE FROM token")))
    client.get("/api/v1/floor", headers=said)
    assert not known(head(**said))


def test_it_remembers_a_bounded_number_and_no_secret() -> None:
    regulars = Regulars()
    for number in range(MOST + 10):
        regulars.note(f"secret-{number}")
    assert len(regulars._known) == MOST and not any(b"secret" in key for key in regulars._known)
    assert regulars.knows(head(cookie=f"floorbell_floor=secret-{MOST}"))
    assert not regulars.knows(head(cookie="floorbell_floor=secret-1"))
