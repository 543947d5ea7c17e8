"""Whether Mosquitto answers, where the identity that is to ask cannot be used."""

import threading
from pathlib import Path

from broker.pulse import Pulse
from broker.tls import Credentials


def test_an_identity_that_cannot_be_used_does_not_have_the_broker_started_anew(tmp_path: Path) -> None:
    said: list[str] = []
    pulse = Pulse("127.0.0.1", 1, Credentials.in_directory(tmp_path), lambda: None, said.append)
    assert pulse.beat() and pulse.beat()
    assert len(said) == 1
    assert said[0].startswith("Whether the broker answers is not looked at: The identity file ")


def test_the_thread_outlives_it(tmp_path: Path) -> None:
    lived = threading.Event()
    pulse = Pulse("127.0.0.1", 1, Credentials.in_directory(tmp_path), lived.set)
    pulse.start()
    try:
        assert lived.wait(60)
    finally:
        pulse.stop()
