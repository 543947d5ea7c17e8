"""The store server's programs: `python -m edge PROGRAM --config edge.toml`."""

import argparse
import signal
import sys
from pathlib import Path

from broker import logs
from broker.errors import BrokerError
from edge.config import load_config
from edge.errors import EdgeError


def main(arguments: list[str] | None = None) -> int:
    """Run one program. A mistake is one sentence on stderr and exit status 1."""
    parser = argparse.ArgumentParser(prog="edge", description="Floorbell's store server")
    parser.add_argument("program", choices=("worker", "web", "vault", "messenger", "bridge", "migrate"))
    parser.add_argument("--config", type=Path, default=Path("edge.toml"))
    chosen = parser.parse_args(arguments)
    try:
        config = load_config(chosen.config)
        logs.begin(config.log, chosen.program)
        if chosen.program == "worker":
            from edge.worker import Worker

            worker = Worker(config)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: worker.stop())
            worker.run()
            return 0
        if chosen.program == "web":
            from edge.web.server import run_web

            return run_web(config)
        if chosen.program == "vault":
            from edge.vault.server import run_vault

            return run_vault(config)
        if chosen.program == "messenger":
            from edge.messenger.loop import Messenger

            messenger = Messenger(config)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: messenger.stop())
            messenger.run()
            return 0
        if chosen.program == "bridge":
            from edge.bridge.loop import Bridge

            bridge = Bridge(config)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: bridge.stop())
            bridge.run()
            return 0
        from edge.db.engine import migrate

        migrate(config.database_url)
        return 0
    except (BrokerError, EdgeError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
