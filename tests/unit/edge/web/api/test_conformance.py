"""Whatever schemathesis makes of the document: the answers are those that the document promises. The profile
`long` (tests/conftest.py) asks each operation forty times as often, otherwise in each run."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckContext, not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.schemas import OpenApiSchema

from edge.tokens.scopes import SCOPES
from edge.web import bearer
from edge.web.api.document import document
from edge.web.api.routes import ROUTES
from tests.unit.edge.web.conftest import Clock, Shop, opened

from .busy import fill
from .conftest import Let, Program, letting

LONG = settings.get_current_profile_name() == "long"
ANYHOW = settings(deadline=None, derandomize=not LONG, database=None, suppress_health_check=list(HealthCheck))
FEW, FEWER = (settings(ANYHOW, max_examples=few * (40 if LONG else 1)) for few in (4, 3))
SHAPES = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# What schemathesis also tries: addresses and methods that are not in the document.
NO_SUCH_ADDRESS = (404, 405)


class Served:
    """The WSGI application that is open at this moment; tests are made before any is."""

    shop: Shop
    known: dict[str, list[str]]
    let: Let
    turns: "itertools.count[int]"

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.shop.app(environ, start_response)


served = Served()
NEEDED = {route.name: route.scopes for route in ROUTES}


def described(**phases: object) -> OpenApiSchema:
    config = SchemathesisConfig.from_dict({"seed": 1, "phases": phases})
    schema = schemathesis.openapi.from_dict(document(ROUTES, "Trial"), config=config)
    schema.app = served
    return schema


api = described()
# Not every edge of every value, for whoever does not get that far.
closed = described(coverage={"enabled": False})


@pytest.fixture(scope="module", autouse=True)
def _open(tmp_path_factory: pytest.TempPathFactory, hashes: tuple[str, str]) -> Iterator[None]:
    """One store for all of them: what one operation changes, the next one meets."""
    with opened(tmp_path_factory.mktemp("conformance"), Clock(), hashes) as shop:
        served.shop, served.known, served.let = shop, fill(shop), letting(shop)
        served.turns = itertools.count()
        yield


@pytest.fixture
def program() -> Program:
    """A token for each operation, since each may ask 600 times a minute."""
    return served.let()


# The stream is endless; test_silent.py and test_log.py hold it.
@api.exclude(operation_id="stream").parametrize()
@FEW
def test_every_answer_is_as_the_document_says(case: Case, program: Program) -> None:
    if case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE:
        lead_somewhere(case)
    case.call_and_validate(
        headers={"Authorization": f"Bearer {program.secret}"},
        # Whoever serves it reads an answer to its end; an export is under way until then.
        buffered=True,
        excluded_checks=[positive_data_acceptance, negative_data_rejection],
        additional_checks=[what_fits_is_read, what_does_not_is_refused],
    )


@closed.parametrize()
@FEWER
def test_without_a_token_every_answer_is_the_same(case: Case) -> None:
    lead_somewhere(case)
    answer = case.call_and_validate(checks=SHAPES)
    if answer.status_code not in NO_SUCH_ADDRESS:
        # It also makes up tokens of its own.
        assert answer.status_code == 401
        assert answer.json()["detail"] in (bearer.NEEDED, bearer.UNKNOWN)


@closed.exclude(operation_id="token_own").parametrize()
@FEWER
def test_without_one_of_its_scopes_nothing_is_told_but_their_names(case: Case) -> None:
    lead_somewhere(case)
    needed = NEEDED[case.operation.definition.raw["operationId"]]
    lacking = needed[next(served.turns) % len(needed)]
    poor = served.let(*(scope for scope in SCOPES if scope != lacking))
    answer = case.call_and_validate(headers={"Authorization": f"Bearer {poor.secret}"}, checks=SHAPES)
    if answer.status_code not in NO_SUCH_ADDRESS and case.method != "OPTIONS":
        # It also leaves the token out.
        assert answer.status_code in (401, 403)
        assert answer.status_code == 401 or "needs the scope" in answer.json()["detail"]


def what_fits_is_read(ctx: CheckContext, response: Response, case: Case) -> None:
    """What fits the document and cannot be used is only ever so for what the store holds."""
    if response.status_code == 422 and case.meta.generation.mode is GenerationMode.POSITIVE:
        sentence = response.json()["detail"]
        if sentence.startswith(("The body cannot be used", "The address cannot be used")):
            raise Failure(operation=case.operation.label, title="It fits and is refused", message=sentence)


def what_does_not_is_refused(ctx: CheckContext, response: Response, case: Case) -> bool | None:
    # A file that is too long for its field may be too long for any body.
    return None if response.status_code == 413 else negative_data_rejection(ctx, response, case)


def lead_somewhere(case: Case) -> None:
    """Put what is in this store where schemathesis made something up, three times of four."""
    turn, known, of = next(served.turns), served.known, case.operation.path.split("/")[3]
    for place, names in ((case.path_parameters, {"id": of, "name": of}), (case.body, {n: n for n in known})):
        if not isinstance(place, dict) or turn % 4 == 0:
            continue
        for name in place:
            if found := known.get(names.get(name, "")):
                one = found[turn % len(found)]
                place[name] = [one] if isinstance(place[name], list) else one
