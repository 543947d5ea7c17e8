"""What a request says besides its path: a form's field from the body, a filter from the address, never the
one in place of the other."""

from flask import request


def asked(name: str, most: int) -> str:
    """Its first so many letters; empty where it is not there."""
    said = request.form if request.method == "POST" else request.args
    return said.get(name, "")[:most]
