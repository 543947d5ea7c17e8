"""Escalation policies: those in force, changed, and who each would call now."""

from datetime import datetime

from msgspec import Struct

from edge.errors import NotFound
from edge.handling import basis, policing
from edge.policies import RAISED_AS, Policy, faults
from edge.routing import inforce, roster
from edge.routing.choose import Wanted
from edge.routing.preview import foresee
from edge.web import bearer
from edge.web.api.shapes import BasedOn, Name, Tag
from edge.web.services import services


class PolicyInForce(Struct):
    """`set_at` is when the desk or the API set it; null: it is that of edge.toml."""

    kind: str
    policy: Policy
    set_at: datetime | None
    based_on: str


class PoliciesInForce(Struct):
    policies: list[PolicyInForce]


class NewPolicy(Struct, frozen=True, forbid_unknown_fields=True):
    policy: Policy
    based_on: BasedOn = None


class Based(Struct, frozen=True, forbid_unknown_fields=True):
    based_on: BasedOn = None


class Supposed(Struct, frozen=True, forbid_unknown_fields=True):
    """A request that somebody might raise; without a policy by the one in force."""

    zone: Name
    language: Tag | None = None
    policy: Policy | None = None


class WouldCall(Struct):
    person: str
    name: str
    reason: str


class ForeseenStep(Struct):
    """Who would be called anew after `after_s`; `reaches_nobody`: and nobody was before."""

    after_s: float
    groups: list[str]
    people: list[WouldCall]
    reaches_nobody: bool


class Preview(Struct):
    steps: list[ForeseenStep]


def policies_list() -> PoliciesInForce:
    """The policies in force."""
    return PoliciesInForce([_read(kind) for kind in inforce.KINDS])


def policy_read(kind: str) -> PolicyInForce:
    """One policy in force."""
    return _read(kind)


def policy_set(kind: str, body: NewPolicy) -> PolicyInForce:
    """This policy from now on, also for requests that wait."""
    room, actor, file = services(), bearer.actor_here(), services().config.policy
    room.change(
        lambda conn: policing.set_policy(
            conn, room.store, actor, file, kind, body.policy, room.clock(), body.based_on
        )
    )
    return _read(kind)


def policy_reset(kind: str, query: Based) -> PolicyInForce:
    """What edge.toml says counts again."""
    room, actor, file = services(), bearer.actor_here(), services().config.policy
    room.change(
        lambda conn: policing.back_to_file(conn, room.store, actor, file, kind, room.clock(), query.based_on)
    )
    return _read(kind)


def policy_preview(kind: str, body: Supposed) -> Preview:
    """Who would be called, step by step, if nobody answered. Nothing is changed."""
    room = services()
    policy = body.policy or _read(kind).policy
    if found := faults(kind, policy):
        raise policing.PolicyError(found)
    with room.read() as conn:
        floor = roster.read(conn, room.store, room.clock())
    if kind not in inforce.KINDS or body.zone not in floor.zone_titles:
        raise NotFound("There is no such policy or zone in this store.")
    wanted = Wanted("preview", RAISED_AS[kind], body.zone, floor.title(body.zone), body.language)
    return Preview(
        [
            ForeseenStep(
                step.after_s,
                list(step.groups),
                [WouldCall(one.person, one.name, one.reason) for one in step.people],
                step.reaches_nobody,
            )
            for step in foresee(policy, wanted, floor.roster)
        ]
    )


def _read(kind: str) -> PolicyInForce:
    room = services()
    if kind not in inforce.KINDS:
        raise NotFound(f"There is no policy {kind[:32]!r}; there are {', '.join(inforce.KINDS)}.")
    with room.read() as conn:
        policy: Policy = getattr(inforce.read(conn, room.store, room.config.policy), kind)
        since = inforce.overridden(conn, room.store).get(kind)
    return PolicyInForce(kind, policy, since, basis.of(policing.values(policy)))
