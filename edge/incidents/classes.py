"""What an incident can be, what is to be thought of then, and what it can end with: tables, by their keys."""

CLASSES: dict[str, str] = {
    "threat": "Threat",
    "theft": "Theft",
    "assault": "Assault",
    "injury": "Injury",
    "damage": "Damage",
    "complaint": "Complaint about staff",
    "other": "Something else",
}

CHECKS: dict[str, str] = {
    "everyone-safe": "Everyone is safe",
    "police-called": "Police called",
    "ambulance-called": "Ambulance called",
    "first-aid": "First aid given",
    "place-secured": "Place secured or closed off",
    "stock-checked": "Stock checked",
    "till-checked": "Till counted",
    "witnesses-asked": "Witnesses asked to stay or to leave a word",
    "pictures-taken": "Pictures taken of the damage or the place",
    "manager-told": "Manager told",
    "shopper-answered": "Shopper answered",
    "account-asked": "The associate's own account asked for",
    "care-offered": "Care offered to those concerned",
}

# What is to be thought of, in the order in which it matters.
CHECKLISTS: dict[str, tuple[str, ...]] = {
    "threat": ("everyone-safe", "police-called", "witnesses-asked", "manager-told", "care-offered"),
    "theft": ("everyone-safe", "stock-checked", "till-checked", "witnesses-asked", "police-called"),
    "assault": (
        "everyone-safe", "police-called", "ambulance-called", "first-aid", "witnesses-asked", "manager-told",
        "care-offered",
    ),
    "injury": (
        "first-aid", "ambulance-called", "place-secured", "pictures-taken", "witnesses-asked", "manager-told",
    ),
    "damage": ("place-secured", "pictures-taken", "stock-checked", "witnesses-asked", "manager-told"),
    "complaint": ("shopper-answered", "account-asked", "witnesses-asked", "manager-told"),
    "other": ("everyone-safe", "witnesses-asked", "manager-told"),
}  # fmt: skip

OUTCOMES: dict[str, str] = {
    "police": "Handed to the police",
    "insurer": "Handed to the insurer",
    "settled": "Settled in the store",
    "complaint-upheld": "The complaint was right",
    "complaint-rejected": "The complaint was not right",
    "unresolved": "Nobody was found",
    "false-alarm": "False alarm",
}
# The one end that needs no word of what happened.
NOTHING_HAPPENED = "false-alarm"

ROLES: dict[str, str] = {
    "shopper": "Shopper",
    "witness": "Witness",
    "associate": "Associate",
    "unknown": "Not known",
}


def class_for(kind: str, topic: str | None) -> str:
    """What an incident is taken for until somebody says otherwise, by the interaction that it came from.

    The topic of a security request is the gesture that raised it.
    """
    if kind == "security":
        return "damage" if topic == "tamper" else "threat"
    return {"tamper": "damage", "feedback": "complaint"}.get(kind, "other")
