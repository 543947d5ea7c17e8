"""What is done at the server's own command line stands in the audit of changes too."""

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa

from broker import revocation
from deploy import provision as making
from edge.audit import store as audits
from edge.db.store_tables import certificate
from edge.devices import store as devices
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


def test_a_device_that_is_let_in_again_has_its_old_certificates_on_the_list(tmp_path: Path) -> None:
    wanted = making.NewStore("shop", "Shop", ("localhost",), {"tills": "Tills"})
    config = making.load_config(making.make_store(tmp_path / "shop", wanted, NOW))
    folder = making.add_device(config, "kiosk-1", "tills", None, NOW)
    (folder / "tls.key").unlink()
    making.add_device(config, "kiosk-1", "tills", None, NOW)
    # The first one ended without a word from anybody.
    assert len(revocation.revoked_serials(config.identity_path)) == 1
    making.revoke_device(config, "kiosk-1", "Stolen from the entrance.", NOW)
    assert making.sign_list(config, None, NOW) == 1
    assert revocation.turned_away(config.identity_path) == {"kiosk-1"}
    listed = revocation.revoked_serials(config.identity_path)
    assert len(listed) == 2
    (folder / "tls.key").unlink()
    making.add_device(config, "kiosk-1", "tills", None, NOW)
    assert revocation.turned_away(config.identity_path) == frozenset()
    assert revocation.revoked_serials(config.identity_path) == listed
    with making.writing(config) as conn:
        (device,) = devices.all_devices(conn, "shop")
        keys = conn.execute(sa.select(certificate.c.signing_key, certificate.c.revoked_at)).all()
    assert device.revoked_at is None
    assert len({key for key, _ in keys}) == 3 and [at for _, at in keys].count(NOW) == 2
