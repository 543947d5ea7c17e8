"""Who presses what, and when: opening hours, a curve over the day, and weekdays that differ. Pure."""

import datetime as dt
from dataclasses import dataclass

from deploy.demo.history.records import Dice, Shop

# Monday to Saturday 9 to 21, Sunday 11 to 18.
OPEN = dict.fromkeys(range(6), (9, 21)) | {6: (11, 18)}
# Lunch is 13 to 14, after work 18 to 20.
CURVE = {
    9: 0.4, 10: 0.6, 11: 0.8, 12: 1.1, 13: 1.5, 14: 1.2, 15: 0.8, 16: 0.9, 17: 1.2, 18: 1.8, 19: 1.6, 20: 0.8,
}  # fmt: skip
WEEKDAY = (0.80, 0.80, 0.90, 0.95, 1.20, 1.60, 0.65)
HELPS, VISITS, GREETINGS = 115.0, 45.0, 140.0
# Of all presses for help; the fitting rooms ask most.
ZONES = {"fitting-rooms": 0.5, "entrance": 0.2, "tills": 0.3}
LANGUAGES = {"en": 0.62, "ca": 0.18, "pt": 0.08, "it": 0.07, "sr": 0.05}


@dataclass(frozen=True)
class Press:
    at: dt.datetime
    device: str
    # help, security, greet or visit (a score of the visit)
    kind: str
    topic: str = ""
    language: str = "en"
    drill: bool = False


@dataclass(frozen=True)
class Away:
    """A stretch during which a device could not reach the server."""

    device: str
    begins: dt.datetime
    ends: dt.datetime


def away(shop: Shop, dice: Dice, day: dt.date) -> Away | None:
    """One device in one of six days, for five minutes to forty."""
    if not dice.happens(1 / 6):
        return None
    begins = _at(shop, dice, day)
    return Away(dice.one_of(list(shop.devices)), begins, begins + dt.timedelta(minutes=dice.between(5, 40)))


def presses(shop: Shop, dice: Dice, day: dt.date) -> list[Press]:
    """Everything that is pressed, or passes a sensor, on one day; in order of time."""
    busy = WEEKDAY[day.weekday()] * max(0.5, dice.gauss(1.0, 0.1))
    shares = {device: ZONES.get(zone, 0.2) for device, zone in shop.devices.items()}
    devices = list(shop.devices)
    door = next((d for d, zone in shop.devices.items() if zone == "entrance"), devices[0])
    found: list[Press] = []
    for _ in range(round(HELPS * busy)):
        device = dice.weighted(shares)
        topics = shop.topics[device]
        topic = dice.weighted({t: 1.0 / (n + 1) for n, t in enumerate(topics)})
        found.append(Press(_at(shop, dice, day), device, "help", topic, dice.weighted(LANGUAGES)))
    for _ in range(round(GREETINGS * busy)):
        found.append(Press(_at(shop, dice, day), door, "greet", "in" if dice.happens(0.6) else "out"))
    for _ in range(round(VISITS * busy)):
        found.append(Press(_at(shop, dice, day), dice.weighted(shares), "visit"))
    if dice.happens(1 / 8):
        trigger = "hold" if dice.happens(0.7) else "panic"
        found.append(Press(_at(shop, dice, day), dice.one_of(devices), "security", trigger))
    if dice.happens(1 / 10):
        opening = _hour(shop, day, OPEN[day.weekday()][0]) - dt.timedelta(minutes=dice.between(5, 25))
        device = dice.one_of(devices)
        found.append(Press(opening, device, "help", shop.topics[device][0], "en", drill=True))
    return sorted(found, key=lambda press: press.at)


def _at(shop: Shop, dice: Dice, day: dt.date) -> dt.datetime:
    first, last = OPEN[day.weekday()]
    hour = dice.weighted({hour: weight for hour, weight in CURVE.items() if first <= hour < last})
    return _hour(shop, day, hour) + dt.timedelta(microseconds=int(dice.chance() * 3_600_000_000))


def _hour(shop: Shop, day: dt.date, hour: int) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day, hour, tzinfo=shop.tz).astimezone(dt.UTC)
