"""The draft of a certificate for the person who answers for the record: certificate.pdf, with blanks.

It states what the bundle says and how the system works; that this was so is theirs to say. What it follows:
decisions/005-a-draft-of-a-certificate.md.
"""

from uuid import UUID

from edge.evidence import bundle, incident_file
from edge.evidence.paper import ERASED, FEWER_LETTERS, WIDTH, Paper, at_ms, moment
from edge.evidence.report import Told, clock_words

NAME = "certificate.pdf"
_DRAFT = (
    "DRAFT. Not legal advice. To be read, corrected and completed by the responsible person. "
    "Until it is signed it certifies nothing."
)
_FOLLOWS = (
    "The points below are those that rule 902(11), (13) and (14) of the Federal Rules of Evidence (United "
    "States) and section 63(4) of the Bharatiya Sakshya Adhiniyam, 2023 (India) ask for, in the words of "
    "ISO/IEC 27037 where it has them. Other places ask for other things, and some, as India by the Schedule "
    "of that Act, prescribe a form of their own, which this does not replace. What does not apply is to be "
    "struck out."
)
_VIDEOS = (
    "Identification and collection: a kiosk's camera kept its last pictures in memory. A press, or the store "
    "server's word, made the kiosk write what it had and what followed to a file, without sound.",
    "Acquisition: the kiosk computed the SHA-256 of the file while it wrote it, put it into a manifest with "
    "the time of each frame by its own clock, and signed the manifest with its own Ed25519 key.",
    "Preservation: the store server took the file, compared its SHA-256 with the one that was signed, and "
    "kept it under that hash. It wrote 'sealed', with the manifest's SHA-256, into its custody log.",
)
_WRITTEN = (
    "The incident file: people wrote its entries into the store server, each under their name and with its "
    "time; the server wrote the timelines as things happened. Entries were only added; a correction is a "
    "further entry beside the first. Its SHA-256 was written into the custody log when it was taken out."
)
_LOG = (
    "Chain of custody: the custody log has an entry of each look, hold, export, download and deletion, with "
    "who and why. It is a Merkle tree (hashes as in RFC 6962); the store server signed its head, {}."
)
_COPY = (
    "This bundle was copied from the store server's vault byte for byte, but for what is derived: copies to "
    "play, pictures, and the two papers, which prove nothing."
)


def draft(told: Told) -> bytes:
    """The PDF."""
    foot = f"DRAFT, to be completed by the responsible person. Export {told.export}"
    paper = Paper(f"Draft of a certificate, export {told.export}", foot, told.made_at)
    paper.boxed(_DRAFT)
    paper.title("Certificate of an electronic record", f"{told.title}, export {told.export}")
    if not paper.has_fonts:
        paper.text(FEWER_LETTERS)
    paper.text(_FOLLOWS)
    paper.heading("1. Who certifies")
    for label, lines in (("Name", 1), ("Employer and address", 2), ("Capacity", 2)):
        paper.blank(label, lines)
    paper.heading("2. The record")
    paper.facts(_record(told))
    _process(paper, told)
    _hashes(paper, told)
    _statements(paper)
    return paper.bytes()


def _record(told: Told) -> list[tuple[str, str]]:
    case, own = told.incident, told.own
    facts = [("Store", f"{told.title} ({told.store})")]
    if case is not None:
        what = f"{case.number}, {case.class_words}, {case.zone_title}, {moment(case.happened_at)}"
        facts += [("Incident", what), ("Entries written", str(len(case.entries)))]
    return [
        *facts,
        ("Clips", ", ".join(clip.id for clip in told.clips) or "none"),
        ("Taken out by", ERASED if own is None or own.actor is None else own.actor),
        ("For", ERASED if own is None or own.reason is None else own.reason),
        ("Bundle made", moment(told.made_at)),
    ]


def _process(paper: Paper, told: Told) -> None:
    paper.heading("3. The system and the process")
    held = len(told.anchors.witnesses)
    log = f"and {held} kiosks said in their own signatures that they hold one"
    if held < 2:
        log = (
            "and one kiosk said in its own signature that it holds one"
            if held
            else "and no kiosk has said yet that it holds one"
        )
    said = [*(_VIDEOS if told.clips else ()), *([_WRITTEN] if told.incident else ()), _LOG.format(log), _COPY]
    paper.points(said)
    for clip in told.clips:
        manifest = told.manifests.get(clip.id)
        facts = [("Clip", clip.id), ("Kiosk, key", f"{clip.device}, {clip.key or 'none'}")]
        if manifest is not None:
            footage = manifest.footage
            treated = "as the camera gave it" if footage.treatment == "none" else "encoded on the kiosk"
            facts.append(("Recorder", f"{manifest.recorder}, camera {manifest.camera}, {treated}"))
        facts.append(("Kiosk's clock", clock_words(clip, manifest)))
        notes = [*(manifest.notes if manifest else ())]
        if manifest is not None and manifest.interrupted:
            notes.append("The recorder was cut off: the end is missing.")
        facts.append(("What it noted itself", " ".join(notes) or "nothing"))
        paper.facts(facts)


def _hashes(paper: Paper, told: Told) -> None:
    paper.heading("4. Hash values")
    paper.text("Algorithm: SHA-256 (FIPS 180-4). Files that were made from others are left out.")
    short = {bundle.video_of(UUID(c.id)): "the clip as it was signed" for c in told.clips}
    short |= {bundle.manifest_of(UUID(c.id)): "its manifest" for c in told.clips}
    short |= {incident_file.NAME: "the incident file", bundle.CUSTODY: "custody entries"}
    short |= {bundle.LEAVES: "hashes of all entries", bundle.HEADS: "the signed head and its witnesses"}
    rows = [
        (f"{name}\n{short.get(name, 'time stamp')}", f"{file.bytes:,}", file.sha256)
        for name, file in told.files.items()
        if file.derived is None
    ]
    paper.table((74, 22, WIDTH - 96), ("File", "Bytes", "SHA-256"), rows)
    head = told.anchors.head
    entries = f"{head.size} entries, root {head.root}, signed {moment(at_ms(head.at_ms))}"
    paper.facts([("Head of the custody log", entries), ("Under the key", head.key)])


def _statements(paper: Paper) -> None:
    paper.heading("5. What is certified")
    paper.text("Tick what is so, strike out the rest, and say what is otherwise.")
    for tick in (
        "I am the custodian of this record, or otherwise qualified to speak of the system and the process of "
        "part 3, and I know of them by:",
        "The record was made at or near the time of what it tells, by the system or by people who knew of "
        "it, and was kept in the course of the store's regular activity (902(11)).",
        "The system and the process of part 3 produce an accurate result, and the equipment was in lawful "
        "and regular use and worked properly at that time, or what did not is said below (902(13); section "
        "63(2)).",
        "The copy is true: I computed the hash values of part 4 anew, or ran 'floorbell evidence verify' "
        "with keys and a head that are not from the bundle, and the result was (902(14)):",
    ):
        paper.text(f"[   ]  {tick}")
        if tick.endswith(":"):
            paper.blank("")
    paper.blank("What is otherwise, or did not work", 2)
    paper.heading("6. Signature", room=85)
    paper.text(
        "The declaration in the form that the law of the place asks for, such as under penalty of perjury:"
    )
    paper.blank("Declaration", 2)
    for label in ("Name", "Signature", "Place", "Date and time"):
        paper.blank(label)
