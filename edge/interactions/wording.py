"""The words of a search: the same in what is sought and in what is searched. Pure.

Both databases get words that are already small letters without accents, so that they cannot differ in it:
'Sàbates' is 'sabates', 'Đorđe' is 'dorde'.
"""

import re
import unicodedata
from collections.abc import Iterable

# Letters whose accent is part of them (Unicode does not take them apart).
_WHOLE = str.maketrans({"đ": "d", "Đ": "d", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "ı": "i"})
_WORD = re.compile(r"[^\W_]+")
LONGEST_WORD = 64
MOST_SOUGHT = 8


def folded(text: str) -> str:
    """Small letters without accents."""
    apart = unicodedata.normalize("NFKD", text.translate(_WHOLE))
    return "".join(sign for sign in apart if not unicodedata.combining(sign)).casefold()


def words(text: str) -> list[str]:
    """The words of a text, each once, in the order in which they first stand there."""
    return list(dict.fromkeys(word[:LONGEST_WORD] for word in _WORD.findall(folded(text))))


def document(parts: Iterable[str | None]) -> str:
    """What can be found of an interaction: all its words, with one space between them."""
    return " ".join(words("\n".join(part for part in parts if part)))


def sought(text: str) -> list[str]:
    """The beginnings of words that must all be there. Empty for a text that holds no letter or digit."""
    return words(text)[:MOST_SOUGHT]
