from tests.unit.edge.ingest.conftest import kiosk, server

__all__ = ["kiosk", "server"]
