"""What people think of it: scores that fall with the wait, of visits, in bursts, and by staff. Pure.

Which of them count is judged by the store's own rule (edge/feedback/judging.py).
"""

import datetime as dt
from collections import defaultdict

from broker.questions import OF_A_REQUEST, OF_A_VISIT, to_ask
from deploy.demo.history.arrivals import Press
from deploy.demo.history.phrases import COMPLAINTS, MISSED, PRAISE
from deploy.demo.history.records import Day, Dice, Row, Shop, interaction
from edge.feedback.judging import Score, judge

_BEST = 4


def of_request(shop: Shop, dice: Dice, day: Day, row: Row) -> None:
    """Perhaps a score, within the minute in which the smileys are lit."""
    if row["state"] not in ("resolved", "missed") or row["kind"] != "help" or row["drill"]:
        return
    if not dice.happens(0.4 if row["state"] == "resolved" else 0.2):
        return
    at = row["closed_at"] + dt.timedelta(seconds=dice.between(3, 50))
    if row["state"] == "missed":
        _give(shop, dice, day, row["device"], at, 1, row["id"], dice.one_of(MISSED))
        return
    wait_s = (row["attended_at"] - row["raised_at"]).total_seconds()
    harsh = 0.7 if row["outcome"] == "not-available" else 0.0
    score = max(1, min(_BEST, round(dice.gauss(4.15 - wait_s / 75 - harsh, 0.55))))
    reason = None
    if dice.happens(0.35 if score <= 2 else 0.1):
        reason = dice.one_of(COMPLAINTS if score <= 2 else PRAISE)
    _give(shop, dice, day, row["device"], at, score, row["id"], reason)


def of_visit(shop: Shop, dice: Dice, day: Day, press: Press) -> None:
    """A score at the exit; now and then a child plays with the faces."""
    if dice.happens(0.03):
        at = press.at
        for _ in range(3 + int(dice.chance() * 6)):
            _give(shop, dice, day, press.device, at, 1 + int(dice.chance() * _BEST), None, None)
            at += dt.timedelta(seconds=dice.between(0.4, 1.8))
        return
    score = dice.weighted({4: 0.46, 3: 0.34, 2: 0.13, 1: 0.07})
    _give(shop, dice, day, press.device, press.at, score, None, None)


def by_staff(shop: Shop, dice: Dice, day: Day, row: Row) -> None:
    """Somebody who has just arrived presses the best face for the shop."""
    if row["attended_at"] is not None and not row["drill"] and dice.happens(0.008):
        at = row["attended_at"] + dt.timedelta(seconds=dice.between(1, 8))
        _give(shop, dice, day, row["device"], at, _BEST, None, None)


def judge_all(day: Day) -> None:
    """The store's verdict on each score of the day."""
    scores: dict[str, list[Score]] = defaultdict(list)
    staff: dict[str, list[dt.datetime]] = defaultdict(list)
    for row in day.interaction:
        if row["attended_at"] is not None:
            staff[row["device"]].append(row["attended_at"])
            if row["state"] == "resolved":
                staff[row["device"]].append(row["closed_at"])
    for row in day.feedback:
        given = Score(row["interaction"], row["at"], row["score"], row["about"], row["source"])
        scores[row["device"]].append(given)
    verdicts = {id_: v for device in scores for id_, v in judge(scores[device], staff[device]).items()}
    for row in day.feedback:
        verdict = verdicts[row["interaction"]]
        row |= {"judged": verdict.judged.value, "why": verdict.why}


def _give(
    shop: Shop,
    dice: Dice,
    day: Day,
    device: str,
    at: dt.datetime,
    score: int,
    about: str | None,
    reason: str | None,
) -> None:
    row = interaction(shop, dice, device, "feedback", at, score=score, about=about, reason=reason)
    answers = {}
    if dice.happens(0.3):
        known = OF_A_REQUEST if about else OF_A_VISIT
        for question in to_ask(about is not None, len(day.feedback)):
            # The first answer is the best; the nearer the score, the likelier.
            place = max(0, min(2, round(dice.gauss((_BEST - score) * 0.7, 0.5))))
            answers[question] = known[question][place]
    day.interaction.append(row)
    day.feedback.append({
        "interaction": row["id"], "store": shop.store, "device": device, "zone": row["zone"], "about": about,
        "source": "kiosk", "score": score, "answers": answers, "judged": "", "why": "", "at": at,
        "entered_by": None,
    })  # fmt: skip
