"""People, zones, devices, policies and changes at the desk."""

import io
import re

import pytest

from edge.db import tables
from edge.devices.store import register
from edge.web.manage.device import as_text

from .conftest import Browser, Shop

PAGES = ("people", "zones", "devices", "policy", "policy/help", "policy/security", "changes")


@pytest.fixture
def mira(shop: Shop) -> Browser:
    visitor = Browser(shop.app)
    visitor.sign_in_at_desk("Mira")
    return visitor


@pytest.fixture
def sofia(shop: Shop) -> Browser:
    visitor = Browser(shop.app)
    visitor.sign_in_at_desk("Sofia")
    return visitor


def based_on(text: str) -> str:
    return re.findall(r'name="based_on" value="([^"]*)"', text)[0]


def audited(shop: Shop) -> list[str]:
    return [str(row[0]) for row in shop.read("SELECT what FROM audit ORDER BY id")]


@pytest.mark.parametrize("page", PAGES)
def test_supervisors_see_everything_and_have_no_button_that_changes_it(
    mira: Browser, sofia: Browser, page: str
) -> None:
    assert mira.get(f"/manage/{page}").status_code == 200
    text = sofia.get(f"/manage/{page}").text
    assert "<h1>" in text and 'value="save"' not in text and "Add a person" not in text


def test_every_change_is_refused_to_a_supervisor(shop: Shop, sofia: Browser) -> None:
    sofia.get("/manage/people")
    ana = shop.people["Ana"].id
    for path in (
        "people/add",
        "people/import",
        "people/import/confirm",
        f"people/{ana}",
        f"people/{ana}/disable",
        f"people/{ana}/pin",
        "zones",
        "zones/shoes",
        "zones/shoes/remove",
        "policy/help",
        "device/kiosk-1/identify",
    ):
        assert sofia.post(f"/manage/{path}", name="X", role="associate").status_code == 403, path
    assert audited(shop) == []


def test_a_new_person_signs_in_with_the_pin_that_is_shown_once(shop: Shop, mira: Browser) -> None:
    mira.get("/manage/people/add")
    answer = mira.post("/manage/people/add", name="Nora", role="associate", languages="ca, en", zones="shoes")
    pin = re.search(r"<code>(\d{6})</code>", answer.text)
    assert pin and answer.headers["Cache-Control"] == "no-store"
    assert pin[1] not in mira.get("/manage/people").text
    (row,) = shop.read("SELECT id FROM person WHERE name = 'Nora'")
    nora = Browser(shop.app)
    nora.get(f"/floor/sign-in/{row[0]}")
    assert nora.post("/floor/sign-in", person=row[0], pin=pin[1]).status_code == 303


def test_what_was_typed_stays_when_it_is_refused(shop: Shop, mira: Browser) -> None:
    mira.get("/manage/people/add")
    answer = mira.post("/manage/people/add", name="ana", role="associate", languages="pt", badge="B-9")
    assert answer.status_code == 400 and "There is a Ana in this store already" in answer.text
    assert 'value="pt"' in answer.text and 'value="B-9"' in answer.text


def test_two_who_edit_the_same_person_the_second_is_told_who_was_first(shop: Shop, mira: Browser) -> None:
    address = f"/manage/people/{shop.people['Ana'].id}"
    seen = based_on(mira.get(address).text)
    form = {"name": "Ana", "role": "associate", "languages": "en", "based_on": seen}
    assert mira.post(address, **form | {"badge": "first"}).status_code == 303
    answer = mira.post(address, **form | {"badge": "second"})
    assert answer.status_code == 409 and "Mira changed it meanwhile: Ana: badge changed." in answer.text
    assert 'value="second"' in answer.text
    assert (
        mira.post(address, **form | {"badge": "second", "based_on": based_on(answer.text)}).status_code == 303
    )


def test_who_is_disabled_is_out_on_their_phone_at_once(shop: Shop, mira: Browser) -> None:
    ana, phone = shop.people["Ana"], Browser(shop.app)
    phone.sign_in(ana)
    mira.get(f"/manage/people/{ana.id}")
    assert mira.post(f"/manage/people/{ana.id}/disable").status_code == 303
    assert phone.get("/floor/").status_code == 303
    assert "1 who no longer works here" in mira.get("/manage/people").text
    assert "disabled" in mira.get("/manage/people?all=1").text


def test_a_supervisor_sets_the_presence_of_whoever_is_signed_in(shop: Shop, sofia: Browser) -> None:
    address = f"/manage/people/{shop.people['Ana'].id}"
    sofia.get(address)
    answer = sofia.post(f"{address}/presence", presence="busy")
    assert answer.status_code == 409 and "signed in on no phone" in answer.text
    Browser(shop.app).sign_in(shop.people["Ana"])
    assert sofia.post(f"{address}/presence", presence="busy").status_code == 303
    assert audited(shop) == ["person.presence"]


def upload(browser: Browser, text: str) -> str:
    browser.get("/manage/people/import")
    file = (io.BytesIO(text.encode()), "people.csv")
    return browser.post("/manage/people/import", file=file).text


def test_a_file_with_faults_names_them_and_writes_nothing(shop: Shop, mira: Browser) -> None:
    text = upload(mira, "name,role,zones\nNora,boss,shoes\nPau,associate,roof\n")
    assert "2 things to mend" in text and "allowed are associate" in text and "this store has" in text
    assert "Do it" not in text and audited(shop) == []


def test_a_right_file_is_looked_at_then_written_once(shop: Shop, mira: Browser) -> None:
    file = "name;role;zones\nNora;associate;shoes tills\nAna;supervisor;\nMarc;associate;\n"
    text = upload(mira, file)
    assert "1 added, 1 changed, 1 left" in text and audited(shop) == []
    confirmed = re.search(r'name="confirmed" value="(\w+)"', text)
    assert confirmed
    form = {"text": file.replace("\n", "\r\n"), "confirmed": confirmed[1]}
    assert re.search(r"<code>\d{6}</code>", mira.post("/manage/people/import/confirm", **form).text)
    assert sorted(audited(shop)) == ["person.added", "person.changed"]
    again = mira.post("/manage/people/import/confirm", **form)
    assert again.status_code == 409 and len(audited(shop)) == 2
    assert "0 added, 0 changed, 3 left" in again.text


def test_a_file_cannot_make_a_manager_an_admin(shop: Shop, mira: Browser) -> None:
    assert "Only an admin makes" in upload(mira, "name,role\nNora,admin\n")


def test_zones_are_added_renamed_and_removed(shop: Shop, mira: Browser) -> None:
    mira.get("/manage/zones")
    assert mira.post("/manage/zones", name="Roof", title="Roof").status_code == 400
    assert mira.post("/manage/zones", name="roof", title="Roof").status_code == 303
    assert mira.post("/manage/zones/roof", title="Terrace", based_on="stale").status_code == 409
    assert mira.post("/manage/zones/roof/remove").status_code == 303
    assert audited(shop) == ["zone.added", "zone.removed"]


def policy(**more: object) -> dict[str, object]:
    steps = {"after-0": "0", "who-0": "supervisors", "after-1": "20", "who-1": ["zone", "all"]}
    return steps | {"ceiling": "60", "repeat": ""} | more


def test_a_preview_of_what_is_typed_saves_nothing(shop: Shop, mira: Browser) -> None:
    Browser(shop.app).sign_in(shop.people["Ana"])
    mira.get("/manage/policy/help")
    text = mira.post("/manage/policy/help", **policy(do="look", zone="shoes")).text
    assert "Not saved yet" in text and "Ana" in text and "nobody better placed is here" in text
    assert audited(shop) == []


def test_a_preview_says_when_nobody_would_be_reached(mira: Browser) -> None:
    assert "Nobody at all would be reached" in mira.get("/manage/policy/help").text
    assert "everyone on the roster is called" in mira.get("/manage/policy/security").text


def test_a_policy_is_saved_and_given_back(shop: Shop, mira: Browser) -> None:
    seen = based_on(mira.get("/manage/policy/help").text)
    assert mira.post("/manage/policy/help", **policy(do="save", based_on=seen)).status_code == 303
    assert (
        mira.post("/manage/policy/help", **policy(do="save", based_on=seen, ceiling="90")).status_code == 409
    )
    page = mira.get("/manage/policy/help").text
    assert "Back to edge.toml" in page
    assert mira.post("/manage/policy/help", do="file", based_on=based_on(page)).status_code == 303
    assert audited(shop) == ["policy.changed", "policy.reset"]


@pytest.mark.parametrize(
    ("kind", "more", "said"),
    [
        ("help", {"after-1": "soon"}, "Step 2 says &#39;soon&#39;; allowed are 0 to 3600 seconds."),
        ("help", {"after-1": "nan"}, "Step 2 says &#39;nan&#39;"),
        ("help", {"who-0": []}, "Step 1 calls nobody"),
        ("help", {"ceiling": "5"}, "The end says &#39;5&#39;; allowed are 10 to 3600 seconds."),
        ("help", {"ceiling": ""}, "repeat_s must say how often"),
        ("help", {"ceiling": "15"}, "it must be later than the last step"),
        ("security", {"repeat": "10"}, "it cannot end by itself"),
    ],
)
def test_a_faulty_policy_keeps_what_was_typed(
    shop: Shop, mira: Browser, kind: str, more: dict[str, object], said: str
) -> None:
    mira.get(f"/manage/policy/{kind}")
    answer = mira.post(f"/manage/policy/{kind}", **policy(do="save", **more))
    assert answer.status_code == 400 and said in answer.text
    for field in ("after-1", "ceiling"):
        typed = policy(**more)[field]
        assert f'name="{field}" value="{typed}"' in answer.text
    assert audited(shop) == []


def test_changes_are_newest_first_by_kind_and_person_and_go_on_where_they_stopped(
    shop: Shop, mira: Browser
) -> None:
    mira.get("/manage/zones")
    for number in range(60):
        mira.post("/manage/zones", name=f"z{number}", title=f"Zone {number}")
    text = mira.get("/manage/changes?what=zone&by=Mira").text
    found = re.findall(r"Zone Zone (\d+) ", text)
    older = re.search(r'href="([^"]+)">Older', text)
    assert older
    found += re.findall(r"Zone Zone (\d+) ", mira.get(older[1].replace("&amp;", "&")).text)
    assert found == [str(number) for number in range(59, -1, -1)]
    assert "No change of this kind" in mira.get("/manage/changes?what=policy").text
    assert mira.get("/manage/changes?what=lunch").status_code == 400
    assert mira.get("/manage/changes?before=x").status_code == 400


def test_a_device_that_was_never_heard_says_unknown(shop: Shop, mira: Browser) -> None:
    shop.write(lambda conn: register(conn, "trial", "kiosk-9", "shoes", None, shop.clock.now))
    text = mira.get("/manage/device/kiosk-9").text
    assert text.count("unknown") >= 8 and "No heartbeat has ever come" in text
    assert mira.post("/manage/device/kiosk-9/identify").status_code == 409
    assert mira.post("/manage/device/kiosk-9/move", zone="tills", based_on=based_on(text)).status_code == 303
    assert mira.get("/manage/device/nobody").status_code == 404


def test_a_pager_is_given_to_somebody_and_taken_back(shop: Shop, mira: Browser) -> None:
    shop.write(lambda conn: register(conn, "trial", "pager-1", "shoes", None, shop.clock.now))
    address, ana = "/manage/device/pager-1", shop.people["Ana"].id
    text = mira.get(address).text
    assert "It is no pager" in text
    assert mira.post(f"{address}/pager", holder="nobody", based_on=based_on(text)).status_code == 303
    text = mira.get(address).text
    assert (
        "Nobody holds this pager" in text and "a pager that nobody holds" in mira.get("/manage/devices").text
    )
    assert mira.post(f"{address}/pager", holder=ana, based_on=based_on(text)).status_code == 303
    stale = mira.post(f"{address}/pager", holder="none", based_on=based_on(text))
    assert stale.status_code == 409 and "Mira changed it meanwhile: pager-1 is Ana" in stale.text
    text = mira.get(address).text
    assert "Held by <b>Ana</b>" in text and "pager of Ana" in mira.get("/manage/devices").text
    assert mira.post(f"{address}/pager", holder="somebody", based_on=based_on(text)).status_code == 404
    assert mira.post(f"{address}/pager", holder="none", based_on=based_on(text)).status_code == 303
    assert audited(shop) == ["device.held"] * 3
    assert "pager-1 is no pager any more." in mira.get("/manage/changes?what=device").text


def test_a_message_that_was_set_aside_is_shown_as_text_that_does_nothing(shop: Shop, mira: Browser) -> None:
    payload = b"<script>alert(1)</script>\x00\xff\x1b[2J"
    values = {"store": "trial", "device": "kiosk-1", "topic": "t", "reason": "No event.", "sha256": "0" * 64}
    times = {"count": 1, "first_at": shop.clock.now, "last_at": shop.clock.now}
    shop.write(
        lambda conn: conn.execute(tables.quarantine.insert().values(payload=payload, **values, **times))
    )
    (row,) = shop.read("SELECT id FROM quarantine")
    text = mira.get(f"/manage/set-aside/{row[0]}").text
    assert "<script>alert" not in text and "&lt;script&gt;" in text and "\\x00\\xff\\x1b" in text
    assert mira.get("/manage/set-aside/999").status_code == 404
    assert as_text(b"a\nb") == "a\nb"


def test_a_device_is_revoked_at_the_desk_with_a_reason(shop: Shop, mira: Browser) -> None:
    shop.write(lambda conn: register(conn, "trial", "kiosk-9", "shoes", None, shop.clock.now))
    address = "/manage/device/kiosk-9"
    assert mira.post(f"{address}/revoke", reason=" ").status_code == 400
    assert mira.post(f"{address}/revoke", reason="Stolen from the entrance.").status_code == 303
    text = mira.get(address).text
    assert "<b>Revoked</b>" in text and "Stolen from the entrance." in text
    assert "Blink for" not in text and "Send again" not in text
    assert "revoked" in mira.get("/manage/devices").text
    assert mira.post(f"{address}/revoke", reason="Once more.").status_code == 409
