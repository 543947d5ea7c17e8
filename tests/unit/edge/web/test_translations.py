"""Everything that can be read on the pages, in every language."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message

from edge.web import extraction
from edge.web.languages import FOLDER, LANGUAGES, TAGS, catalogue, read

TRANSLATED = sorted(set(LANGUAGES) - {"en"})
PLURALS = {"ca": 2, "sr": 3, "it": 2, "pt": 2}
Key = tuple[str | None, str]


def messages(of: Catalog) -> dict[Key, Message]:
    return {(m.context, m.id if isinstance(m.id, str) else m.id[0]): m for m in of if m.id}


def forms(message: Message) -> tuple[str, ...]:
    return tuple(message.string) if isinstance(message.string, list | tuple) else (str(message.string),)


def placeholders(sentence: str) -> list[str]:
    """Every '%…' in it; a bare one would break the page that says it."""
    return sorted(re.findall(r"%(?:\(\w+\)[sd]|%|.?)", sentence))


@pytest.fixture(scope="module")
def said() -> dict[Key, Message]:
    return messages(extraction.said())


def test_the_pages_say_something_to_translate(said: dict[Key, Message]) -> None:
    assert (None, "How was the help you got?") in said and ("wait", "Too long") in said


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_message_of_the_pages_is_there_and_none_that_no_page_says(
    language: str, said: dict[Key, Message]
) -> None:
    written = read(language)
    assert set(messages(written)) == set(said)
    assert not written.obsolete
    assert "#~" not in (FOLDER / language / "messages.po").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_message_is_whole(language: str, said: dict[Key, Message]) -> None:
    written = read(language)
    assert written.num_plurals == PLURALS[language]
    for key, message in messages(written).items():
        assert not message.fuzzy, key
        assert len(forms(message)) == (PLURALS[language] if said[key].pluralizable else 1), key
        for form in forms(message):
            assert form and form == form.strip() and "  " not in form, key
            # One form of a number may say 'one' in words.
            there, wanted = set(placeholders(form)), set(placeholders(key[1]))
            assert there == wanted or (said[key].pluralizable and there < wanted | {"%(num)d"}), key
            assert form[-1] in ".!?…" or key[1][-1] not in ".!?…", key
        assert not list(message.check(written)), key


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_files_are_as_the_command_leaves_them(language: str) -> None:
    written = (FOLDER / language / "messages.po").read_text(encoding="utf-8")
    assert written == extraction.completed(language), "Run `make messages`, then translate what is new."


def test_there_is_no_catalogue_that_nobody_can_choose_and_none_is_compiled() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == TRANSLATED
    assert list(FOLDER.rglob("*.mo")) == []


def test_each_language_is_spoken_and_english_is_as_written() -> None:
    said = {tag: catalogue(tag).pgettext("understood", "Partly") for tag in LANGUAGES}
    assert said == {"en": "Partly", "ca": "En part", "sr": "Delimično", "it": "In parte", "pt": "Em parte"}
    assert TAGS == {"sr": "sr-Latn", "pt": "pt-PT"}


def test_no_template_gives_a_variable_to_what_marks_it_as_safe() -> None:
    """_() takes its sentence for markup; a topic that a device named must not become one."""
    pages = Path(extraction.__file__).parent / "templates"
    for path in pages.rglob("*.html"):
        assert re.findall(r"(?<!\w)p?n?(?:_|gettext)\((?![\"'])", path.read_text(encoding="utf-8")) == [], (
            path
        )
