"""The desk's navigation, as data. A page is listed once its view is there, for the roles that may see it."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A page of the desk. Those of the endpoints in `of` stand under it too; no `roles`: every desk role."""

    endpoint: str
    title: str
    of: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


PLACES = (
    Place("manage.floor", "Floor"),
    Place("manage.log", "Log", of=("manage.interaction",)),
    Place("manage.incidents", "Incidents"),
    Place("manage.evidence", "Evidence", roles=("manager", "admin")),
    Place("manage.charts", "Charts"),
    Place("manage.feedback", "Feedback"),
    Place("manage.people", "People"),
    Place("manage.devices", "Devices", of=("manage.device_one", "manage.device_aside", "manage.device_act")),
    Place("manage.drills", "Drills", of=("manage.reach",)),
    Place("manage.zones", "Zones"),
    Place("manage.policy", "Policy", of=("manage.outside", "manage.outside_one")),
    Place("manage.changes", "Changes"),
    Place("manage.tokens", "Tokens", roles=("manager", "admin")),
)


def places(known: Collection[str], role: str) -> list[Place]:
    """What this role may go to, of the endpoints that there are."""
    return [place for place in PLACES if place.endpoint in known and (not place.roles or role in place.roles)]


def here(endpoint: str | None) -> Place | None:
    """The place that a page belongs to: its own, one that names it, or the one whose name it begins with.

    'manage.people_import' stands under 'manage.people' without being named there.
    """
    if endpoint is None:
        return None
    for place in PLACES:
        if endpoint == place.endpoint or endpoint in place.of:
            return place
    return next((place for place in PLACES if endpoint.startswith(f"{place.endpoint}_")), None)
