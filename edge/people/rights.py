"""Who may change the store itself. Pure: roles in, a sentence or None out; pages and the API ask the same.

Supervisors see everything at the desk but what cameras recorded, and change nothing but presence. Managers
and admins change; a manager or admin is made and changed by an admin only. Somebody always stays who can
change.
"""

CHANGERS = frozenset({"manager", "admin"})
# Who may sit at the desk, and set a colleague's presence from there.
LOOKERS = CHANGERS | {"supervisor"}
ONLY_CHANGERS = "Only a manager or an admin changes this."
ONLY_EVIDENCE = "Only a manager or an admin sees what cameras have recorded."
ONLY_LOOKERS = "Only a supervisor, a manager or an admin decides this."
ONLY_ADMINS = "Only an admin makes, changes or disables managers and admins."


def may_change(role: str) -> bool:
    return role in CHANGERS


def why_not_change(by: str) -> str | None:
    """Against a change of zones, devices, policies or of people in general by someone of this role."""
    return None if may_change(by) else ONLY_CHANGERS


def why_not_evidence(by: str) -> str | None:
    """Against a look at clips, their holds and exports, and at the custody log."""
    return None if by in CHANGERS else ONLY_EVIDENCE


def sees_silent_evidence(role: str) -> bool:
    """Whether clips of silent requests are shown too: to those who hear of such requests from the feed."""
    return role in CHANGERS


def reads_incidents(role: str) -> bool:
    """Whether every incident is theirs to read; an associate reads their own part of those they had to do
    with."""
    return role in LOOKERS or role == "security"


def why_not_decide_incident(by: str) -> str | None:
    """Against closing an incident, opening it again, and what else is decided about it as a whole."""
    return None if by in LOOKERS else ONLY_LOOKERS


def why_not_presence(by: str, *, of_self: bool) -> str | None:
    return None if of_self or by in LOOKERS else "Only the desk sets the presence of somebody else."


def why_not_add(by: str, role: str) -> str | None:
    """Against a new person of this role."""
    return why_not_change(by) or (ONLY_ADMINS if role in CHANGERS and by != "admin" else None)


def why_not_edit(by: str, before: str, after: str, *, of_self: bool, others_in_charge: int) -> str | None:
    """Against other details or another role. `others_in_charge`: the other active managers and admins."""
    if sentence := why_not_change(by):
        return sentence
    if before != after and of_self:
        return "Nobody changes their own role; ask another admin."
    if CHANGERS & {before, after} and by != "admin" and not of_self:
        return ONLY_ADMINS
    if before in CHANGERS and after not in CHANGERS and not others_in_charge:
        return "This is the last manager or admin; make another one first."
    return None


def why_not_secret(by: str, role: str, *, of_self: bool) -> str | None:
    """Against a new PIN or password: whoever sets an admin's password is that admin."""
    if sentence := why_not_change(by):
        return sentence
    return ONLY_ADMINS if role in CHANGERS and by != "admin" and not of_self else None


def why_not_reset(by: str, role: str, *, of_self: bool) -> str | None:
    """Against taking away somebody's second factor; one's own is given up with a code of it."""
    if of_self:
        return "Nobody resets their own second factor; give it up under Your sign-in, or ask another admin."
    return why_not_secret(by, role, of_self=False)


def wants_second_factor(role: str, policy: str) -> bool:
    """Whether someone of this role uses the desk only with a second factor. `policy` is web.second_factor."""
    return policy == "required" and role in CHANGERS


def why_not_disable(by: str, role: str, *, of_self: bool, others_in_charge: int) -> str | None:
    if sentence := why_not_change(by):
        return sentence
    if of_self:
        return "Nobody disables themselves; ask another admin."
    if role in CHANGERS and by != "admin":
        return ONLY_ADMINS
    if role in CHANGERS and not others_in_charge:
        return "This is the last manager or admin; make another one first."
    return None


def why_not_enable(by: str, role: str) -> str | None:
    return why_not_add(by, role)
