"""/metrics for Prometheus, with a token of the scope read:metrics: decisions/002. metrics.md names each."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response

from edge import version
from edge.hearing import tells_of_a_call
from edge.reports.measuring import Measured, measure
from edge.reports.tallies import MORE, WITHIN_S, Tally
from edge.web import bearer
from edge.web.services import Services, services
from edge.web.words import TROUBLES

metrics = Blueprint("metrics", __name__)


@metrics.get("/metrics")
def scrape() -> Response:
    """The text format of Prometheus. What has to do with security only with the scope security too."""
    room = services()
    with room.read() as conn:
        found = measure(conn, room.store, room.clock(), silent=bearer.sees_silent())
    # Taken along only where somebody watches.
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest

    registry = CollectorRegistry()
    registry.register(_Told(found, room))
    ProcessCollector(registry=registry)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Told:
    """Each measurement with its name and what it means."""

    def __init__(self, found: Measured, room: Services) -> None:
        self._found, self._room = found, room

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily as Gauge

        found, room = self._found, self._room
        help_ = "Always 1; which version of this software runs is its label."
        yield _by(Gauge, "build_info", help_, ["version"], [((version.installed(),), 1)])
        yield _by(
            Gauge, "requests_open", "Requests that are not over.", ["kind", "state"], found.open.items()
        )
        help_ = "For how long the longest unanswered request has waited; 0 where nobody waits."
        oldest = [((kind,), value) for kind, value in found.oldest_s.items()]
        yield _by(Gauge, "oldest_unanswered_seconds", help_, ["kind"], oldest)
        yield from self._answers()
        yield from self._totals()
        yield from self._devices()
        if found.waiting is not None:
            yield _one(
                Gauge, "outgoing_messages", "Messages that devices have yet to be sent.", found.waiting
            )
            help_ = "For how long the oldest of them has waited; 0 where none does."
            yield _one(Gauge, "outgoing_oldest_seconds", help_, found.waiting_s)
        if found.backup_s is not None:
            help_ = "How old the newest whole backup is; missing before the first."
            yield _one(Gauge, "backup_age_seconds", help_, found.backup_s)
        help_ = "Pages and programs that listen to this process's event stream."
        yield _one(Gauge, "streams_open", help_, room.hub.open_streams)
        help_ = "Whether this process hears the broker; 0 also where it uses none."
        yield _one(Gauge, "broker_connected", help_, room.wake_state() == "connected")
        help_ = "Whether the worker was heard in the last seconds; without a broker taken for granted."
        yield _one(Gauge, "worker_heard", help_, room.hub.calling())

    def _answers(self) -> Iterator[Any]:
        from prometheus_client.core import HistogramMetricFamily

        totals = self._found.totals
        help_ = "From the press to 'I am coming'. Without drills, and presses whose time is not known."
        family = HistogramMetricFamily("floorbell_answer_seconds", help_, labels=["kind"])
        for kind in dict.fromkeys(kind for kind, _ in self._found.open if kind != "greet"):
            so_far, buckets = 0, []
            for bound in (*map(str, WITHIN_S), MORE):
                so_far += _sum(totals, "answered", f"{kind}/{bound}")
                buckets.append(("+Inf" if bound == MORE else f"{bound}.0", so_far))
            family.add_metric([kind], buckets, _sum(totals, "answered_ms", kind) / 1000)
        yield family

    def _totals(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily as Counter

        totals = self._found.totals
        for name, wanted, help_ in (
            ("events", "events", "Events of devices that were taken in."),
            ("troubles", "troubles", "What people were told was wrong with the store's own things."),
            ("requests_missed", "missed", "Requests that nobody answered in time."),
        ):
            told = [((one.label,), value) for one, value in totals.items() if one.name == wanted]
            yield _by(Counter, name, help_, ["what" if name == "troubles" else "kind"], sorted(told))
        help_ = "Pages that were written to the stream of a person's phone."
        yield _one(Counter, "pages_sent", help_, _sum(totals, "pages_sent"))
        help_ = "Messages of devices that were refused and kept, repeats among them."
        yield _one(Counter, "messages_refused", help_, _sum(totals, "refused"))

    def _devices(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily as Gauge

        devices, labels = self._found.devices, ["device", "zone"]
        online = [((one.name, one.zone), one.status == "online") for one in devices]
        # Without the scope, nothing that can come of a call.
        told = {
            one.name: [fault for fault in one.faults if self._found.silent or not tells_of_a_call(fault)]
            for one in devices
        }
        yield _by(Gauge, "device_online", "Whether a device is known to be there.", labels, online)
        help_ = "How long ago a device's last heartbeat came; missing before its first."
        ages = [((o.name, o.zone), o.silence.total_seconds()) for o in devices if o.silence is not None]
        yield _by(Gauge, "device_heartbeat_age_seconds", help_, labels, ages)
        help_ = "What is wrong with kiosks, cameras, clocks, disks and the server's parts, by kind."
        open_ = [((what,), self._found.troubles[what]) for what in TROUBLES]
        yield _by(Gauge, "troubles_open", help_, ["what"], open_)
        faults = [((one.name, one.zone), len(told[one.name])) for one in devices]
        yield _by(Gauge, "device_faults", "What a device says is wrong with it.", labels, faults)


def _by(family: Any, name: str, help_: str, labels: list[str], values: Any) -> Any:
    made = family(f"floorbell_{name}", help_, labels=labels)
    for label, value in values:
        made.add_metric(label, float(value))
    return made


def _one(family: Any, name: str, help_: str, value: Any) -> Any:
    return family(f"floorbell_{name}", help_, value=float(value))


def _sum(totals: dict[Tally, int], name: str, label: str = "") -> int:
    return sum(value for one, value in totals.items() if (one.name, one.label) == (name, label))
