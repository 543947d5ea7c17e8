"""How a route of the API is called: query and body are checked, the view answers with a record."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from flask import Blueprint, Response, abort, request
from flask_limiter import Limiter
from msgspec import Struct
from werkzeug.wrappers import Response as AnyResponse

from edge.errors import NotFound
from edge.web import bearer

T = TypeVar("T", bound=Struct)
# Far more than any program needs, so that one which runs wild leaves room for the others.
PER_TOKEN = "600 per minute"


@dataclass(frozen=True)
class Media:
    """An answer that is no JSON."""

    name: str


@dataclass(frozen=True)
class Route:
    """One address. `scopes` are all needed; `answer` None is an empty 204. `free` is under no limit of rate:
    nothing that pages or answers a page may wait for a budget."""

    method: str
    path: str
    view: Callable[..., Any]
    scopes: tuple[str, ...]
    answer: type[Struct] | Media | None
    query: type[Struct] | None = None
    body: type[Struct] | None = None
    created: bool = False
    free: bool = False

    @property
    def status(self) -> int:
        return 201 if self.created else 200 if self.answer else 204

    @property
    def name(self) -> str:
        return self.view.__name__


def mount(api: Blueprint, limiter: Limiter, routes: Sequence[Route]) -> None:
    per_token = limiter.shared_limit(PER_TOKEN, scope="api", key_func=lambda: bearer.token_here().id)
    for route in routes:
        view = _called(route)
        limited = view if route.free else per_token(view)
        rule = route.path.replace("{", "<").replace("}", ">")
        api.add_url_rule(rule, route.name, limited, methods=[route.method])


def query_here(wanted: type[T]) -> T:
    """What the address asks behind its question mark. 422 with a sentence for what is not allowed there."""
    for name, values in request.args.lists():
        if len(values) > 1:
            abort(422, f"The address says {name[:40]!r} {len(values)} times; once is allowed.")
    try:
        return msgspec.convert(request.args.to_dict(), wanted, strict=False)
    except msgspec.ValidationError as error:
        abort(422, f"The address cannot be used: {error}.")


def body_here(wanted: type[T]) -> T:
    """The record in the body. 415 if it is no JSON by its type, 422 if it is not what is wanted."""
    if request.mimetype != "application/json":
        abort(415, f"The body is {request.mimetype[:60] or 'of no type'}; send application/json.")
    try:
        return msgspec.convert(_whole(msgspec.json.decode(request.get_data())), wanted)
    except msgspec.DecodeError as error:
        abort(422, f"The body cannot be used: {error}.")
    except RecursionError:
        abort(422, "The body cannot be used: there are too many lists in lists.")


def _whole(value: Any) -> Any:
    """With 3.0 as 3: to JSON Schema both are the same integer, to msgspec not."""
    if isinstance(value, dict):
        return {name: _whole(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _called(route: Route) -> Callable[..., AnyResponse]:
    def view(**path: str) -> AnyResponse:
        if any("\x00" in part for part in path.values()):
            raise NotFound("There is nothing of that name in this store.")
        asked: dict[str, Struct] = {}
        if route.query is not None:
            asked["query"] = query_here(route.query)
        if route.body is not None:
            asked["body"] = body_here(route.body)
        done = route.view(**path, **asked)
        if isinstance(done, AnyResponse):
            return done
        if done is None:
            return Response(status=204)
        return Response(msgspec.json.encode(done), route.status, mimetype="application/json")

    view.__name__ = route.name
    return view
