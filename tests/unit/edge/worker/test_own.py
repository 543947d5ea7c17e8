"""Which certificates of the server's own side are watched."""

import datetime as dt
from pathlib import Path

from broker import identity, phones
from edge.config import EdgeConfig, Web
from edge.worker.own import Own

NOW = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)


def test_those_of_the_programs_the_keys_and_of_the_pages_where_these_are_used(tmp_path: Path) -> None:
    identity.make_store(tmp_path / "identity", "shop", ["floorbell.local"], NOW)
    phones.make(tmp_path / "identity", "shop", ["floorbell.local"], NOW)
    always = {"the store's CA", "renewals", "broker", "vault", "edge-worker", "edge-web"}
    for web, more in ((Web(), set()), (Web(tls="store"), {"the pages"})):
        config = EdgeConfig("shop", "Shop", web=web, directory=str(tmp_path))
        found = Own.of(config, NOW).look().certificates
        assert found.keys() == always | more
    assert found["the pages"] - NOW == phones.LASTING
    assert min(found.values()) == found["the pages"]
