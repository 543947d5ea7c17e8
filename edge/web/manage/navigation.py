"""The desk's navigation, as data. A page is listed for the roles that its address lets in."""

from collections.abc import Mapping
from dataclasses import dataclass

from edge.web.admission import Admission


@dataclass(frozen=True)
class Place:
    """A page of the desk. Those of the endpoints in `of` stand under it too."""

    endpoint: str
    title: str
    of: tuple[str, ...] = ()


PLACES = (
    Place("manage.floor", "Floor"),
    Place("manage.log", "Log", of=("manage.interaction",)),
    Place("manage.incidents", "Incidents"),
    Place("manage.evidence", "Evidence"),
    Place("manage.charts", "Charts"),
    Place("manage.feedback", "Feedback"),
    Place("manage.people", "People"),
    Place("manage.devices", "Devices", of=("manage.device_one", "manage.device_aside", "manage.device_act")),
    Place("manage.drills", "Drills", of=("manage.reach",)),
    Place("manage.zones", "Zones"),
    Place("manage.policy", "Policy", of=("manage.outside", "manage.outside_one")),
    Place("manage.changes", "Changes"),
    Place("manage.tokens", "Tokens"),
)


def places(table: Mapping[str, Admission], role: str) -> list[Place]:
    """What this role may go to, as the table of who is let in says."""
    return [place for place in PLACES if place.endpoint in table and table[place.endpoint].lets_in(role)]


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
