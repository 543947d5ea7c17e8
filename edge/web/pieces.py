"""A clip's file in pieces: decisions/004. Ranges as RFC 9110, 14 has them; one range at a time."""

from collections.abc import Iterator
from pathlib import Path

from flask import Response, abort, request
from werkzeug.datastructures import Range
from werkzeug.wrappers import Response as AnyResponse

from edge.web.refusals import refusal

PIECE_BYTES = 2 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_WHOLE = "This file has {size} bytes and is sent in pieces of {piece} at most; ask with a Range."
_OUTSIDE = "The file has {size} bytes; ask for one range within it."


def piece(path: Path, media: str) -> AnyResponse:
    """206 with what the request's Range asks for, at most PIECE_BYTES of it; 416 for a range that is not in
    the file. 200 with all of a file that is no larger than a piece. 404 if the file is not there."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        abort(404, "The clip's file is not in the vault.")
    wanted = request.range
    if wanted is None and "Range" not in request.headers:
        if size > PIECE_BYTES and request.method != "HEAD":
            abort(400, _WHOLE.format(size=size, piece=PIECE_BYTES))
        return _sent(path, media, 0, size, size, 200)
    begin, end = _within(wanted, size)
    if begin is None:
        refused = refusal(416, _OUTSIDE.format(size=size))
        refused.headers["Content-Range"] = f"bytes */{size}"
        return refused
    return _sent(path, media, begin, min(end, begin + PIECE_BYTES), size, 206)


def _within(wanted: Range | None, size: int) -> tuple[int | None, int]:
    """Where the one range begins and ends in a file of so many bytes; (None, 0) for anything else."""
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) != 1:
        return None, 0
    begin, end = wanted.range_for_length(size) or (None, 0)
    return begin, end


def _sent(path: Path, media: str, begin: int, end: int, size: int, status: int) -> Response:
    content = iter(()) if request.method == "HEAD" else _chunks(path, begin, end)
    response = Response(content, status, content_type=media)
    response.content_length = end - begin
    response.headers["Accept-Ranges"] = "bytes"
    if status == 206:
        response.headers["Content-Range"] = f"bytes {begin}-{end - 1}/{size}"
    return response


def _chunks(path: Path, begin: int, end: int) -> Iterator[bytes]:
    with open(path, "rb") as file:
        file.seek(begin)
        while begin < end and (chunk := file.read(min(_CHUNK_BYTES, end - begin))):
            begin += len(chunk)
            yield chunk
