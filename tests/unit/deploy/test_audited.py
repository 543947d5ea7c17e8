"""What is done at the server's own command line stands in the audit of changes too."""

import datetime as dt
from pathlib import Path

import pytest

from deploy import provision as making
from edge.audit import store as audits
from edge.errors import EdgeError

NOW = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)


def test_zones_people_and_devices_added_by_command_are_audited_without_secrets(tmp_path: Path) -> None:
    wanted = making.NewStore("shop", "Shop", ("localhost",), {"tills": "Tills"})
    config = making.load_config(making.make_store(tmp_path / "shop", wanted, NOW))
    making.add_person(config, "Mira", "manager", NOW, password="correct horse battery")
    making.add_device(config, "kiosk-1", "tills", None, NOW)
    with pytest.raises(EdgeError, match="The zone is 'roof'; this store has tills"):
        making.add_person(config, "Bo", "associate", NOW, zones=("roof",))
    with making.writing(config) as conn:
        found = audits.entries(conn, "shop")
    assert [(e.what, e.subject, e.actor) for e in found] == [
        ("device.added", "kiosk-1", "command line"),
        ("person.added", "Mira", "command line"),
        ("zone.added", "tills", "command line"),
    ]
    assert "horse" not in str(found) and "argon2" not in str(found)
