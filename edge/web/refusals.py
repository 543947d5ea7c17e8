"""What a browser is told when something is not done: one clear sentence with its status, never a trace."""

import logging
import math

from flask import Flask, make_response, render_template, request
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Response

from edge.errors import EdgeError, NotFound, Refused, StorageError
from edge.handling.basis import NotAllowed
from edge.people.passwords import BUSY, TooManySigningIn
from edge.web import access, logged, problems
from edge.web.languages import gettext
from edge.web.sentences import said_here
from edge.web.stream import StreamsFull

_log = logging.getLogger(__name__)
TITLES = {
    400: "That did not work",
    403: "Not for you",
    404: "Not here",
    405: "That did not work",
    409: "Already taken",
    429: "A moment, please",
    500: "Our mistake",
    503: "Not now",
}
_SENTENCES = {
    400: "The server could not read that request; go back, load the page again and repeat it.",
    403: "This page needs another sign-in.",
    404: "There is no such page, or it is not one of this store's.",
    405: "This address does not take that kind of request.",
    413: "That was too much at once.",
    500: "Something went wrong here and was written down; nothing is known to be saved. Try again.",
}
_NOT_SAVED = "The store's database does not answer; nothing is known to be saved. Try again in a moment."
_STALE = "This page is out of date, and nothing was changed; load it again and repeat."
# By the minutes of the limit that was passed.
_SLOW = {
    1: "Too many wrong tries. Wait a minute, then try again.",
    60: "Too many wrong tries. Wait an hour, then try again.",
}
_SLOW_TODAY = "Too many wrong tries. Wait until tomorrow, then try again."
# What this module itself says, for the translators.
SENTENCES = (*_SENTENCES.values(), _NOT_SAVED, _STALE, *_SLOW.values(), _SLOW_TODAY, access.SIGNED_OUT, BUSY)


def refusal(
    status: int, sentence: str, retry_after_s: int | None = None, holder: str | None = None
) -> Response:
    """A page of one sentence; for htmx and scripts the sentence alone; in the API problem details."""
    if problems.wanted():
        return problems.problem(status, sentence, retry_after_s, holder)
    sentence = gettext(sentence) if sentence in SENTENCES else said_here(sentence)
    if request.headers.get("HX-Request") or "text/html" not in request.headers.get("Accept", "text/html"):
        response = make_response(sentence, status)
        response.mimetype = "text/plain"
    else:
        title = gettext(TITLES.get(status, TITLES[400]))
        room = request.path.split("/")[1]
        home = f"/{room}/" if room in ("floor", "manage") else "/"
        page = render_template("refusal.html", title=title, sentence=sentence, home=home)
        response = make_response(page, status)
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(retry_after_s)
    return response


def install(app: Flask) -> None:
    """Answer every error of this application with refusal()."""

    @app.errorhandler(Refused)
    def refused(error: Refused) -> Response:
        return refusal(409, error.sentence, holder=error.holder)

    @app.errorhandler(NotAllowed)
    def not_allowed(error: NotAllowed) -> Response:
        return refusal(403, error.sentence)

    @app.errorhandler(NotFound)
    def not_found(error: NotFound) -> Response:
        return refusal(404, str(error) if problems.wanted() else _SENTENCES[404])

    @app.errorhandler(StreamsFull)
    def full(error: StreamsFull) -> Response:
        return refusal(503, str(error), retry_after_s=30)

    @app.errorhandler(TooManySigningIn)
    def busy(error: TooManySigningIn) -> Response:
        return refusal(503, str(error), retry_after_s=3)

    @app.errorhandler(StorageError)
    def no_storage(error: StorageError) -> Response:
        _log.error("%s could not be answered: %s", logged.said(), error, extra={"status": 503})
        return refusal(503, _NOT_SAVED, retry_after_s=5)

    @app.errorhandler(EdgeError)
    def mistake(error: EdgeError) -> Response:
        return refusal(400, str(error))

    @app.errorhandler(CSRFError)
    def stale_form(error: CSRFError) -> Response:
        return refusal(400, _STALE)

    @app.errorhandler(RateLimitExceeded)
    def too_often(error: RateLimitExceeded) -> Response:
        wait_s = error.limit.limit.get_expiry()
        if problems.wanted():
            sentence = (
                f"This token has asked {error.limit.limit.amount} times within a minute; wait a little."
            )
            return refusal(429, sentence, retry_after_s=wait_s)
        minutes = math.ceil(wait_s / 60)
        return refusal(429, _SLOW.get(minutes, _SLOW_TODAY), retry_after_s=wait_s)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        status = error.code or 500
        if status < 400:
            return error.get_response()
        # A sentence of ours, if abort() was given one; never werkzeug's.
        own = error.description if error.description != type(error).description else None
        response = refusal(status, own or _sentence(status))
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return response

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        _log.exception("%s failed.", logged.said(), extra={"status": 500})
        return refusal(500, _sentence(500))


def _sentence(status: int) -> str:
    if problems.wanted():
        return problems.SENTENCES.get(status) or _SENTENCES.get(status) or problems.SENTENCES[422]
    return _SENTENCES.get(status, _SENTENCES[400])
