"""What the pages say, taken from their templates and views, for the translators.

    python -m edge.web.extraction

puts every sentence that is new into translations/*/messages.po, without words yet, and takes out those that
no page says any more. A test fails until each one has its words.
"""

import io
from itertools import chain
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from edge.handling import feedback
from edge.incidents.classes import CHECKS, CLASSES, ROLES
from edge.interactions.request import DECLINE_REASONS, OUTCOMES
from edge.routing.choose import LANGUAGES as SPOKEN
from edge.web import device_words, refusals, sentences, told, words
from edge.web.floor import calling, looks, quiet
from edge.web.languages import FOLDER, LANGUAGES, read

_PAGES = Path(__file__).parent
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
# As an answer to one question a word may need another form than to the next: pgettext('wait', 'Short').
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
_OPTIONS = {"templates/**.html": {"trimmed": "true", "newstyle_gettext": "true"}}
# What stands in tables instead of in the pages themselves.
_TABLES = (
    [words.KINDS["help"]],
    words.TOPICS.values(),
    words.ROLES.values(),
    words.PRESENCES.values(),
    words.TROUBLES.values(),
    words.EYES.values(),
    OUTCOMES.values(),
    DECLINE_REASONS.values(),
    SPOKEN.values(),
    told.QUESTIONS.values(),
    looks.SAID.values(),
    CLASSES.values(),
    CHECKS.values(),
    ROLES.values(),
    feedback.TOLD.values(),
    sentences.PATTERNS,
    sentences.REASONS,
    device_words.WORDS,
    refusals.TITLES.values(),
    refusals.SENTENCES,
    quiet.SENTENCES,
    calling.SENTENCES,
)
_HEADER = """# What shoppers and staff can read on the pages. `make messages` keeps it complete.
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural_forms}\\n"

"""


def said() -> Catalog:
    """Every message of the pages, without words."""
    found = Catalog()
    for _, _, sentence, _, context in extract_from_dir(
        _PAGES, _METHODS, _OPTIONS, _KEYWORDS, comment_tags=(), strip_comment_tags=True
    ):
        found.add(sentence, context=context)
    for sentence in chain(*_TABLES):
        found.add(sentence)
    for question, answers in told.ANSWERS.items():
        for answer in answers.values():
            found.add(answer, context=question)
    return found


def completed(language: str) -> str:
    """The file of one language with all that the pages say, and nothing else."""
    catalogue = read(language)
    catalogue.update(said(), no_fuzzy_matching=True)
    text = io.BytesIO()
    write_po(text, catalogue, width=110, no_location=True, omit_header=True, ignore_obsolete=True)
    head = _HEADER.format(language=language, plural_forms=catalogue.plural_forms)
    return head + text.getvalue().decode().strip() + "\n"


def main() -> None:
    for language in LANGUAGES:
        if language == "en":
            continue
        path = FOLDER / language / "messages.po"
        path.parent.mkdir(exist_ok=True)
        path.write_text(completed(language), encoding="utf-8")
        print(
            f"{language}: {sum(not message.string for message in read(language) if message.id)} without words"
        )


if __name__ == "__main__":
    main()
