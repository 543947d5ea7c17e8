import pytest

from broker.questions import QUESTIONS
from kiosk.display import State
from kiosk.screen import scene
from kiosk.screen.messages import Asking, Filming, Key
from kiosk.screen.scene import MARKS, Scene
from tests.rig.panel import HELP, OPEN, a_view

NOW_S = 1000.0


def shown(**more: object) -> Scene:
    return scene.of(a_view(**more), NOW_S)


def touches(drawn: Scene) -> list[tuple[str, str]]:
    return [(button.what, button.key or button.value) for button in drawn.keys]


def test_every_state_of_the_lamp_has_a_mark_and_can_be_drawn_in_every_language() -> None:
    assert set(MARKS) == set(State)
    for state in State:
        for language in ("en", "ca", "sr", "it", "pt"):
            assert shown(state=state.value, text="", language=language).sentence


def test_who_comes_is_named_large_beside_the_code_and_the_time() -> None:
    drawn = shown(
        state="on_the_way",
        text="coming",
        args={"name": "Marta"},
        name="Marta",
        reference="K7F-2QD",
        since_s=NOW_S - 65,
        keys=OPEN,
        language="ca",
    )
    assert (drawn.name, drawn.sentence, drawn.code, drawn.age_s) == (
        "Marta",
        "Marta ve cap aquí.",
        "K7F-2QD",
        65,
    )
    assert [step.reached for step in drawn.steps] == [True, True, True, False]


def test_a_name_too_long_to_stand_large_is_in_the_sentence_alone() -> None:
    names = ["Marta", "Maria del Carme", "Maria del Carme Puigdomènech"]
    drawn = [shown(state="here", text="here", args={"name": name}, name=name, keys=OPEN) for name in names]
    assert [(each.name, each.name_size) for each in drawn[:2]] == [
        ("Marta", "short"),
        ("Maria del Carme", "long"),
    ]
    assert (drawn[2].name, drawn[2].sentence) == ("", "Maria del Carme Puigdomènech is here.")


def test_what_is_only_saved_here_claims_no_step_of_the_way() -> None:
    drawn = shown(state="saved", text="saved", keys=OPEN)
    assert drawn.steps and not any(step.reached for step in drawn.steps)


def test_an_open_request_offers_only_what_belongs_to_it() -> None:
    assert touches(shown(state="sent", text="sent", keys=[*HELP, *OPEN])) == [
        ("key", "cancel"),
        ("key", "here"),
    ]


def test_a_store_that_went_silent_keeps_the_cancel_key_and_shows_no_step() -> None:
    drawn = shown(state="unreachable", text="silent", args={"seconds": "40"}, keys=[*HELP, *OPEN])
    assert touches(drawn) == [("key", "cancel"), ("key", "here")] and drawn.steps == ()


def test_at_rest_no_time_runs_and_nobody_is_named() -> None:
    drawn = shown(name="Marta", since_s=10.0)
    assert drawn.age_s is None and drawn.name == "" and drawn.state_word == ""


def test_declined_help_is_offered_again_and_can_be_put_away() -> None:
    drawn = shown(offer=True, language="pt")
    assert drawn.offer == "Deseja ajuda agora?" and ("dismiss", "") in touches(drawn)


def test_a_greeting_stands_beside_the_sentence() -> None:
    drawn = shown(note="greet.3", language="it")
    assert drawn.note == "Salve! Dia pure un’occhiata." and drawn.sentence.startswith("Prema")


def test_a_score_is_asked_for_with_four_faces_and_the_time_that_is_left() -> None:
    asking = Asking(request="r", code="K7F-2QD", link="https://shop/f/x", ends_s=NOW_S + 41)
    drawn = shown(state="resolved", text="resolved", asking=asking)
    assert [value for what, value in touches(drawn) if what == "score"] == ["4", "3", "2", "1"]
    assert (drawn.mode, drawn.left_s, drawn.note) == ("ask", 41, "Done. Thank you.")
    assert (drawn.link, drawn.link_code) == ("https://shop/f/x", "K7F-2QD")
    assert drawn.sentence == "How was the help you got?"


def test_a_visit_is_asked_about_as_a_visit_beside_the_thanks_at_the_exit() -> None:
    drawn = shown(text="feedback.ask", note="thanks.2", asking=Asking())
    assert (drawn.sentence, drawn.note) == ("How was your visit?", "Thanks for your visit. See you soon.")


@pytest.mark.parametrize("question", sorted(QUESTIONS))
def test_each_question_offers_its_own_answers(question: str) -> None:
    drawn = shown(text="feedback.saved", asking=Asking(score=2, questions=[question, "wait"]))
    answers = [(b.question, b.value) for b in drawn.keys if b.what == "answer"]
    assert answers == [(question, answer) for answer in QUESTIONS[question]]
    assert drawn.note == "Your answer is saved here and is being sent."


def test_thanks_say_only_as_much_as_is_known() -> None:
    said = [
        shown(text=text, asking=Asking(score=4)).sentence
        for text in ("feedback.saved", "feedback.thanks", "idle")
    ]
    assert said == [
        "Your answer is saved here and is being sent.",
        "The store has your answer. Thank you.",
        "Thank you for your answer.",
    ]


def test_a_question_of_a_newer_kiosk_is_passed_over() -> None:
    assert shown(asking=Asking(score=4, questions=["colour"])).mode == "thanks"


def test_a_new_request_is_shown_before_any_question() -> None:
    assert shown(state="saved", text="saved", keys=OPEN, asking=Asking()).mode == "open"


def test_a_topic_of_a_newer_kiosk_is_still_a_key() -> None:
    drawn = shown(keys=[Key("drone", "help", "drone")])
    assert [button.label for button in drawn.keys] == ["Help"]


def test_without_the_panel_every_language_says_so_and_nothing_can_be_touched() -> None:
    drawn = scene.lost("ca", ["en", "ca", "it"])
    assert drawn.sentence == "Aquesta pantalla ha perdut la connexió amb el quiosc."
    assert [tag for tag, _, _ in drawn.lost_words] == ["en", "it"]
    assert drawn.keys == () and drawn.languages == ()


def test_of_a_camera_only_what_is_known_is_said() -> None:
    assert shown().notice is None

    def said(*filming: object, language: str = "en") -> str:
        notice = shown(filming=Filming(*filming), language=language).notice  # type: ignore[arg-type]
        assert notice is not None
        return notice.full

    assert said() == said(False, 30, "All is filmed.") == "There is a camera here."
    assert said(True, 30) == (
        "This place is filmed. The last 30\u00a0s are in memory; they are stored only after a call."
    )
    assert said(True, 0) == "This place is filmed. Pictures are stored only after a call."
    assert said(True, 30, "All is filmed.", language="it") == "All is filmed."
    assert said(True, 30, language="it").startswith("Questo luogo viene filmato. Gli ultimi 30\u00a0s")
