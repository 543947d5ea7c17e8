"""The letter that goes out with covered copies: what GDPR art. 15(1) and (2) want said. Pure.

What the shop alone can say stands in edge.toml; what is missing there is a [blank] that a person fills in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from msgspec import Meta, Struct

LETTER = "letter.txt"
Said = Annotated[str, Meta(max_length=600, pattern=r"^[^\u0000\[\]]*$")]


class OfShop(Struct, frozen=True, forbid_unknown_fields=True):
    """[evidence.letter] in edge.toml: what the shop says of itself in each letter to whoever asks for
    footage of themselves. What is left out is a blank in the letter."""

    holder: Said = ""
    contact: Said = ""
    purposes: Said = ""
    recipients: Said = ""
    transfers: Said = ""
    authority: Said = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one answer. `clips` is when each video begins and ends."""

    title: str
    number: str
    received_on: date
    place: str
    began_at: datetime
    ended_at: datetime
    clips: Sequence[tuple[datetime, datetime]]
    routine_hours: float
    security_hours: float


def video_name(number: int) -> str:
    return f"video-{number}.mp4"


def letter(shop: OfShop, facts: Facts) -> str:
    """The letter as it is proposed."""
    videos = [
        f"  {video_name(number)}: {_from_to(began, ended)}"
        for number, (began, ended) in enumerate(facts.clips, 1)
    ]
    return "\n".join(
        [
            facts.title,
            "",
            f"Your request for the footage of yourself, received on {_day(facts.received_on)}, "
            f"number {facts.number}",
            "",
            f"You asked for {facts.place}, {_from_to(facts.began_at, facts.ended_at)}. "
            "You are in these videos:",
            *videos,
            "Others are covered with grey, as their pictures are theirs. The videos are copies; the line "
            "below each picture says when it was taken. There is no sound, as none is ever recorded.",
            "",
            f"Who is responsible: {shop.holder or '[name and address of the company]'}",
            f"Whom to ask about it: {shop.contact or '[contact for data protection]'}",
            f"What it is recorded for: {shop.purposes or '[purposes and legal ground]'}",
            "What is recorded: pictures of the cameras around calls for help and security. No face is "
            "recognised, and no decision about you is made by a machine.",
            "Where it comes from: the cameras of this shop.",
            f"Who else received it: {shop.recipients or '[recipients, or nobody]'}",
            f"Outside of the European Union: {shop.transfers or '[where to and by which safeguards, or no]'}",
            f"How long it is kept: {_span(facts.routine_hours)}, around calls for security "
            f"{_span(facts.security_hours)}, and longer while it is evidence or you have asked for it.",
            "Your rights: you may ask that it be corrected or deleted, that its use be limited, or object "
            "to it.",
            f"You may complain to: {shop.authority or '[supervisory authority]'}",
        ]
    )


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _from_to(began: datetime, ended: datetime) -> str:
    first, last = began.astimezone(), ended.astimezone()
    again = "" if first.date() == last.date() else f"{_day(last)}, "
    return f"{_day(first)}, {first:%H:%M:%S} to {again}{last:%H:%M:%S}"


def _span(hours: float) -> str:
    days = hours / 24
    return f"{days:g} days" if days >= 2 and days == int(days) else f"{hours:g} hours"
