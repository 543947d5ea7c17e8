"""Changes that pages make and no program asks for: where their trace is."""

from edge.web.admission import PAGES

from .api.test_parity import DOES

# Changes of the pages that no program asks for: the kind of their row in the audit, or why there is none.
PAGES_ALONE = {
    "floor.sign_in": "session.began",
    "floor.sign_out": "session.ended",
    "manage.sign_in": "session.began",
    "manage.sign_in_code": "session.began",
    "manage.sign_in_passkey": "session.began",
    "manage.sign_out": "session.ended",
    "manage.first_admin_do": "person.added",
    "manage.own_factor_do": "person.second_factor_set",
    "manage.own_act": "person.second_factor_given_up",
    "manage.own_end": "session.ended",
    "manage.own_proof_do": "session.proven",
    "manage.own_passkey_do": "person.passkey_added",
    "manage.own_passkey_remove": "person.passkey_removed",
    "floor.own_end": "session.ended",
    "manage.devices_updates_do": "release.rolled_out",
    "floor.quiet_take_back": "it stands in the request's timeline",
    "floor.speak": "the language of a phone, which its cookie keeps",
    "floor.heard": "a phone's answer to a beat",
    "floor.locked_on": "a phone's own switch, which the desk shows with its person",
    "floor.locked_trial": "a phone's own switch, which the desk shows with its person",
    "floor.locked_off": "a phone's own switch, which the desk shows with its person",
    "floor.locked_renewed": "a phone's own switch, which the desk shows with its person",
    "floor.locked_told": "what a phone says of its pushes; each try has a row",
    "manage.evidence_access_file": "it stands in the custody log",
    "manage.evidence_access_look": "it stands in the custody log",
    "manage.evidence_access_mark": "it stands in the story of the access request",
    "manage.evidence_access_save": "it stands in the story of the access request",
    "manage.evidence_access_watch": "it stands in the custody log",
    "manage.evidence_access_watched": "it stands in the story of the access request",
}


def test_each_change_that_only_pages_make_says_where_its_trace_is() -> None:
    alone = {name for name, one in PAGES.items() if one.changes and isinstance(DOES[name], str)}
    assert alone == PAGES_ALONE.keys()
