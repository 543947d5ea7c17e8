"""What people outside read: class, place, time, number and link, and nobody's name by itself."""

import json
from datetime import UTC, datetime, timedelta

from edge.outside import wording
from edge.outside.channels import OPENED, SECURITY, TEST
from edge.outside.wording import Facts

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
FACTS = Facts(
    "shop", "Riverside", AT, "shoes", "Shoes", reference="K7QX", link="https://x.example/manage/log/1"
)


def read(what: str, facts: Facts, late_s: float = 0) -> str:
    return wording.text(what, facts, facts.happened_at, AT + timedelta(seconds=late_s))


def test_a_security_request_says_where_when_and_under_which_code() -> None:
    assert wording.title(SECURITY, FACTS) == "Security request, Shoes (Riverside)"
    assert read(SECURITY, FACTS) == (
        "Shoes, 10:00 on 2026-03-02 (UTC+0000).\nCode K7QX.\nhttps://x.example/manage/log/1"
    )


def test_a_drill_is_marked_before_anything_else() -> None:
    drill = Facts("shop", "Riverside", AT, "shoes", "Shoes", drill=True)
    assert wording.title(SECURITY, drill).startswith("DRILL: ")
    assert read(SECURITY, drill).startswith("This is a drill: nothing has happened.")
    assert json.loads(wording.body(SECURITY, drill))["data"]["drill"] is True


def test_what_is_silent_late_or_of_unknown_age_says_so() -> None:
    silent = Facts("shop", "Riverside", AT, "shoes", "Shoes", silent=True)
    assert "nobody in the store may notice it from you" in read(SECURITY, silent)
    assert "This comes late: it was 5 min 00 s ago." in read(SECURITY, FACTS, late_s=300)
    assert "late" not in read(SECURITY, FACTS, late_s=60)
    undated = Facts("shop", "Riverside", AT, "shoes", "Shoes", age_known=False)
    assert "How old it was when it came is not known." in read(SECURITY, undated)


def test_an_incident_says_its_class_and_number() -> None:
    incident = Facts("shop", "Riverside", AT, "shoes", "Shoes", "theft", "2026-0012")
    assert wording.title(OPENED, incident) == "Incident opened, theft, Shoes (Riverside)"
    assert "Incident 2026-0012." in read(OPENED, incident)
    said = json.loads(wording.body(OPENED, incident))
    assert said["type"] == OPENED and said["data"]["class"] == "theft" and "name" not in said["data"]


def test_a_test_says_that_nothing_has_happened() -> None:
    assert "Nothing has happened" in read(TEST, Facts("shop", "Riverside", AT))


def test_the_body_is_the_same_in_every_try() -> None:
    again = wording.decode(wording.encode(FACTS))
    assert again == FACTS and wording.body(SECURITY, again) == wording.body(SECURITY, FACTS)
