"""What a shopper said to somebody on the floor, typed in on the phone."""

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.errors import Faulty
from edge.web import told
from edge.web.access import signed_in


def feedback() -> Response:
    return _form(saved="saved" in request.args)


def feedback_do() -> Response:
    error = told.save("phone")
    if error is not None:
        return _form(error, 400)
    return redirect(url_for("floor.feedback", saved=1), 303)


def _form(error: Faulty | None = None, status: int = 200, saved: bool = False) -> Response:
    page = render_template("floor/feedback.html", saved=saved, me=signed_in().person, **told.form(error))
    return make_response(page, status)
