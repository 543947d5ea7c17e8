"""Who may change the store: every role against every act."""

import pytest

from edge.people import rights
from edge.people.store import ROLES


@pytest.mark.parametrize("by", ["associate", "supervisor", "security", ""])
@pytest.mark.parametrize("role", ROLES)
def test_only_managers_and_admins_change_anything(by: str, role: str) -> None:
    assert rights.why_not_change(by) == rights.ONLY_CHANGERS
    assert rights.why_not_add(by, role) == rights.ONLY_CHANGERS
    assert rights.why_not_edit(by, role, role, of_self=True, others_in_charge=3) == rights.ONLY_CHANGERS
    assert rights.why_not_secret(by, role, of_self=True) == rights.ONLY_CHANGERS
    assert rights.why_not_disable(by, role, of_self=False, others_in_charge=3) == rights.ONLY_CHANGERS


@pytest.mark.parametrize("role", ["manager", "admin"])
def test_only_an_admin_makes_changes_or_disables_managers_and_admins(role: str) -> None:
    for sentence in (
        rights.why_not_add("manager", role),
        rights.why_not_enable("manager", role),
        rights.why_not_edit("manager", "associate", role, of_self=False, others_in_charge=3),
        rights.why_not_edit("manager", role, "associate", of_self=False, others_in_charge=3),
        rights.why_not_secret("manager", role, of_self=False),
        rights.why_not_disable("manager", role, of_self=False, others_in_charge=3),
    ):
        assert sentence == rights.ONLY_ADMINS
    assert rights.why_not_add("admin", role) is None
    assert rights.why_not_secret("admin", role, of_self=False) is None
    assert rights.why_not_disable("admin", role, of_self=False, others_in_charge=1) is None


@pytest.mark.parametrize("by", ["manager", "admin"])
@pytest.mark.parametrize("role", ["associate", "supervisor", "security"])
def test_both_change_everyone_else(by: str, role: str) -> None:
    assert rights.why_not_add(by, role) is None
    assert rights.why_not_edit(by, role, "supervisor", of_self=False, others_in_charge=0) is None
    assert rights.why_not_secret(by, role, of_self=False) is None
    assert rights.why_not_disable(by, role, of_self=False, others_in_charge=0) is None


@pytest.mark.parametrize("by", ["manager", "admin"])
def test_nobody_disables_or_demotes_themselves_but_may_set_their_own_name_and_secret(by: str) -> None:
    assert rights.why_not_disable(by, by, of_self=True, others_in_charge=3)
    assert rights.why_not_edit(by, by, "associate", of_self=True, others_in_charge=3)
    assert rights.why_not_edit(by, by, by, of_self=True, others_in_charge=0) is None
    assert rights.why_not_secret(by, by, of_self=True) is None


def test_somebody_in_charge_always_stays() -> None:
    for role in ("manager", "admin"):
        assert rights.why_not_disable("admin", role, of_self=False, others_in_charge=0)
        assert rights.why_not_edit("admin", role, "associate", of_self=False, others_in_charge=0)
        assert rights.why_not_edit("admin", role, "admin", of_self=False, others_in_charge=0) is None


def test_the_desk_sets_presence_for_others_and_everyone_their_own() -> None:
    assert [role for role in ROLES if rights.why_not_presence(role, of_self=False) is None] == [
        "supervisor",
        "manager",
        "admin",
    ]
    assert all(rights.why_not_presence(role, of_self=True) is None for role in ROLES)
