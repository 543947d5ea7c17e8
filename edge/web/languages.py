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
from werkzeug.wrappers import Response

# PRODUCT 8.
LANGUAGES = ("en", "ca", "sr", "it", "pt")
FOLDER = Path(__file__).parent / "translations"
# decisions/005: whoever manages reads English.
ENGLISH = ("/manage", "/api")
COOKIE = "floorbell_language"
_YEAR_S = 365 * 24 * 3600


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
    """The reader's language: what they chose, that of their request, what their browser asks for, English."""
    if not has_request_context() or request.path.startswith(ENGLISH):
        return "en"
    for known in (request.args.get("language"), request.cookies.get(COOKIE), g.get("spoken")):
        if known in LANGUAGES:
            return str(known)
    # 'it-CH' before 'en': werkzeug's own best match would take the exact one.
    asked = [tag.split("-")[0] for tag, quality in request.accept_languages if quality > 0]
    return next((tag for tag in asked if tag in LANGUAGES), "en")


def tag_of(language: str = "") -> str:
    """One of LANGUAGES, the reader's if none is named, as a browser knows it."""
    language = language or language_here()
    return TAGS.get(language, language)


def keep_language(response: Response, language: str, secure: bool) -> None:
    """This phone's pages of the floor are in one of LANGUAGES from now on."""
    response.set_cookie(
        COOKIE, language, max_age=_YEAR_S, path="/floor", httponly=True, samesite="Lax", secure=secure
    )


def gettext(sentence: str, **values: object) -> str:
    """A sentence in the reader's language; `%(name)s` in it stands for `values`."""
    said = catalogue(language_here()).gettext(sentence)
    return said % values if values else said


def word_here(word: str, context: str | None = None) -> str:
    """A word or sentence out of a table. In templates variables go through this filter, never through _():
    what _() says is taken for markup as it is."""
    if not word:
        return ""
    table = catalogue(language_here())
    return str(table.pgettext(context, word) if context else table.gettext(word))


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
    app.jinja_env.filters["word_here"] = word_here
    app.jinja_env.globals["language_here"] = language_here
    app.jinja_env.globals["language_tag"] = tag_of
