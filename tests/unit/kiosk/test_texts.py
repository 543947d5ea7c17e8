import re
from pathlib import Path

import pytest

import kiosk
from broker.messages import CALL_TEXTS
from kiosk import texts


@pytest.mark.parametrize("key", sorted(CALL_TEXTS))
def test_every_text_of_the_store_has_a_sentence_with_its_own_arguments(key: str) -> None:
    args = {name: name.upper() for name in CALL_TEXTS[key]}
    sentence = texts.say(key, args)
    assert sentence.endswith(".") and "{" not in sentence
    assert set(re.findall(r"\{(\w+)\}", texts.SENTENCES[key])) <= set(args)


def test_every_text_that_the_kiosk_says_itself_has_a_sentence() -> None:
    source = "".join((Path(kiosk.__file__).parent / name).read_text() for name in ("request.py", "calls.py"))
    said = set(re.findall(r'"([a-z_]+(?:\.[a-z_]+)+)"', source))
    assert said and said <= set(texts.SENTENCES)


def test_a_text_of_a_newer_store_or_without_its_arguments_never_raises() -> None:
    assert texts.say("coming.by.helicopter", {}) == "coming.by.helicopter"
    assert texts.say("paging.best", {}) == "paging.best"
