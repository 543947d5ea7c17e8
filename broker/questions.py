"""The follow-up questions that a shopper may be asked after a score: their names and those of the answers.

The sentences in each language are the kiosk's and the pages' own; on the wire there are only these names.
"""

# After a request that was answered.
OF_A_REQUEST: dict[str, tuple[str, ...]] = {
    "wait": ("short", "fair", "long"),
    "understood": ("yes", "partly", "no"),
    "manner": ("kind", "neutral", "unkind"),
}
# At the exit, of the visit as a whole.
OF_A_VISIT: dict[str, tuple[str, ...]] = {
    "found": ("yes", "partly", "no"),
    "ease": ("easy", "fair", "hard"),
    "again": ("yes", "perhaps", "no"),
}
QUESTIONS = OF_A_REQUEST | OF_A_VISIT
MOST = 2


def to_ask(of_a_request: bool, turn: int) -> list[str]:
    """The two questions of this turn; they rotate, so that each is asked equally often."""
    names = list(OF_A_REQUEST if of_a_request else OF_A_VISIT)
    return [names[(turn + step) % len(names)] for step in range(MOST)]


def check(answers: dict[str, str]) -> str | None:
    """What is wrong with these answers, in one sentence; None if nothing is."""
    for question, answer in answers.items():
        if question not in QUESTIONS:
            return f"There is no question {question!r}; known are {', '.join(QUESTIONS)}."
        if answer not in QUESTIONS[question]:
            allowed = ", ".join(QUESTIONS[question])
            return f"The answer to {question!r} is {answer!r}; allowed are {allowed}."
    return None
