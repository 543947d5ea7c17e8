"""What the web process does aside from requests."""

import time

import pytest

from edge.web import errands

from .conftest import Browser, Clock, Shop


def test_who_went_home_without_signing_out_is_off_also_in_a_shop_that_never_rests(
    shop: Shop, clock: Clock, visitor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errands, "SWEEP_EVERY_S", 0.2)
    visitor.sign_in(shop.people["Ana"])
    clock.pass_(hours=11)
    busy = errands.Errands(shop.services)
    busy.start()
    deadline = time.monotonic() + 10
    while shop.read("SELECT presence FROM person WHERE name = 'Ana'") != [("off",)]:
        assert time.monotonic() < deadline
        busy.sent("0" * 36)
        time.sleep(0.02)
    busy.stop()
