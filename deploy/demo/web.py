"""The store's own web program with the demo's page in front: one port, so that one browser sees it all."""

import argparse
import sys
from pathlib import Path

from flask import Flask

from broker.errors import BrokerError
from deploy.demo import page
from edge.config import load_config
from edge.errors import EdgeError
from edge.web.server import run_web


def main() -> int:
    parser = argparse.ArgumentParser(prog="demo web")
    parser.add_argument("--config", type=Path, required=True)
    chosen = parser.parse_args()
    try:
        config = load_config(chosen.config)

        def dress(app: Flask) -> None:
            demo = page.build(Path(config.directory), config)
            app.wsgi_app = page.beside(app.wsgi_app, demo)  # type: ignore[method-assign,assignment]

        return run_web(config, dress, open_room="/demo/")
    except (BrokerError, EdgeError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
