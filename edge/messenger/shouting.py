"""Sends one message to one address of an Apprise channel, by a child that is killed when its time is over."""

import json
import subprocess
import sys

from edge.outside.rules import Outcome
from edge.outside.store import Ended

# For Python and Apprise to begin, which is no fault of the receiver: some seconds on a Pi.
BEGIN_S = 15.0
MAX_ANSWER = 4096
COMMAND = (sys.executable, "-m", "edge.messenger.shout")


def send(
    address: str, title: str, text: str, *, urgent: bool, within_s: float, private: bool = False
) -> Ended:
    """One try, and how it went. What Apprise itself says of it may hold the address and is not kept.

    Without `private` nothing is sent to what stands in a private network, whatever the address leads to."""
    asked = json.dumps(
        {"address": address, "title": title, "text": text, "urgent": urgent, "private": private}
    )
    try:
        done = subprocess.run(
            COMMAND,
            input=asked.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=within_s + BEGIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        words = f"The provider did not answer within {within_s + BEGIN_S:g} seconds"
        return Ended(Outcome.UNKNOWN, f"{words}; whether it took the message is not known.")
    except OSError as error:
        return Ended(Outcome.FAILED, f"Apprise could not be started: {error.strerror}.")
    try:
        answer = json.loads(done.stdout[:MAX_ANSWER])
        known, took, status = bool(answer["known"]), bool(answer["took"]), answer["status"]
        inside = bool(answer["inside"])
    except (ValueError, KeyError, TypeError):
        return Ended(Outcome.UNKNOWN, "Apprise broke off; whether the provider took it is not known.")
    if took:
        return Ended(Outcome.ACCEPTED, "The provider took it.")
    if inside:
        return Ended(
            Outcome.FAILED,
            "The provider's name leads to a private address, or cannot be checked; nothing was sent there. "
            "If that is meant, set allow_private = true.",
        )
    if not known:
        return Ended(Outcome.FAILED, "Apprise does not know this kind of address.")
    if isinstance(status, int):
        return Ended(Outcome.FAILED, f"The provider did not take it (HTTP {status}).")
    # Apprise says the same of a line that never was and of one that broke after everything was sent.
    why = "There was no line to the provider, or it broke" if answer.get("no_line") else "It did not go well"
    return Ended(Outcome.UNKNOWN, f"{why}; whether the provider took it is not known.")
