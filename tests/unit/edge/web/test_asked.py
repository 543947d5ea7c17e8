"""A field is read where its method has it, and never where somebody else may have put it."""

import pytest
from flask import Flask

from edge.web.asked import asked


@pytest.mark.parametrize(("method", "found"), [("GET", "address"), ("HEAD", "address"), ("POST", "body")])
def test_a_form_is_read_from_the_body_and_a_filter_from_the_address(method: str, found: str) -> None:
    app = Flask(__name__)
    with app.test_request_context("/?grant=address&about=x", method=method, data={"grant": "body"}):
        assert asked("grant", 100) == found and asked("grant", 2) == found[:2]
        assert asked("about", 100) == ("" if method == "POST" else "x") and asked("none", 9) == ""
