"""Which lines of the broker's log are a refusal, and of whom."""

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa

from deploy import provision as making
from deploy.refusals import BrokerRefusals, read
from edge.audit.refusals import Refused
from edge.db.store_tables import audit

NOW = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (
            "refused: Denied PUBLISH from a (d0, q1, b) (d0, q1, r0, m5, 'floorbell/v1/shop/x/state', ... "
            "(9 bytes)) by kiosk-1",
            Refused(
                "denied.topic", "kiosk-1", "kiosk-1 was refused to publish on floorbell/v1/shop/x/state."
            ),
        ),
        (
            "refused: kiosk-1 subscribes to floorbell/#",
            Refused("denied.topic", "kiosk-1", "kiosk-1 was refused to read floorbell/#."),
        ),
        (
            "OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed",
            Refused(
                "denied.certificate", "the broker", "The broker let nobody in: certificate verify failed."
            ),
        ),
        (
            "Client connection from 10.0.0.9 failed: error:0A000086:SSL routines::certificate verify failed.",
            Refused(
                "denied.certificate",
                "the broker",
                "The broker let nobody in from 10.0.0.9: certificate verify failed.",
            ),
        ),
        (
            "Client connection from 127.0.0.1 failed: error:0A000126:SSL routines::unexpected eof while "
            "reading.",
            None,
        ),
        (
            "kiosk-1 is revoked: its connection was ended.",
            Refused("denied.revoked", "kiosk-1", "kiosk-1 is revoked and was sent away from the broker."),
        ),
        ("New client connected from 127.0.0.1:1 as kiosk-1 (p5, c1, k5, u'kiosk-1').", None),
        ("Client kiosk-1 disconnected.", None),
    ],
)
def test_a_refusal_is_told_from_the_rest(line: str, found: Refused | None) -> None:
    assert read(line) == found


def test_a_flood_of_refusals_is_counted_and_not_written_one_by_one(tmp_path: Path) -> None:
    wanted = making.NewStore("shop", "Shop", ("localhost",), {"tills": "Tills"})
    config = making.load_config(making.make_store(tmp_path / "shop", wanted, NOW))
    refusals = BrokerRefusals(config, lambda: NOW)
    for _ in range(150):
        refusals.hear("refused: kiosk-1 subscribes to floorbell/#")
    refusals.start()
    refusals.stop(30)
    with making.reading(config) as conn:
        rows = conn.execute(sa.select(audit.c.what, audit.c.actor).where(audit.c.what.like("denied%"))).all()
    assert [tuple(row) for row in rows] == [("denied.topic", "the broker")]
