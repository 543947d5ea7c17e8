"""What a token may do, one scope at a time, and the rules that a new token must keep. Pure."""

from collections.abc import Collection, Sequence

# Name -> what it opens, as the desk and the document of the API say it.
SCOPES: dict[str, str] = {
    "read:log": "Requests, their timelines and ratings, exports, the floor now and the live stream.",
    "read:reports": "Answers, arrivals and ratings as numbers.",
    "read:store": "People, zones, devices, policies and the changes of each.",
    "read:metrics": "Measurements for Prometheus; no names of people.",
    "read:evidence": "Clips of cameras with their custody entries and holds; not their pictures.",
    "act:evidence": "Look at clips, hold and release them, export them; each deed stands in the custody log.",
    "read:incidents": "Incidents: what was said, lost and done; not who people are.",
    "act:incidents": "Open incidents, write into them, close and reopen them for people of the store.",
    "read:drills": "Drills, the time of each hop, and their signed results.",
    "act:drills": "Run drills and set the plan of the daily one.",
    "read:outside": "What people outside the store were told, try by try; the channels, not their addresses.",
    "act:requests": "Answer pages and close requests for people of the store; type in feedback.",
    "write:people": "Add, change and disable people; new PINs and passwords; presence.",
    "write:store": "Change zones and policies, move devices and ask something of them.",
    "security": "Silent security requests too, wherever others are shown.",
    "admin": "Tokens that may do no more than this one; who has a second factor, who is signed in where.",
}
MAX_NAME = 80


def faults(name: str, scopes: Sequence[str]) -> list[str]:
    """Everything that is wrong with a new token; `name` without blanks around."""
    found = []
    if not 1 <= len(name) <= MAX_NAME:
        found.append(f"A token's name has 1 to {MAX_NAME} letters; this one has {len(name)}.")
    elif not name.isprintable():
        found.append("The name has signs that cannot be read; allowed are ordinary letters.")
    for scope in scopes:
        if scope not in SCOPES:
            found.append(f"The scope is {scope[:40]!r}; allowed are {', '.join(SCOPES)}.")
    if not scopes:
        found.append(f"The token may do nothing; choose at least one of {', '.join(SCOPES)}.")
    return found


def why_not_give(scopes: Collection[str], held: Collection[str]) -> str | None:
    """Against a new token with `scopes`, asked for by a token that has `held`."""
    more = [scope for scope in scopes if scope not in held]
    return f"This token may not give what it does not have: {', '.join(more)}." if more else None
