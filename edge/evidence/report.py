"""The report of a bundle for people who read paper: report.pdf. It proves nothing by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from broker.manifest import Manifest
from edge.evidence import bundle, incident_file, incident_pages
from edge.evidence.bundle import Anchors, File
from edge.evidence.clips import Clip
from edge.evidence.copies import Copy, Still
from edge.evidence.custody import Kept
from edge.evidence.incident_file import IncidentFile
from edge.evidence.paper import ERASED, FEWER_LETTERS, Paper, Picture, at_ms, moment
from edge.evidence.stamps import Stamped

NAME = "report.pdf"
_IS = (
    "This paper is for reading, and proves nothing by itself. What proves is in the bundle beside it: the "
    "videos as the kiosks signed them, their manifests, {}the custody entries and the signed head of the "
    "log. The keys and the head below were written by whoever made the bundle: compare them with those that "
    "the store has given you by another way."
)
_THE_FILE = "the incident file (incident.json) whose hash the custody log has, "
_CHECK = (
    "On a machine with Floorbell, without a network, with the keys and the head that you have from "
    "elsewhere. It says 'ok', or names every file, clip or entry that was altered, cut, replaced or removed:"
)
_STAMPS = (
    "An authority outside the store has put its time to the log's head of {} entries (RFC 3161). If the "
    "stamp holds, these entries were there by then and have not been changed since. To check it, with the "
    "authority's CA from elsewhere:"
)


@dataclass(frozen=True)
class Told:
    """What the papers tell of. `entries` are those of the clips and of the export, in the log's order;
    `files` are those of the bundle before them."""

    title: str
    store: str
    export: UUID
    made_at: datetime
    clips: Sequence[Clip]
    manifests: Mapping[str, Manifest]
    entries: Sequence[Kept]
    anchors: Anchors
    keys: Sequence[str]
    copies: Mapping[str, Copy]
    stamped: Stamped | None
    incident: IncidentFile | None
    files: Mapping[str, File]

    @property
    def own(self) -> Kept | None:
        """The log's entry of the export itself, without what was downloaded since."""
        of_it = (e for e in self.entries if e.subject == str(self.export) and e.action == "exported")
        return next(of_it, None)


def report(told: Told) -> bytes:
    """The PDF."""
    foot = f"{told.title}, export {told.export}: proves nothing by itself"
    paper = Paper(f"Evidence of {told.store}, export {told.export}", foot, told.made_at)
    _title(paper, told)
    if told.incident is not None:
        paper.page()
        incident_pages.tell(paper, told.incident)
    _clips(paper, told)
    _custody(paper, told)
    _head(paper, told)
    return paper.bytes()


def _title(paper: Paper, told: Told) -> None:
    case, own = told.incident, told.own
    if case is None:
        paper.title(f"Evidence of {told.title}", "Clips, and what was done to them")
    else:
        where = f"{case.zone_title}, {moment(case.happened_at)}"
        paper.title(f"Incident {case.number}: {case.class_words}", f"{told.title}. {where}")
    told_of = len(case.clips) if case else len(told.clips)
    apart = told_of - len(told.clips)
    paper.facts(
        [
            ("Export", str(told.export)),
            ("Made", moment(told.made_at)),
            ("By", ERASED if own is None or own.actor is None else own.actor),
            ("Reason", ERASED if own is None or own.reason is None else own.reason),
            (
                "Clips",
                f"{len(told.clips)} in this bundle"
                + (f"; {apart} named below that {'is' if apart == 1 else 'are'} not" if apart else ""),
            ),
        ]
    )
    paper.heading("What this is")
    paper.text(_IS.format(_THE_FILE if case else ""))
    if told.clips:
        paper.text("The clips have no sound, and nobody in them is blurred.")
    if not paper.has_fonts:
        paper.text(FEWER_LETTERS)
    if case is not None:
        paper.heading("What is not in it")
        if said := incident_file.not_in(case):
            paper.points(said)
        else:
            paper.text("Nothing of the incident was left out that the store knew when it was taken out.")
    paper.heading("How to check it")
    paper.text(_CHECK)
    head = told.anchors.head
    known = [*(f"  --key {key}" for key in told.keys), f"  --head {head.size}:{head.root}"]
    if told.stamped is not None:
        known.append("  --stamp-ca CA.pem")
    paper.code("\n".join(["floorbell evidence verify BUNDLE", *known]))
    paper.text(
        "The format is open: whoever wants a verifier of their own finds it in edge/evidence/bundle.md. "
        "certificate.pdf is a draft for the person who answers for this record, to be completed by them."
    )


def _clips(paper: Paper, told: Told) -> None:
    if told.incident is not None:
        paper.heading("Clips", 15)
        if not told.incident.clips:
            paper.text("No camera had told of a clip of it.")
    for number, clip in enumerate(told.clips, 1):
        paper.heading(f"Clip {number}")
        copied = told.copies.get(clip.id)
        paper.facts(_facts(clip, told.manifests.get(clip.id)) + _copy_facts(clip, copied))
        if copied is not None and copied.stills:
            paper.text(
                "Pictures of the copy, with the kiosk's time of each. They prove nothing by themselves:"
            )
            paper.pictures([Picture(still.path, _below(still)) for still in copied.stills])
    apart = [one for one in told.incident.clips if not one.included] if told.incident else []
    if apart:
        paper.heading("Clips that are not in this bundle")
        rows = [(str(one.clip), one.device, moment(one.started_at), one.why_not or "") for one in apart]
        paper.table((44, 32, 44, 70), ("Clip", "Kiosk", "Begins", "Why not"), rows)
    if told.incident and told.incident.cameras:
        paper.heading("Cameras that were asked and gave nothing")
        given = [(one.device, moment(one.asked_at), one.why) for one in told.incident.cameras]
        paper.table((44, 44, 102), ("Kiosk", "Asked", "Why"), given)


def _custody(paper: Paper, told: Told) -> None:
    paper.heading("Custody", 15)
    paper.text("What was done to these clips and to this export, by whom and why, in the order of the log.")
    names = {clip.id: f"clip {number}" for number, clip in enumerate(told.clips, 1)}
    names[str(told.export)] = "export"
    paper.table(
        (12, 44, 23, 16, 33, 62),
        ("Entry", "When", "What", "Of", "Who", "Why"),
        [
            (
                str(e.index),
                moment(e.at),
                e.action.replace("_", " "),
                names.get(e.subject, e.subject[:8]),
                ERASED if e.actor is None else e.actor,
                ERASED if e.reason is None else e.reason,
            )
            for e in told.entries
        ],
    )
    if told.incident is not None:
        paper.text("By the log's entry of this export, the incident file has this SHA-256:")
        paper.code(told.files[incident_file.NAME].sha256)


def _head(paper: Paper, told: Told) -> None:
    head = told.anchors.head
    paper.heading("The log's head and its witnesses")
    paper.facts(
        [
            ("Log", str(head.log)),
            ("Entries", str(head.size)),
            ("Root", head.root),
            ("Signed", moment(at_ms(head.at_ms))),
            ("By the key", head.key),
        ]
    )
    if told.anchors.witnesses:
        rows = [(w.device, str(w.size), moment(at_ms(w.at_ms)), w.key) for w in told.anchors.witnesses]
        paper.text("These kiosks hold a head of the same log and have signed that they do:")
        paper.table((34, 16, 44, 96), ("Kiosk", "Entries", "Said", "Key"), rows)
    else:
        paper.text("No kiosk has said yet that it holds a head of this log.")
    if told.stamped is not None:
        paper.heading("Time stamp")
        paper.text(_STAMPS.format(told.stamped.size))
        paper.facts([("Stamped", moment(told.stamped.stamp.at)), ("By", told.stamped.stamp.by)])
        paper.code(f"openssl ts -verify -data {bundle.STAMPED} -in {bundle.STAMP} -CAfile CA.pem")


def clock_words(clip: Clip, manifest: Manifest | None) -> str:
    """What is known of the kiosk's clock when it recorded this."""
    said = []
    if manifest is not None:
        synced = "followed a time server" if manifest.clock.synced else "did not follow a time server"
        said.append(f"By the kiosk's signed word it {synced} at the first picture.")
    if clip.clock_behind_ms is not None and clip.clock_heard_at is not None:
        off, at = clip.clock_behind_ms, moment(clip.clock_heard_at)
        side = "behind" if off >= 0 else "ahead of"
        said.append(f"At {at} it was {abs(off):,} ms {side} the store server's, the message's way included.")
    else:
        said.append("How far it was from the store server's is not known.")
    return " ".join(said)


def _facts(clip: Clip, manifest: Manifest | None) -> list[tuple[str, str]]:
    facts = [
        ("Id", clip.id),
        ("Kiosk, zone", f"{clip.device}, {clip.zone}"),
        ("Began", f"{moment(clip.started_at)} by the kiosk's clock"),
        ("Ended", f"{moment(clip.ended_at)} by the kiosk's clock"),
        ("Kiosk's clock", clock_words(clip, manifest)),
        ("Picture", f"{clip.width} x {clip.height}, {clip.codec}, {clip.bytes:,} bytes, without sound"),
        ("Sealed", "not yet" if clip.sealed_at is None else moment(clip.sealed_at)),
        ("Drill", "yes" if clip.drill else "no"),
        ("SHA-256 of the video", clip.sha256),
        ("SHA-256 of the manifest", clip.manifest_sha256),
        ("Kiosk's key", clip.key or "none"),
    ]
    if manifest is not None:
        facts += [("Camera", manifest.camera), ("Masks in the picture", str(len(manifest.footage.masks)))]
        facts += [("Note", note) for note in manifest.notes]
        if manifest.interrupted:
            facts.append(("Note", "The recorder was cut off: the end is missing."))
    return facts


def _copy_facts(clip: Clip, copied: Copy | None) -> list[tuple[str, str]]:
    if copied is None:
        return []
    trouble = [("About the copy", copied.trouble)] if copied.trouble else []
    if copied.working is None:
        return [("Copy to play", "none could be made"), *trouble]
    said = f"{bundle.working_of(UUID(clip.id))}, made {moment(copied.made_at)} from the video; proves nothing"
    return [("Copy to play", said), *trouble]


def _below(still: Still) -> str:
    at = still.shows_at.astimezone()
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03}{', the trigger' if still.trigger else ''}"
