"""Day after day of the story. Pure: seed, shop and dates in, rows out."""

import datetime as dt
from collections.abc import Iterator

from deploy.demo.history import arrivals, calls, scores
from deploy.demo.history.calls import Work
from deploy.demo.history.records import Day, Dice, Row, Shop, interaction

SEED = 7


def tell(shop: Shop, first: dt.date, days: int, seed: int = SEED) -> Iterator[Day]:
    """The days from `first` on, each with rows in order of the press."""
    for number in range(days):
        yield one_day(shop, first + dt.timedelta(days=number), Dice(seed, number))


def one_day(shop: Shop, date: dt.date, dice: Dice) -> Day:
    day, work = Day(), Work({}, {})
    gone = arrivals.away(shop, dice, date)
    requests: dict[str, Row] = {}
    for press in arrivals.presses(shop, dice, date):
        came = press.at + dt.timedelta(milliseconds=dice.between(15, 60))
        if gone and press.device == gone.device and gone.begins <= press.at < gone.ends:
            came = gone.ends + dt.timedelta(milliseconds=dice.between(15, 60))
        if press.kind in ("help", "security"):
            row = calls.raise_one(shop, dice, day, work, press, came)
            requests[row["id"]] = row
        elif press.kind == "greet":
            topic = press.topic
            day.interaction.append(
                interaction(shop, dice, press.device, "greet", press.at, topic=topic, received_at=came)
            )
        else:
            scores.of_visit(shop, dice, day, press)
    for row in requests.values():
        scores.of_request(shop, dice, day, row)
        scores.by_staff(shop, dice, day, row)
    scores.judge_all(day)
    day.interaction.sort(key=lambda row: (row["raised_at"], row["id"]))
    return day


def until(day: Day, now: dt.datetime) -> Day:
    """Only what was over at `now`: no request of the story is left open for a real person to answer."""
    over = {
        row["id"]
        for row in day.interaction
        if max(row["received_at"], row["closed_at"] or row["received_at"]) < now
    }
    kept = {row["id"] for row in day.interaction if row["id"] in over and (row["about"] or row["id"]) in over}
    return Day(
        [row for row in day.interaction if row["id"] in kept],
        [row for row in day.timeline if row["interaction"] in kept],
        [row for row in day.page if row["request"] in kept],
        [row for row in day.feedback if row["interaction"] in kept],
    )
