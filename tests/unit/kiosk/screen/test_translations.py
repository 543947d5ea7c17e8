"""Everything a shopper can read, in every language."""

import re
from string import Formatter

import pytest
from babel.messages.catalog import Message

from broker.messages import CALL_TEXTS
from kiosk.screen.languages import FOLDER, TAGS, Speaker, read
from kiosk.screen.words import COUNTED, ENGLISH, LANGUAGES, OWN, PLAIN, needed

TRANSLATED = sorted(set(LANGUAGES) - {"en"})
PLURALS = {"ca": 2, "sr": 3, "it": 2, "pt": 2}


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def forms(message: Message) -> tuple[str, ...]:
    return message.string if isinstance(message.string, tuple) else (str(message.string),)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_message_is_there_and_none_that_nobody_says(language: str) -> None:
    there = {(str(m.context), m.id if isinstance(m.id, str) else m.id[0]) for m in read(language) if m.id}
    assert there == set(ENGLISH.items())


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_message_is_whole(language: str) -> None:
    catalogue = read(language)
    assert catalogue.num_plurals == PLURALS[language]
    for message in catalogue:
        if not message.id:
            continue
        key = str(message.context)
        assert not message.fuzzy, key
        assert len(forms(message)) == (PLURALS[language] if key in COUNTED else 1), key
        for form in forms(message):
            assert form and form == form.strip() and "  " not in form, key
            assert placeholders(form) == placeholders(ENGLISH[key]), key
            assert form[-1] in ".!?" or ENGLISH[key][-1] not in ".!?", key
            assert not list(message.check(catalogue)), key


def test_there_is_no_catalogue_that_no_button_chooses() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == TRANSLATED


def test_the_catalogues_are_kept_as_they_are_written_and_not_compiled() -> None:
    assert list(FOLDER.rglob("*.mo")) == []


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_key_that_is_composed_from_names_can_be_said(language: str) -> None:
    speaker = Speaker(language)
    assert speaker.language == language
    for key in needed():
        assert speaker.say(key)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("key", sorted(CALL_TEXTS))
def test_every_sentence_of_the_store_is_said_with_the_arguments_that_it_sends(
    language: str, key: str
) -> None:
    values = dict.fromkeys(CALL_TEXTS[key], "3")
    assert "{" not in Speaker(language).say(key, values)


def test_every_screen_word_is_english_that_ends_like_a_sentence_or_a_word() -> None:
    for key, words in OWN.items():
        assert words == words.strip() and re.fullmatch(r"[\x20-\x7e]+", words), key


def test_serbian_has_three_forms_of_a_number() -> None:
    speaker = Speaker("sr")
    said = [speaker.say("paging.best", {"people": number}) for number in ("1", "3", "5", "21", "12")]
    assert [sentence.split("do sada ")[1] for sentence in said] == [
        "pozvana 1 osoba.",
        "pozvane 3 osobe.",
        "pozvano 5 osoba.",
        "pozvana 21 osoba.",
        "pozvano 12 osoba.",
    ]
    assert TAGS["sr"] == "sr-Latn"


@pytest.mark.parametrize("state", sorted(PLAIN))
def test_a_text_of_a_newer_store_becomes_the_plain_sentence_of_its_state(state: str) -> None:
    speaker = Speaker("ca")
    assert speaker.say_or("coming.by.helicopter", {}, PLAIN[state]) == speaker.say(PLAIN[state])


def test_a_sentence_without_its_arguments_becomes_the_plain_one() -> None:
    assert Speaker("it").say_or("coming", {}, "coming.someone") == "Qualcuno sta arrivando."
    assert (
        Speaker("it").say_or("paging.best", {"people": "many"}, "sent") == "Il negozio ha la sua richiesta."
    )


def test_a_language_that_we_do_not_speak_is_answered_in_english() -> None:
    assert Speaker("../../sr").say("idle") == ENGLISH["idle"] == Speaker("fi").say("idle")
