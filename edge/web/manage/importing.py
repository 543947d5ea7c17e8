"""People from a CSV file: a template, a look at exactly what would be done, then all of it or nothing."""

from flask import make_response, render_template, request
from werkzeug.wrappers import Response

from edge.errors import EdgeError
from edge.handling import importing as taking_in
from edge.paging import feed
from edge.people.importing import COLUMNS, MAX_BYTES, MAX_PEOPLE, TEMPLATE, Plan
from edge.people.passwords import fresh_pin
from edge.web.access import actor_here, signed_in
from edge.web.manage.person import shown_once
from edge.web.manage.saving import save, saved, status_of
from edge.web.services import services


def people_import() -> Response:
    return _page()


def people_template() -> Response:
    """A file to begin with, as spreadsheets read it."""
    answer = make_response("\ufeff" + TEMPLATE)
    answer.mimetype = "text/csv"
    answer.headers["Content-Disposition"] = 'attachment; filename="people.csv"'
    return answer


def people_import_look() -> Response:
    """What the file would do. Nothing is written."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return _page(wrong="Choose a file first.", status=400)
    return _look(file.read(MAX_BYTES + 1))


def people_import_do() -> Response:
    """What was looked at and confirmed; the new PINs are shown this once."""
    room, actor = services(), actor_here()
    # A browser ends each line of a form's text with CR LF; to CSV that is the same.
    data = request.form.get("text", "").encode()
    confirmed = request.form.get("confirmed", "")[:64]
    with room.read() as conn:
        planned = taking_in.plan(conn, room.store, actor, data)
    if planned.faults or taking_in.version(planned) != confirmed:
        return _look(data, "The staff was changed meanwhile; this is what the file would do now.", 409)
    with room.verifier.place():
        pins = [fresh_pin() for _ in planned.of("add")]
    hashes = [pin.hashed for pin in pins]
    done = save(
        lambda conn: taking_in.carry_out(conn, room.store, actor, data, confirmed, hashes, room.clock())
    )
    if isinstance(done, EdgeError):
        return _look(data, str(done), status_of(done))
    if not done:
        return saved("/manage/people", f"{len(planned.of('change'))} changed; nobody is new.")
    return shown_once([(name, pin, None) for name, pin in zip(done, pins, strict=True)])


def _look(data: bytes, wrong: str = "", status: int = 200) -> Response:
    room = services()
    with room.read() as conn:
        planned = taking_in.plan(conn, room.store, actor_here(), data)
    text = "" if planned.faults else data.decode("utf-8-sig")
    status = 400 if planned.faults and status == 200 else status
    return _page(planned, text, taking_in.version(planned), wrong, status)


def _page(
    planned: Plan | None = None, text: str = "", confirmed: str = "", wrong: str = "", status: int = 200
) -> Response:
    room = services()
    with room.read() as conn:
        cursor = feed.head(conn, room.store)
    page = render_template(
        "manage/people_import.html",
        plan=planned,
        text=text,
        confirmed=confirmed,
        wrong=wrong,
        columns=COLUMNS,
        most=MAX_PEOPLE,
        kib=MAX_BYTES // 1024,
        cursor=cursor,
        me=signed_in().person,
    )
    return make_response(page, status)
