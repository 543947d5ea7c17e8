"""The manager's log at 1,000 and at a million interactions: whole pages over HTTP, by a manager signed in.

The larger over the smaller, measured in turn in the same run. The logs are the demo's history.
"""

import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path

from deploy.demo.history import story, write
from deploy.demo.history.records import Day, Person, Shop
from tests.rig.phone import Phone
from tests.rig.store import PASSWORD, STORE, Rig, listens, wait_for

SMALL = 1_000
TURNS = 40
KIOSKS = {"kiosk-1": "shoes", "kiosk-2": "tills"}


def history(rig: Rig, interactions: int) -> Iterator[Day]:
    """Days of business that end yesterday, as many as make that many interactions."""
    staff = [
        Person(p.id, p.name, p.role, frozenset({"shoes"}), frozenset({"en", "ca"}))
        for p in rig.people.values()
        if p.pin
    ]
    topics = {"kiosk-1": ("find-item", "fitting-room"), "kiosk-2": ("till", "return")}
    shop = Shop(STORE, staff, KIOSKS, topics, {"shoes": "Shoes", "tills": "Tills"})
    days = -(-interactions // 280)
    first = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=days)
    left = interactions
    for day in story.tell(shop, first, days):
        yield day
        left -= len(day.interaction)
        if left <= 0:
            return


class Shelf:
    """One log of a size, served."""

    def __init__(self, directory: Path, interactions: int) -> None:
        self.rig = Rig.make(directory, devices=tuple(KIOSKS))
        begin = time.perf_counter()
        self.size = write.write(self.rig.config, history(self.rig, interactions))
        self.took_s = time.perf_counter() - begin
        self.rig.start_broker_program()
        self.rig.start("web")
        wait_for(lambda: listens(self.rig.config.web.port), "The web's start")
        ((micros, id_),) = self.rig.read(
            "select raised_at, id from interaction order by raised_at, id limit 1 offset :half",
            half=self.size // 2,
        )
        self.pages = {
            "newest": "/manage/log",
            "missed": "/manage/log?state=missed",
            "word": "/manage/log?q=jacket",
            "word and zone": "/manage/log?q=voucher&zone=shoes",
            "half way down": f"/manage/log?before={micros}.{id_}",
        }

    def sign_in(self) -> None:
        """Only now: the server keeps no idle connection for as long as the other log takes to make."""
        self.desk = Phone(self.rig.config.web.port)
        self.desk.sign_in_at_desk("Mira", PASSWORD)

    def once(self, page: str) -> float:
        begin = time.perf_counter()
        status, _ = self.desk.get(self.pages[page])
        took = time.perf_counter() - begin
        assert status == 200, f"{self.pages[page]} answered {status}."
        return took


def run(directory: Path, interactions: int = 1_000_000) -> dict[str, dict[str, float]]:
    """The figures by page; prints them."""
    shelves: list[Shelf] = []
    found: dict[str, dict[str, float]] = {}
    try:
        for size in (SMALL, interactions):
            shelves.append(Shelf(directory.with_name(f"log-{size}"), size))
        small, large = shelves
        print(f"logs of {small.size:,} and {large.size:,} interactions, made in {large.took_s:.0f} s")
        for shelf in shelves:
            shelf.sign_in()
        for page in small.pages:
            times: list[list[float]] = [[], []]
            for turn in range(TURNS + 3):
                for shelf, own in zip(shelves, times, strict=True):
                    took = shelf.once(page)
                    if turn >= 3:
                        own.append(1000 * took)
            few, many = (sorted(own) for own in times)
            middle, late = TURNS // 2, int(0.95 * TURNS)
            found[page] = {
                "small_p50_ms": few[middle], "small_p95_ms": few[late],
                "large_p50_ms": many[middle], "large_p95_ms": many[late],
                "ratio_p50": many[middle] / few[middle],
            }  # fmt: skip
            print(
                f"log page, {page:14}  p50 {many[middle]:7.1f} ms  p95 {many[late]:7.1f} ms   "
                f"at {small.size:,}: {few[middle]:6.1f} / {few[late]:6.1f}   "
                f"{many[middle] / few[middle]:.2f} of it"
            )
    finally:
        for shelf in shelves:
            shelf.rig.stop()
    return found
