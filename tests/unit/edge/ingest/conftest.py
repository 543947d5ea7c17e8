import pytest
import sqlalchemy as sa

from tests.unit.edge.conftest import Clock
from tests.unit.edge.ingest.server import Kiosk, Server


@pytest.fixture
def server(conn: sa.Connection, clock: Clock) -> Server:
    return Server(conn, clock)


@pytest.fixture
def kiosk(server: Server) -> Kiosk:
    """kiosk-1, whose clock was just heard."""
    kiosk = Kiosk(server)
    kiosk.heard()
    return kiosk
