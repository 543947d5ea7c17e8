"""Changes that only pages make: each form is posted with its token on the furnished store, leaves exactly the
row in the audit that says who, what and through what, or stands elsewhere as declared, and no secret is in
its words."""

import json
from collections.abc import Callable, Iterator, Mapping
from uuid import UUID

import pytest

from edge.evidence.files import VaultFiles
from edge.web.admission import PAGES
from tests.rig.push_phone import PushPhone

from . import signed
from .api.test_parity import DOES
from .posted import Form, Ready, phone, posts
from .test_access_requests import MASKS
from .test_traces import CUSTODY, NOTHING, STORY
from .traced import Traced, opened

PUSH = PushPhone("https://push.example/a").keys
KEYS = {"endpoint": PUSH.endpoint, "p256dh": PUSH.p256dh, "auth": PUSH.auth}
TRY = "Each try of a call to a locked phone has its own row, with when it was shown."
CLIP = "/manage/access-requests/{access}/clips/{sealed}"
COPIED = "UPDATE access_clip SET state = 'made' WHERE request = '{access}'"
PUSHED = (
    "INSERT INTO push (id, store, person, session, urgent, state, tries, created_at, give_up_at)"
    " VALUES ('p', 'demo', '{Bia}', '{key}', FALSE, 'sent', 1, 0, 0)"
)


def own(audit: str, ready: Callable[[Traced], Ready], *more: str) -> Form:
    return Form((audit, *more), who="Nadia", ready=ready)


# By endpoint; behind a colon, which of its deeds.
DEEDS: Mapping[str, Form] = {
    "floor.sign_in": phone(
        ("session.began Bia",), "/floor/sign-in/{Bia}", "/floor/sign-in",
        body={"person": "{Bia}", "pin": "3690"}, secret=("pin",),
    ),
    # Whoever reads the audit over their shoulder learns nothing.
    "floor.sign_in:second": phone(
        ("session.began Bia",), "", "", ready=signed.by_second_pin,
        holds="SELECT count(*) FROM timeline WHERE what = 'called' AND person = '{Bia}'",
    ),
    "floor.sign_out": phone(("session.ended Bia",), "/floor/", "/floor/sign-out"),
    "floor.own_end": phone(
        ("session.ended Bia",), "/floor/own", "/floor/own/sessions/{other16}/end", phone="Bia"
    ),
    "floor.quiet_take_back": phone(
        (), "/floor/quiet", "/floor/quiet/take-back", "Luka",
        body={"person": "{Luka}", "pin": "1470"}, secret=("pin",),
        elsewhere=("timeline cancelled {called}",),
        why="It stands in the timeline of the request, with who.",
    ),
    "floor.speak": phone(
        (), "/floor/", "/floor/language", body={"language": "ca"}, why=NOTHING
    ),
    "floor.locked_on": phone(
        ("person.locked_calls_on Bia",), "/floor/", "/floor/locked/on", body=KEYS,
        secret=("endpoint", "p256dh", "auth"),
    ),
    "floor.locked_renewed": phone(
        ("person.locked_calls_renewed Bia",), "/floor/", "/floor/locked/renewed",
        body=KEYS | {"endpoint": "https://push.example/b"}, secret=("endpoint", "p256dh", "auth"),
        first=("floor.locked_on",),
    ),
    "floor.locked_off": phone(
        ("person.locked_calls_off Bia",), "/floor/", "/floor/locked/off", first=("floor.locked_on",)
    ),
    "floor.locked_trial": phone(
        (), "/floor/", "/floor/locked/trial", first=("floor.locked_on",),
        holds="SELECT count(*) FROM push WHERE person = '{Bia}' AND page IS NULL", why=TRY,
    ),
    "floor.locked_told": phone(
        (), "/floor/", "/floor/locked/told", body={"push": "p", "stage": "shown"},
        before=(PUSHED,), holds="SELECT count(*) FROM push WHERE id = 'p' AND shown_at IS NOT NULL", why=TRY,
    ),
    "manage.sign_in": Form(
        ("session.began Nadia",), who="Nadia", page="/manage/sign-in", post="/manage/sign-in",
        body={"name": "Nadia", "password": signed.PASSWORD}, secret=("password",),
    ),
    "manage.sign_in_code": own("session.began Nadia", signed.by_code),
    "manage.sign_in_code:recovery": own(
        "person.recovery_code_used Nadia", signed.by_recovery_code, "session.began Nadia"
    ),
    "manage.sign_in_passkey": own("session.began Nadia", signed.by_passkey),
    "manage.sign_out": Form(("session.ended Helen",), page="/manage/log", post="/manage/sign-out"),
    "manage.first_admin_do": Form(
        ("person.added Eva by one-time code through command", "session.began Eva by Eva"),
        ready=signed.first_admin,
    ),
    "manage.own_factor_do": own("person.second_factor_set Nadia", signed.app_set),
    "manage.own_act": own("person.second_factor_given_up Nadia", signed.app_given_up),
    "manage.own_act:codes": own("person.recovery_codes Nadia", signed.codes_renewed),
    "manage.own_proof_do": own("session.proven Nadia", signed.proven_again),
    "manage.own_passkey_do": own("person.passkey_added Nadia", signed.passkey_made),
    "manage.own_passkey_remove": own("person.passkey_removed Nadia", signed.passkey_removed),
    "manage.own_end": Form(
        ("session.ended Nadia",), who="Nadia", page="/manage/own",
        post="/manage/own/sessions/{other16}/end", phone="Nadia",
    ),
    "manage.devices_updates_do": Form(
        ("release.rolled_out 0.1.1",), page="/manage/updates", post="/manage/updates/roll-out",
        body={"version": "0.1.1", "first": "kiosk-tills", "minutes": "30", "batch": "5"},
    ),
    "manage.devices_updates_do:stop": Form(
        ("release.stopped 0.1.1",), page="/manage/updates", post="/manage/updates/stop",
        body={"rollout": "{rollout}"}, first=("manage.devices_updates_do",),
    ),
    "manage.devices_updates_do:call-back": Form(
        ("release.called_back 0.1.1",), page="/manage/updates", post="/manage/updates/call-back",
        body={"rollout": "{rollout}"}, first=("manage.devices_updates_do",),
    ),
    "manage.evidence_access_file": Form(
        page="/manage/access-requests/{access_answered}",
        post="/manage/access-requests/{access_answered}/file",
        elsewhere=("custody downloaded {access_answered}", "access_step fetched {access_answered}"),
        why=CUSTODY,
    ),
    "manage.evidence_access_look": Form(
        page=CLIP, post=CLIP + "/look", elsewhere=("custody viewed {sealed}",), why=CUSTODY
    ),
    "manage.evidence_access_mark": Form(
        page=CLIP, post=CLIP + "/mark", body={"undo": "yes"}, elsewhere=("access_step unmarked {access}",),
        why=STORY,
    ),
    "manage.evidence_access_save": Form(
        page=CLIP, post=CLIP + "/boxes", body={"masks": "{masks}", "based_on": "1"},
        elsewhere=("access_step covered {access}",), why=STORY,
    ),
    "manage.evidence_access_watch": Form(
        page=CLIP, post=CLIP + "/watch", before=(COPIED,), elsewhere=("custody viewed {sealed}",), why=CUSTODY
    ),
    "manage.evidence_access_watched": Form(
        page=CLIP, post=CLIP + "/watched", body={"based_on": "1", "watched": "yes"}, before=(COPIED,),
        elsewhere=("access_step watched {access}", "custody viewed {sealed}"), why=STORY,
    ),
}  # fmt: skip
# What keeps something in a thread aside: which test holds it.
ASIDE = {
    "floor.heard": (
        "a phone's answer to a beat, kept with its session",
        "test_round_trip.py::test_a_phone_that_answers_is_reachable_and_written_so_once_for_many",
    )
}


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    with opened(tmp_path_factory.mktemp("t") / "s") as found:
        found.furnished["masks"] = json.dumps(MASKS)
        packed = VaultFiles(found.config.vault_path).packed(UUID(found.names["access_answered"]))
        packed.write_bytes(b"PK")
        yield found


def test_each_change_that_only_pages_make_says_where_its_trace_is() -> None:
    alone = {name for name, one in PAGES.items() if one.changes and isinstance(DOES[name], str)}
    assert alone == {name.partition(":")[0] for name in DEEDS} | ASIDE.keys()


@pytest.mark.parametrize("name", DEEDS)
def test_what_only_pages_change_leaves_exactly_its_trace(traced: Traced, name: str) -> None:
    posts(traced, DEEDS, name)
