"""What the rules say in English is known by its pattern, so that a phone can say it in any language."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker import questions
from edge import presence
from edge.handling import acting, being, feedback, handing_on, safety, summoning
from edge.interactions import lifecycle
from edge.presence import AWAY
from edge.routing import choose
from edge.web import minutes, sentences, told
from edge.web.languages import COOKIE, LANGUAGES

from .conftest import Shop

RULES = (lifecycle, acting, handing_on, summoning, safety, being, feedback, told, minutes)
REFUSALS = {"Refused", "Refusal", "Faulty", "PersonError"}
# Of the shopper's own page, which says it in its own words; and of people as the desk keeps them.
ELSEWHERE = ("This request is not closed yet.", "This request already has its answer.")


def refusals() -> Iterator[str]:
    """Every sentence of the rules that refuses something, with 'x' in its gaps."""
    for module in RULES:
        tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") in REFUSALS and call.args:
                yield from _said(call.args[0])


def _said(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)


@pytest.mark.parametrize("sentence", sorted({*refusals()} - {*ELSEWHERE}))
def test_whatever_a_rule_refuses_has_a_pattern(sentence: str) -> None:
    # Of these two the first gap holds a sentence, and of the third it may be empty.
    for there in AWAY:
        said = sentence
        if sentence.startswith("x; "):
            said = sentence.replace("x", presence.in_words("Bo", there), 1)
        said = said.replace("closedx.", "closed by Bo.").replace("allowed are x, ", "allowed are ")
        said = said.replace("told: allowed are x.", f"told: allowed are {', '.join(feedback.TOLD.values())}.")
        assert sentences.known(said), f"edge/web/sentences.py has no pattern for: {said}"


def test_what_questions_refuse_has_a_pattern() -> None:
    for answers in ({"hm": "yes"}, {"wait": "hm"}):
        assert sentences.known(str(questions.check(answers)))


def test_every_reason_and_all_news_of_a_page_have_a_pattern() -> None:
    wanted = choose.Wanted("r", "help", "shoes", "Shoes", "ca")
    roster = [
        choose.Colleague("1", "Ana", "associate", frozenset({"shoes"}), frozenset({"ca"})),
        choose.Colleague("2", "Bo", "associate", frozenset({"toys"}), open_requests=1),
        choose.Colleague("3", "Cy", "associate"),
        choose.Colleague("4", "Di", "supervisor", presence=choose.Presence.UNREACHABLE, cover="3"),
        choose.Colleague("5", "Ed", "security"),
        choose.Colleague("6", "Fi", "manager"),
    ]
    said = [c.reason for c in choose.choose(wanted, roster, ["best", "zone", "supervisors", "all"], ())]
    said += [c.reason for c in choose.choose(wanted, roster[4:], ["best", "security"], ())]
    said += [c.reason for c in choose.choose(wanted, roster[:1], ["security"], ())]
    assert said
    for reason in said:
        assert all(sentences.known(part, sentences.REASONS) for part in reason.split(", ")), reason


@pytest.mark.parametrize(
    ("english", "catalan"),
    [
        ("Bo is already coming.", "Bo ja hi va."),
        ("works in Sabates, speaks Catalan, free", "treballa a Sabates, parla català, lliure"),
        ("works in Shoes, bags, free", "treballa a Shoes, bags, lliure"),
        ("Bo cannot come: with a shopper.", "Bo no hi pot anar: amb un client."),
        (
            "Bo asks you to take over: free, by 5\nMarta",
            "Bo et demana que te’n facis càrrec: free, by 5\nMarta",
        ),
        ("A sentence of tomorrow.", "A sentence of tomorrow."),
        ("Per%cent is already coming.", "Per%cent ja hi va."),
        ("", ""),
    ],
)
def test_names_and_notes_stay_as_they_are(shop: Shop, english: str, catalan: str) -> None:
    with shop.app.test_request_context("/floor/", headers={"Cookie": f"{COOKIE}=ca"}):
        assert sentences.said_here(english) == catalan
    with shop.app.test_request_context("/manage/", headers={"Accept-Language": "ca"}):
        assert sentences.said_here(english) == english


def test_no_pattern_reads_another_ones_translation_away(shop: Shop) -> None:
    """Each pattern finds itself, whatever the language."""
    for tag in LANGUAGES:
        with shop.app.test_request_context("/floor/", headers={"Cookie": f"{COOKIE}={tag}"}):
            for pattern in sentences.PATTERNS:
                gaps = dict.fromkeys(sentences.gaps(pattern), "x")
                assert sentences.known(pattern % gaps) == pattern
