"""A key and its values as a sentence in the shopper's language.

The catalogues are .po files in translations/, turned into look-up tables in memory at first use, so that no
generated file has to be kept. Every message has its key as its context.
"""

import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from babel.core import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from kiosk.screen.words import COUNTED, ENGLISH

FOLDER = Path(__file__).parent / "translations"
# As the browser is told: Serbian is written here in Latin letters.
TAGS = {"sr": "sr-Latn"}


def read(language: str) -> Catalog:
    """The catalogue as it is written."""
    with (FOLDER / language / "messages.po").open("rb") as file:
        return read_po(file, locale=Locale.parse(TAGS.get(language, language), sep="-"), abort_invalid=True)


@cache
def _table(language: str) -> NullTranslations:
    if language == "en" or not (FOLDER / language / "messages.po").exists():
        return NullTranslations()
    table = io.BytesIO()
    write_mo(table, read(language))
    table.seek(0)
    return Translations(table)


class Speaker:
    """Says keys in one language; in English where the language is not one of ours."""

    def __init__(self, language: str) -> None:
        self.language = language if (FOLDER / language / "messages.po").exists() else "en"
        self.tag = TAGS.get(self.language, self.language)
        self._table = _table(self.language)

    def say(self, key: str, args: Mapping[str, str] | None = None) -> str:
        """KeyError or ValueError if there is no such key, or `args` lacks what its sentence needs."""
        english, values = ENGLISH[key], dict(args or {})
        counted = COUNTED.get(key)
        if counted is None:
            sentence = self._table.pgettext(key, english)
        else:
            sentence = self._table.npgettext(key, english, english, int(values[counted]))
        # A number and its unit stay on one line.
        return str(sentence).replace("{seconds} s", "{seconds}\u00a0s").format_map(values)

    def say_or(self, key: str, args: Mapping[str, str], otherwise: str) -> str:
        """As say(), but what `otherwise` says where that fails: never an error on a display."""
        try:
            return self.say(key, args)
        except (KeyError, ValueError, IndexError):
            return self.say(otherwise)
