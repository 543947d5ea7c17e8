"""`python -m deploy.demo`: see run.py."""

import sys

from deploy.cli import main

sys.exit(main(["demo", *sys.argv[1:]]))
