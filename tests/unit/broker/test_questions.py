"""The follow-up questions."""

from collections import Counter

from broker.questions import OF_A_REQUEST, OF_A_VISIT, check, to_ask


def test_every_question_is_asked_equally_often_and_never_twice_at_once() -> None:
    for of_a_request, bank in ((True, OF_A_REQUEST), (False, OF_A_VISIT)):
        asked = Counter(name for turn in range(3 * len(bank)) for name in to_ask(of_a_request, turn))
        assert set(asked) == set(bank) and len(set(asked.values())) == 1
        assert all(len(set(to_ask(of_a_request, turn))) == 2 for turn in range(9))


def test_an_unknown_question_or_answer_is_named_with_what_is_allowed() -> None:
    assert check({"wait": "short", "again": "no"}) is None
    assert "known are" in (check({"colour": "red"}) or "")
    assert check({"wait": "blue"}) == "The answer to 'wait' is 'blue'; allowed are short, fair, long."
