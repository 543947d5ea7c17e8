"""What the rules say in English, said again in the language of whoever reads it on a phone.

Rules, pages and timelines say and keep English (decisions/005). A sentence is known here by its pattern. What
stands in its gaps - names, codes, notes - stays as it is, except the few that are words of ours themselves;
what has no pattern is shown as it was said. A test holds the patterns against the rules.
"""

import re
from functools import cache

from edge.interactions.request import DECLINE_REASONS
from edge.routing.choose import LANGUAGES
from edge.web.device_words import device_here
from edge.web.languages import gettext, language_here

# Why somebody is called: of a page's reason each part between two commas is one of these.
REASONS = (
    "works in %(place)s",
    "near enough",
    "has the whole floor",
    "speaks %(language)s",
    "answering %(number)s",
    "free",
    "stands in for %(name)s",
    "supervisor",
    "security",
    "all hands",
    "nobody better placed is here; everyone is called",
    "nobody is signed in; everyone on the roster is called",
    "manager",
    "admin",
    "this is a drill",
)
ASKED = (
    "%(name)s asks you to take over",
    "%(name)s asks you to take over: %(note)s",
    "%(name)s calls you to help",
    "%(name)s said %(age)s ago that they are coming and does not answer",
)
NEWS = (
    "%(name)s cannot come: %(why)s.",
    "%(name)s did not answer; %(owner)s stays responsible.",
    "%(name)s comes too.",
    "%(name)s has not answered; called: %(names)s.",
    "%(name)s has not answered, and nobody else can be called.",
)
REFUSED = (
    "%(name)s is already coming.",
    "%(name)s is already there.",
    "Somebody is already there.",
    "This is your own call; take it back if you need nobody any more.",
    "This request is yours; hand it over instead.",
    "%(name)s is the one who called; choose somebody else.",
    "%(name)s greets them already.",
    "%(name)s looks already.",
    "Nobody is needed to look any more.",
    "Nobody is needed to greet them any more.",
    "This request was already closed by %(name)s.",
    "This request was already closed.",
    "This request was taken back; nobody is needed any more.",
    "This request was closed as missed: nobody answered in time.",
    "Nobody has accepted this request yet.",
    "Accept this request before you close it.",
    "Choose a colleague to hand this over to.",
    "A colleague has been asked already; take it back before you ask another.",
    "You are not called for this request.",
    "A security call is taken back with its caller's own PIN only.",
    "Nobody knows who called; there is no phone to ask.",
    "This is your own call.",
    "This request is over; nobody is asked any more.",
    "Somebody watches the caller's phone; nothing is shown there.",
    "Nobody asks any more.",
    "This is a drill; nobody else is called for it.",
    "This request is closed already; call a supervisor to the place instead.",
    "No supervisor or manager is signed in on a phone; nobody was called.",
    "%(name)s is unreachable; choose somebody who is here.",
    "%(name)s is off; choose somebody who is here.",
    "%(name)s is unreachable; name somebody who is here.",
    "%(name)s is off; name somebody who is here.",
    "Say who stands in for you; nobody would be called in your place.",
    "%(codes)s is yours; close it or hand it over first.",
    "What your colleague needs to know has %(number)s signs; allowed are %(most)s.",
    "The note has %(number)s signs; allowed are %(most)s.",
    "The reason is %(said)s; allowed are %(allowed)s.",
    "The outcome is %(said)s; allowed are %(allowed)s.",
    "The zone is %(said)s; allowed are %(allowed)s.",
    "The presence is %(said)s; allowed are %(allowed)s.",
    "The break has %(said)s minutes; allowed are %(allowed)s.",
    "The language is %(said)s; allowed are %(allowed)s.",
)
TOLD = (
    "No request of the last %(days)s days has the code %(code)s; check it, or leave it empty.",
    "Say how it was told: allowed are by telephone, by letter, at the desk.",
    "Choose one of the four faces.",
    "When it was said lies in the last %(days)s days and not in the future.",
    "When is %(said)s; it looks like 2026-03-01T14:30.",
    "There is no zone %(said)s in this store.",
    "There is no question %(said)s; known are %(known)s.",
    "The answer to %(question)s is %(said)s; allowed are %(allowed)s.",
    "%(number)s questions are answered; allowed are %(most)s.",
    "The words have %(number)s signs; allowed are %(most)s.",
)
WRITTEN = (
    "The class is %(said)s; allowed are %(allowed)s.",
    "What is written has %(number)s signs; 1 to %(most)s are allowed.",
    "When it happened lies in the last %(days)s days and not in the future.",
    "The form's own number is %(said)s; load the page again.",
    "The entry to correct is %(said)s; it is a number.",
    "This entry is written already; load the page again.",
    "Nobody has asked you for an account of your own here; write a statement.",
    "Entry %(number)s was corrected by entry %(by)s already; correct that one.",
    "This incident is closed; open it again first. %(last)s",
    "The check is %(said)s; allowed here are %(allowed)s.",
)
# Where the caller of security was last, and who watches them.
CALLER = (
    "%(name)s was last with a shopper in %(place)s.",
    "%(name)s was last in %(place)s, %(age)s ago.",
    "%(name)s was on the way to %(place)s.",
    "%(name)s works in %(place)s; nothing newer is known.",
    "Nobody knows where %(name)s is; they work in %(places)s.",
    "Nobody knows where %(name)s is; they work on the whole floor.",
    "%(name)s signed in with the second PIN: somebody watches them.",
    "%(name)s typed the second PIN to take it back: somebody watches them. It goes on.",
)
# What devices said of themselves: it is their word, and no person's.
DEVICES = (
    "%(device)s reported tampering there at %(time)s: %(word)s.",
    "%(device)s says that it was tampered with: %(word)s.",
    "%(device)s says that its camera is %(word)s.",
    "%(device)s says: %(word)s",
)
# An incident that nobody adds to.
REMINDED = (
    "Incident %(number)s is open since %(opened)s, and nobody has added to it since %(added)s; its clips are "
    "kept until it is closed.",
)
PATTERNS = (*REMINDED, *CALLER, *DEVICES, *ASKED, *NEWS, *REFUSED, *TOLD, *WRITTEN)
_GAP = re.compile(r"%\((\w+)\)s")


def said_here(sentence: str) -> str:
    """The sentence, or the reason of a page, in the reader's language; unknown ones as they are."""
    if language_here() == "en" or not sentence:
        return sentence
    if found := _again(sentence, PATTERNS):
        return found
    return ", ".join(_again(part, REASONS) or part for part in sentence.split(", "))


def known(said: str, patterns: tuple[str, ...] = PATTERNS) -> str:
    """The pattern that the sentence follows; '' if there is none."""
    return next((pattern for pattern, form in _read(patterns) if form.fullmatch(said)), "")


def gaps(pattern: str) -> list[str]:
    """The names of a pattern's gaps."""
    return _GAP.findall(pattern)


def _again(said: str, patterns: tuple[str, ...]) -> str:
    for pattern, form in _read(patterns):
        if match := form.fullmatch(said):
            return gettext(pattern, **{gap: _own(gap, text) for gap, text in match.groupdict().items()})
    return ""


def _own(gap: str, text: str) -> str:
    if gap == "language":
        return gettext(text) if text in LANGUAGES.values() else text
    if gap == "word":
        return device_here(text)
    if gap == "why":
        label = next((label for label in DECLINE_REASONS.values() if label.lower() == text.lower()), "")
        said = gettext(label) if label else text
        return said[:1].lower() + said[1:]
    return text


@cache
def _read(patterns: tuple[str, ...]) -> list[tuple[str, re.Pattern[str]]]:
    """The patterns as expressions, those with the most words of their own first."""
    found = []
    for pattern in sorted(patterns, key=lambda p: -len(_GAP.sub("", p))):
        words = _GAP.split(pattern)
        parts = [f"(?P<{word}>.+?)" if n % 2 else re.escape(word) for n, word in enumerate(words)]
        found.append((pattern, re.compile("".join(parts), re.DOTALL)))
    return found
