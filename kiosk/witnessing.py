"""`python -m kiosk.witnessing`: judges one head, keeps or refuses it, and says so in one line. Then it ends.

A process of its own for each head, because the signatures' library would cost the kiosk's own program 8 MB
for the whole day, for work that comes a few times an hour.
"""

import argparse
import sys
import time
from pathlib import Path

import msgspec

from broker import codec, signing
from broker.errors import BrokerError, ContractError
from broker.files import write
from broker.witness import HeadKept, HeadShown, kept_to_sign
from kiosk.witness import ALARM, Held, Judged, judge

HELD = "witness.json"


def main(arguments: list[str] | None = None) -> int:
    """Reads a HeadShown on standard input, writes the answer on standard output. ALARM beside a refusal that
    contradicts what is held here; 1 and a sentence if it could not be done at all."""
    parser = argparse.ArgumentParser(prog="kiosk.witnessing")
    parser.add_argument("--store", required=True)
    parser.add_argument("--device", required=True)
    parser.add_argument("--identity", type=Path, required=True)
    parser.add_argument("--directory", type=Path, required=True)
    chosen = parser.parse_args(arguments)
    try:
        shown = codec.decode(sys.stdin.buffer.read(), HeadShown)
        held = read(chosen.directory)
        judged = judge(held, shown, chosen.store, signing.is_signed)
        sys.stdout.buffer.write(codec.encode(_answer(judged, held, chosen)))
    except (BrokerError, ContractError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return ALARM if judged.alarm else 0


def read(directory: Path) -> Held | None:
    """The head that is held, or None before the first. ContractError if the file is damaged: it is not taken
    for none, or whoever damages it could show anything."""
    try:
        return codec.decode((directory / HELD).read_bytes(), Held)
    except FileNotFoundError:
        return None


def keep(directory: Path, head: Held) -> None:
    """On disk before anything is said of it."""
    write(directory / HELD, codec.encode(head))


def _answer(judged: Judged, held: Held | None, chosen: argparse.Namespace) -> msgspec.Struct:
    if judged.keep is None:
        assert judged.refusal is not None
        return judged.refusal
    head = judged.keep
    if head != held:
        keep(chosen.directory, head)
    if held is not None and len(head.before) > len(held.before):
        # On the kiosk's own log, which the store cannot write.
        print(f"The store was restored; a head of {held.size} entries was given up for it.", file=sys.stderr)
    at_ms = time.time_ns() // 1_000_000
    signer = signing.load_signer(chosen.identity / "sign.key")
    said = kept_to_sign(chosen.store, chosen.device, head.log, head.size, head.root, at_ms, head.before)
    return HeadKept(head.log, head.size, head.root, at_ms, signer.sign(said), head.before)


if __name__ == "__main__":
    sys.exit(main())
