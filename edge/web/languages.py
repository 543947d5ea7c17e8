"""The pages in the language of whoever reads them: gettext catalogues, read as they are written.

The catalogues are .po files in translations/; they are turned into look-up tables in memory at first use,
so that no generated file has to be kept. `make messages` puts what is new into them (extraction.py).
"""

import io
from functools import cache
from pathlib import Path

from babel.core import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, g, has_request_context, request

# PRODUCT 8.
LANGUAGES = ("en", "ca", "sr", "it", "pt")
FOLDER = Path(__file__).parent / "translations"


# As the browser is told: Serbian is written here in Latin letters, and Portuguese is Portugal's.
TAGS = {"sr": "sr-Latn", "pt": "pt-PT"}


def read(language: str) -> Catalog:
    """The catalogue as it is written; an empty one if it is not."""
    locale = Locale.parse(TAGS.get(language, language), sep="-")
    path = FOLDER / language / "messages.po"
    if not path.exists():
        return Catalog(locale=locale)
    with path.open("rb") as file:
        return read_po(file, locale=locale, abort_invalid=True)


@cache
def catalogue(language: str) -> NullTranslations:
    """The translations into one of LANGUAGES; English is what the templates themselves say."""
    if language == "en":
        return NullTranslations()
    table = io.BytesIO()
    write_mo(table, read(language))
    table.seek(0)
    return Translations(table)


def language_here() -> str:
    """The reader's language: what they chose, their own, what their browser asks for, English."""
    if not has_request_context():
        return "en"
    chosen = request.args.get("language", "")
    if chosen in LANGUAGES:
        return chosen
    if g.get("spoken") in LANGUAGES:
        return str(g.spoken)
    sign_in = g.get("sign_in")
    if sign_in is not None:
        own = [tag.split("-")[0] for tag in sign_in.person.languages]
        return next((tag for tag in own if tag in LANGUAGES), "en")
    # 'it-CH' before 'en': werkzeug's own best match would take the exact one.
    asked = [tag.split("-")[0] for tag, quality in request.accept_languages if quality > 0]
    return next((tag for tag in asked if tag in LANGUAGES), "en")


def gettext(sentence: str, **values: object) -> str:
    """A sentence in the reader's language; `%(name)s` in it stands for `values`."""
    said = catalogue(language_here()).gettext(sentence)
    return said % values if values else said


def ngettext(one: str, many: str, number: int, **values: object) -> str:
    """As gettext, in the form that fits `number`, which is also `%(num)d`."""
    return catalogue(language_here()).ngettext(one, many, number) % {"num": number, **values}


def install(app: Flask) -> None:
    """`_('…')`, `ngettext` and `{% trans %}` in templates."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=lambda sentence: catalogue(language_here()).gettext(sentence),
        ngettext=lambda one, many, number: catalogue(language_here()).ngettext(one, many, number),
        newstyle=True,
        pgettext=lambda context, sentence: catalogue(language_here()).pgettext(context, sentence),
    )
    app.jinja_env.globals["language_here"] = language_here
    app.jinja_env.globals["language_tag"] = lambda: TAGS.get(language_here(), language_here())
