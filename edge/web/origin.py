"""Whether a page of this origin asks, for what needs no token of a form."""

from flask import abort, request

# Only a script of our own page can set it: a form cannot, and another origin is not let.
OWN = "Floorbell-Call"


def says_so() -> bool | None:
    """What the browser says of where the request comes from; None where it says nothing, as without TLS."""
    site = request.headers.get("Sec-Fetch-Site")
    return None if site is None else site == "same-origin"


def only_from_here() -> None:
    """403 for everybody but our own scripts."""
    said = says_so()
    if not request.headers.get(OWN) or said is False:
        abort(403)
