"""Roles by routes: for every address of the pages, whom it lets in and whether it changes anything. Pure.

The guard before all views (access.py), the desk's navigation and the test of every role at every address come
from this one table; the API's part of it from its own routes. An address that is not in it keeps the program
from starting. What is done to one person, request or clip is decided further in: edge/people/rights.py.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from edge.errors import EdgeError
from edge.people.details import ROLES
from edge.people.rights import CHANGERS, LOOKERS, ONLY_CHANGERS, ONLY_EVIDENCE, ONLY_LOOKERS

# Who asks: anybody, a phone on the floor, the desk, or a program with a token.
Audience = Literal["public", "floor", "manage", "token"]


class NotInTheTable(EdgeError):
    """The addresses and the table of who may use them differ: a mistake in the program, not of its user."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Who is let in. `roles` count for the floor and the desk, `scopes` for tokens, which need all of them.
    `changes`: something is written by it, so that it takes no GET. `refusal` is for another role."""

    audience: Audience
    changes: bool
    roles: frozenset[str] = frozenset()
    scopes: tuple[str, ...] = ()
    refusal: str = ""

    def lets_in(self, role: str) -> bool:
        """Whether someone of this role, who is signed in for this audience, may come."""
        return role in self.roles


_READ = {
    "public": Admission("public", changes=False),
    # Of the built-in responder of drills, who answers as any associate does, the role is no person's.
    "floor": Admission("floor", changes=False, roles=frozenset({*ROLES, "drill"})),
    "desk": Admission("manage", changes=False, roles=LOOKERS, refusal=ONLY_LOOKERS),
    "store": Admission("manage", changes=False, roles=CHANGERS, refusal=ONLY_CHANGERS),
    "evidence": Admission("manage", changes=False, roles=CHANGERS, refusal=ONLY_EVIDENCE),
}
_CHANGE = {
    name: Admission(one.audience, changes=True, roles=one.roles, refusal=one.refusal)
    for name, one in _READ.items()
}


def _named(kinds: Mapping[str, Admission], **endpoints: str) -> dict[str, Admission]:
    return {name: kinds[kind] for kind, names in endpoints.items() for name in names.split()}


# Who only looks; a POST among them keeps nothing of what it was sent.
_LOOKS = _named(
    _READ,
    public="""
        static door.open_door health.alive health.ready wellknown.security_txt
        api.document api.devices_document api.index api.api_page
        api.devices_page api.footage
        floor.manifest floor.names floor.pin
        manage.sign_in_page manage.sign_in_asked manage.first_admin
        shopper.find shopper.look_up shopper.ask
    """,
    floor="""
        floor.pages floor.pages_part floor.stream floor.colleagues floor.worker
        floor.quiet floor.sure floor.locked floor.locked_state
        floor.feedback floor.looks floor.own floor.presence_part
        floor.incident_list floor.incident_new floor.incident_one
    """,
    desk="""
        manage.own manage.own_factor manage.own_passkey manage.own_proof
        manage.home manage.log manage.export_csv manage.export_xlsx manage.interaction
        manage.floor manage.charts manage.stream
        manage.feedback manage.feedback_new
        manage.incidents manage.incidents_csv manage.incidents_new manage.incidents_one
        manage.devices manage.devices_updates manage.strip manage.device_aside manage.device_one
        manage.drills manage.drills_one manage.drills_result manage.reach
        manage.people manage.people_one
        manage.zones manage.policy manage.policy_one manage.changes
    """,
    store="""
        manage.people_add manage.people_import manage.people_import_look manage.people_template
        manage.outside manage.outside_one manage.tokens
    """,
    evidence="""
        manage.evidence manage.evidence_clip manage.evidence_video manage.evidence_bundle
        manage.evidence_access manage.evidence_access_new manage.evidence_access_one
        manage.evidence_access_clip manage.evidence_access_copy
    """,
)
_CHANGES = _named(
    _CHANGE,
    public="""
        floor.sign_in floor.speak
        manage.sign_in manage.sign_in_code manage.sign_in_passkey manage.first_admin_do
        shopper.give
    """,
    floor="""
        floor.sign_out floor.own_end floor.say floor.heard floor.delivered floor.seen
        floor.acknowledge floor.decline floor.attend floor.hand_over floor.take_back floor.supervisor
        floor.call_off floor.resolve floor.ask_safe floor.answer_safe floor.supervisor_to
        floor.trouble_seen floor.feedback_do
        floor.call floor.quiet_take_back floor.second_pin
        floor.locked_on floor.locked_trial floor.locked_off floor.locked_renewed floor.locked_told
        floor.incident_new_do floor.incident_write floor.incident_tick
    """,
    # Of people_act a supervisor may set the presence, nothing else; of incidents_act what rights.py says.
    desk="""
        manage.sign_out manage.own_factor_do manage.own_act manage.own_end
        manage.own_proof_do manage.own_passkey_do manage.own_passkey_remove
        manage.feedback_new_do manage.people_act
        manage.incidents_new_do manage.incidents_act
    """,
    store="""
        manage.device_act manage.devices_updates_do manage.drills_do
        manage.people_add_do manage.people_one_do manage.people_import_do manage.people_session_end
        manage.zones_add manage.zones_change manage.zones_remove manage.policy_do
        manage.outside_test manage.tokens_add manage.tokens_revoke
    """,
    evidence="""
        manage.evidence_view manage.evidence_hold manage.evidence_ask manage.evidence_release
        manage.incidents_export manage.evidence_export manage.evidence_download
        manage.evidence_access_new_do manage.evidence_access_act manage.evidence_access_file
        manage.evidence_access_look manage.evidence_access_mark manage.evidence_access_save
        manage.evidence_access_watch manage.evidence_access_watched
    """,
)
PAGES: dict[str, Admission] = {
    **_LOOKS,
    **_CHANGES,
    "metrics.scrape": Admission("token", changes=False, scopes=("read:metrics",)),
}
# Where somebody may go who has yet to set up the second factor that their role needs.
SETTING_UP = frozenset(
    f"manage.{name}"
    for name in (
        "own_factor", "own_factor_do", "own_passkey", "own_passkey_do", "own_proof", "own_proof_do",
        "sign_out",
    )
)  # fmt: skip
PUBLIC = frozenset(endpoint for endpoint, one in PAGES.items() if one.audience == "public")


def check(table: Mapping[str, Admission], rules: Iterable[tuple[str, frozenset[str]]]) -> None:
    """NotInTheTable unless the table names exactly the endpoints of `rules`, each with its methods, and
    nothing that changes is asked for by GET."""
    known = set()
    for endpoint, methods in rules:
        known.add(endpoint)
        if endpoint not in table:
            raise NotInTheTable(
                f"{endpoint} says nowhere whom it lets in; put it into edge/web/admission.py."
            )
        if table[endpoint].changes and "GET" in methods:
            raise NotInTheTable(f"{endpoint} changes something and takes GET; let it take POST.")
    if gone := sorted(table.keys() - known):
        raise NotInTheTable(f"There is no address for {', '.join(gone)}; take them out of the table.")
