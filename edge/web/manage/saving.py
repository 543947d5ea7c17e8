"""How a form of the desk answers: saved and shown again, or refused with what was typed kept."""

from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
from flask import flash, redirect
from werkzeug.wrappers import Response

from edge.errors import EdgeError, NotFound, Refused, StorageError
from edge.handling.basis import NotAllowed
from edge.web.services import services

T = TypeVar("T")


def save(work: Callable[[sa.Connection], T]) -> T | EdgeError:
    """The result of a change, or the sentence against it. What no form can answer is raised."""
    try:
        return services().change(work)
    except (NotFound, StorageError):
        raise
    except EdgeError as error:
        return error


def status_of(error: EdgeError) -> int:
    """403 where it is not allowed, 409 where something else stands against it, 400 where it is faulty."""
    if isinstance(error, NotAllowed):
        return 403
    return 409 if isinstance(error, Refused) else 400


def saved(address: str, sentence: str) -> Response:
    """Back to a page, which says once what was done."""
    flash(sentence)
    return redirect(address, 303)
