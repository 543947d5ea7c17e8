"""When a kiosk asks again whether its certificate is due, and what counts as an answer."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kiosk import renewals
from kiosk.config import load
from kiosk.renewals import EVERY_S, Renewals, pause_s

EXAMPLE = load(Path(__file__).parents[3] / "kiosk" / "kiosk.example.toml")


def asking(identity: Path, renewed: Callable[[], None] = lambda: None) -> Renewals:
    broker = msgspec.structs.replace(EXAMPLE.broker, identity=str(identity))
    return Renewals(msgspec.structs.replace(EXAMPLE, broker=broker), renewed)


def test_without_an_answer_it_asks_again_in_minutes_that_grow_to_the_hour() -> None:
    assert [pause_s(failed) for failed in range(8)] == [EVERY_S, 60, 120, 240, 480, 960, 1920, EVERY_S]
    assert pause_s(100_000) == EVERY_S


class Waits(threading.Event):
    """Nobody waits: it keeps how long, and stops the thread after the last."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most, self.seen = most, list[float]()

    def wait(self, timeout: float | None = None) -> bool:
        self.seen.append(timeout or 0.0)
        return len(self.seen) > self.most


def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: list[bool]) -> list[float]:
    """How long was waited before each question and after the last, without chance."""
    made = asking(tmp_path)
    waits, said = Waits(len(answers)), iter(answers)
    fixed: Any = lambda low, high: 1.0  # noqa: E731
    monkeypatch.setattr(renewals.random, "uniform", fixed)
    monkeypatch.setattr(made, "_stop", waits)
    monkeypatch.setattr(made, "ask", lambda: next(said))
    made._run()
    return waits.seen


def test_an_answer_ends_the_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = ran(tmp_path, monkeypatch, [True, False, False, True])
    assert seen == [120, EVERY_S, 60, 120, EVERY_S]


def test_after_a_power_cut_a_certificate_that_was_fetched_is_shown_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "next").mkdir()
    (tmp_path / "next" / "tls.crt").touch()
    assert ran(tmp_path, monkeypatch, [])[0] == 5


@pytest.mark.parametrize(("status", "answered", "told"), [(0, True, 0), (10, True, 1), (1, False, 0)])
def test_only_an_answer_of_the_store_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, answered: bool, told: int
) -> None:
    renewed: list[None] = []
    made = asking(tmp_path, lambda: renewed.append(None))
    monkeypatch.setattr(made, "_command", ["sh", "-c", f"echo no >&2; exit {status}"])
    assert made.ask() is answered
    assert len(renewed) == told
