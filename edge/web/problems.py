"""Refusals of the API: problem details (RFC 9457), one sentence each."""

from http import HTTPStatus

import msgspec
from flask import Response, request

MEDIA = "application/problem+json"
# What a page may say in other words.
SENTENCES = {
    403: "This token may not do that.",
    404: "There is no such address; /api/v1/openapi.json lists them all.",
    413: "That was too much at once; the body may have 96 KiB.",
    422: "The request could not be read.",
    500: "Something went wrong here and was written down; nothing is known to be saved.",
}


class Problem(msgspec.Struct, omit_defaults=True):
    """Why it was not done. `holder` is who has the request, where that is the reason."""

    title: str
    status: int
    detail: str
    holder: str | None = None


def wanted() -> bool:
    """Whether this request is one to the API."""
    return request.path == "/api" or request.path.startswith("/api/")


def problem(
    status: int, sentence: str, retry_after_s: int | None = None, holder: str | None = None
) -> Response:
    """The answer. What a page calls a bad request is here content that cannot be used."""
    if status == 400:
        status = 422
    body = Problem(HTTPStatus(status).phrase, status, sentence, holder)
    response = Response(msgspec.json.encode(body), status, mimetype=MEDIA)
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(retry_after_s)
    return response
