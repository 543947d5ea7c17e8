"""Every address, of the pages, the API and the files, answers with the headers that close a page, whatever
it answers."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from edge import create_app, headers
from edge.config import EdgeConfig, Web
from edge.db.engine import migrate
from edge.headers import ALWAYS

from .conftest import STORE, Browser, Clock, Shop

STRICT = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
}


def directives(policy: str) -> dict[str, str]:
    return dict(part.strip().split(" ", 1) for part in policy.split(";"))


def closed(response: TestResponse, frames: str = "'self'") -> None:
    """Fails unless this answer carries everything that ours do."""
    assert ALWAYS.items() <= dict(response.headers).items()
    said = directives(response.headers["Content-Security-Policy"])
    assert STRICT.items() <= said.items() and said["frame-ancestors"] == frames
    assert "unsafe" not in str(said) and "http" not in str(said) and "*" not in str(said)


def tries(shop: Shop) -> Iterator[tuple[str, str, str]]:
    """Endpoint, method and address of everything that there is: a new one is among them by itself."""
    for rule in shop.app.url_map.iter_rules():
        path = re.sub(r"<[^>]+>", "00000000-0000-7000-8000-000000000000", rule.rule)
        for method in sorted(rule.methods or ()):
            yield rule.endpoint, method, path


@pytest.mark.parametrize(
    "path", ["/.git/config", "/.env", "/static/", "/static/vendor/", "/static/../config.py"]
)
def test_nothing_of_the_source_and_no_folder_is_shown(shop: Shop, path: str) -> None:
    assert shop.app.test_client().get(path).status_code == 404


def test_nothing_is_traced_or_debugged(shop: Shop) -> None:
    assert not shop.app.debug and shop.app.testing is False
    assert {shop.app.test_client().open(path, method="TRACE").status_code for _, _, path in tries(shop)} <= {
        404,
        405,
    }


@pytest.mark.parametrize("known", [False, True])
def test_every_address_closes_its_page_for_strangers_and_for_a_manager(shop: Shop, known: bool) -> None:
    browser = Browser(shop.app)
    if known:
        browser.sign_in_at_desk("Mira")
    statuses = set()
    for endpoint, method, path in tries(shop):
        if known and endpoint.endswith(("stream", "sign_out")):
            continue
        response = browser.client.open(path, method=method, headers={"Accept": "text/html"})
        closed(response)
        if endpoint != "static":
            assert response.headers["Cache-Control"] == headers.NO_STORE, endpoint
        assert response.status_code < 500, (endpoint, response.text[:200])
        statuses.add(response.status_code)
        response.close()
    assert {303, 400, 401, 404} <= statuses


def test_every_file_and_every_kind_of_refusal_does_too(shop: Shop, visitor: Browser) -> None:
    def fail() -> str:
        raise RuntimeError

    folder = Path(str(shop.app.static_folder))
    for file in (one for one in folder.rglob("*") if one.is_file()):
        closed(visitor.get(f"/static/{file.relative_to(folder)}"))
    closed(visitor.get("/nowhere"))
    closed(visitor.client.delete("/floor/sign-in"))
    closed(visitor.client.post("/floor/sign-in", data=b"x" * 200_000))
    shop.app.view_functions["health.alive"] = fail
    closed(visitor.get("/healthz"))


@pytest.mark.parametrize(
    ("web", "secure"),
    [
        (Web(secure_cookies=False), False),
        (Web(), True),
        (Web(tls="store"), True),
        # The plain page by which phones come to trust the others is below the same name.
        (Web(tls="store", trust_port=8081), False),
    ],
)
def test_a_store_with_tls_is_asked_over_tls_alone_from_then_on(
    tmp_path: Path, clock: Clock, web: Web, secure: bool
) -> None:
    config = EdgeConfig(store=STORE, title="T", directory=str(tmp_path), web=web)
    migrate(config.database_url)
    app = create_app(config, clock=clock)
    try:
        answer = app.test_client().get("/floor/sign-in")
        closed(answer, frames="'none'")
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert ("Strict-Transport-Security" in answer.headers) is secure
    finally:
        app.extensions["floorbell"].stop()
