"""Forms of pages, posted as a browser does on the furnished store, and held against what is written down."""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from .conftest import TOKEN, Browser
from .test_traces import NOTHING
from .traced import Deed, Traced, expect, new, no_secret

# Recovery codes, and what a page shows once.
SHOWN = re.compile(r"<code>(\d-[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4})</code>")
ONCE = re.compile(r'class="secret">.*?<code>([^<]+)</code>')

FORMS = re.compile(r"<form([^>]*)>(.*?)</form>", re.DOTALL)
ACTION = re.compile(r'\saction="([^"]+)"')
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


@dataclass(frozen=True)
class Ready:
    """A form as `browser` would send it from `page`; `secrets` are what may be written down nowhere."""

    browser: Browser
    page: str
    post: str
    form: Mapping[str, str | list[str]]
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Form(Deed):
    """A deed by `who`, signed in in this room, on the form of `page`; `ready` sets up one that needs more.
    What it says in `body` is filled into the form, and `secret` are those fields that are secrets."""

    who: str = "Helen"
    room: str = "manage"
    page: str = ""
    post: str = ""
    secret: tuple[str, ...] = ()
    ready: Callable[[Traced], Ready] | None = None

    @property
    def through(self) -> str:
        return {"floor": "phone", "manage": "desk", "f": "code"}[self.room]


def phone(audit: tuple[str, ...], page: str, post: str, who: str = "Bia", **more: object) -> Form:
    return Form(audit, who=who, room="floor", page=page, post=post, **more)  # type: ignore[arg-type]


def send(ready: Ready) -> str:
    """As the browser does; what it answered, which refuses nothing."""
    return _post(ready, _shown(ready))


def _shown(ready: Ready) -> dict[str, str | list[str]]:
    """The form of the page, with its token, filled in."""
    page = ready.browser.get(ready.page).text
    return {"csrf_token": TOKEN.findall(page)[0], **_hidden(ready, page), **ready.form}


def _post(ready: Ready, form: Mapping[str, str | list[str]]) -> str:
    headers = {"Accept": "text/html", "Floorbell-Call": "1"}
    answer = ready.browser.client.post(ready.post, data=form, headers=headers)
    assert answer.status_code < 400, (ready.post, answer.status_code, answer.text)
    return answer.text if answer.mimetype == "text/html" else ""


def _hidden(ready: Ready, page: str) -> dict[str, str]:
    """What the form holds unseen; nothing where a script sends it."""
    for tag, inner in FORMS.findall(page):
        action = ACTION.findall(tag)
        if 'method="post"' in tag and (action or [ready.page])[0] == ready.post:
            return {name: html.unescape(value) for name, value in HIDDEN.findall(inner)}
    return {}


def posts(traced: Traced, deeds: Mapping[str, Form], name: str) -> None:
    """The deed of this name leaves what it says, and no secret."""
    traced.put_back()
    # The second sign-in of somebody within a minute would be counted with the first.
    traced.now += timedelta(minutes=2)
    deed = deeds[name]
    ready = _ready(traced, deeds, deed)
    form = _shown(ready)
    before, whole = traced.rows(), traced.whole() if deed.why == NOTHING else {}
    text = _post(ready, form)
    found = new(before, traced.rows())
    expect(traced, deed, found, deed.who, deed.through)
    no_secret(found, [*ready.secrets, *SHOWN.findall(text), *ONCE.findall(text)])
    if whole:
        assert whole == traced.whole()


def _ready(traced: Traced, deeds: Mapping[str, Form], deed: Form) -> Ready:
    if deed.ready is not None:
        return deed.ready(traced)
    if deed.phone:
        traced.browser(deed.phone, "floor")
        traced.names["other16"] = traced.names["key16"]
    # Whoever signs in is not signed in yet, and shoppers never are.
    at_door = deed.room == "f" or deed.page.startswith(f"/{deed.room}/sign-in")
    browser = Browser(traced.app) if at_door else traced.browser(deed.who, deed.room)
    for one in deed.first:
        send(_filled(traced, browser, deeds[one]))
        traced.remember("rollout", "SELECT id FROM rollout WHERE state = 'running'")
        traced.remember("newest", "SELECT id FROM interaction ORDER BY raised_at DESC LIMIT 1")
    for statement in deed.before:
        traced.execute(statement)
    return _filled(traced, browser, deed)


def _filled(traced: Traced, browser: Browser, deed: Form) -> Ready:
    form = traced.filled(dict(deed.body))
    page, post = traced.filled(deed.page), traced.filled(deed.post)
    return Ready(browser, page, post, form, tuple(form[field] for field in deed.secret))
