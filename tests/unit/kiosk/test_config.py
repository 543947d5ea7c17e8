from pathlib import Path

import pytest

import kiosk
from broker.errors import SettingsError
from kiosk import config

EXAMPLE = Path(kiosk.__file__).parent / "kiosk.example.toml"
BUTTON = '[[button]]\nname = "help"\npin = 17\naction = "help"\ntopic = "help"\n'
SMALL = f"""store = "shop"
device = "kiosk-1"
zone = "menswear"
[broker]
host = "localhost"
identity = "identity"
{BUTTON}"""


def load(tmp_path: Path, text: str) -> config.Config:
    path = tmp_path / "kiosk.toml"
    path.write_text(text)
    return config.load(path)


def test_the_example_is_a_kiosk() -> None:
    example = config.load(EXAMPLE)
    assert example.identity == EXAMPLE.parent / "identity"
    assert [b.held_s for b in example.button if b.action == "security"] == [1.5]


def test_what_is_left_out_has_its_default_and_paths_are_beside_the_file(tmp_path: Path) -> None:
    loaded = load(tmp_path, SMALL)
    assert (loaded.give_up_s, loaded.repeat_window_s, loaded.spoken) == (180, 5, "en")
    assert loaded.outbox_directory == tmp_path / "outbox"
    assert loaded.broker.port == 8883
    absolute = load(tmp_path, SMALL.replace('"identity"', '"/etc/floorbell"'))
    assert absolute.identity == Path("/etc/floorbell")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("pin = 17", "pin = 41"), "button[0].pin is 41: expected `int` <= 27"),
        (("pin = 17", 'pin = "x"'), "button[0].pin is 'x': expected `int | null`"),
        (('topic = "help"', 'topic = "pizza"'), "button[0].topic is 'pizza'; allowed are help, find-item"),
        (('action = "help"', 'action = "cancel"'), "only a button with action 'help' has a topic"),
        (('action = "help"\ntopic = "help"', 'action = "cancel"'), "at least one with action 'help'"),
        (("pin = 17", "pin = 17\nhold_s = 2"), "hold_s is 2.0; only a button with action 'security' is held"),
        (("pin = 17\n", ""), "button[0].pin is None; a button needs a pin of 0 to 27, or touch = true"),
        (("pin = 17", "pin = 17\ntouch = true"), "only a kiosk with a [screen] has keys to touch"),
        (("pin = 17", "pin = 17\nscore = 3"), "button[0].score is 3; a button with action 'smiley'"),
        (("pin = 17", "pin = 17\nlamp = 3"), "only a button with action 'smiley' has a lamp of its own"),
        (("[broker]", 'feedback_url = "x"\n[broker]'), "feedback_url is 'x'"),
        (("[broker]", f'[screen]\nsocket = "{"x" * 120}"\n[broker]'), "a path of at most 107 bytes"),
        (('store = "shop"', 'store = "Shop 1"'), "store is 'Shop 1'; allowed is 1 to 32 of a-z"),
        (('device = "kiosk-1"', 'device = "edge"'), "'edge'"),
        (('zone = "menswear"', 'zone = "menswear"\nlanguage = "ca"'), "language is 'ca'; allowed are"),
        (('zone = "menswear"', 'zone = "menswear"\ncolour = 3'), "colour is not a setting"),
        (('zone = "menswear"', ""), "zone is missing"),
        (('zone = "menswear"', 'zone = "menswear"\ngive_up_s = 5'), "give_up_s is 5: expected `int` >= 30"),
        (('host = "localhost"', 'host = "localhost"\nport = 0'), "broker.port is 0: expected `int` >= 1"),
    ],
)
def test_a_mistake_names_the_key_the_value_and_what_is_allowed(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    with pytest.raises(SettingsError) as error:
        load(tmp_path, SMALL.replace(*change))
    assert said in str(error.value)
    assert "kiosk.toml" in str(error.value) or "device" in said or "edge" in said


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("[lamp]\npin = 17\n", "lamp.pin is 17, which button[0].pin uses already"),
        ("[security]\nrelay = 17\n", "security.relay is 17, which button[0].pin uses already"),
        (
            '[security]\ntogether = ["till", "till"]\n',
            "security.together is ['till', 'till']; allowed are two",
        ),
        ("[lamp]\npin = 18\nred = 3\n", "both pin and colours"),
        ("[lamp]\nred = 3\ngreen = 4\n", "needs all of red, green and blue"),
        ("[buzzer]\npin = 17\n", "buzzer.pin is 17"),
        (BUTTON, "button[1].name is 'help'; another button has this name"),
        (BUTTON.replace('"help"\npin', '"two"\npin'), "button[1].pin is 17, which button[0].pin uses"),
        ('[[button]]\nname="s"\npin=4\naction="security"\nhold_s=9\n', "button[1].hold_s is 9: expected"),
        ('[[button]]\nname="s"\npin=4\naction="fire"\n', "button[1].action is 'fire': invalid enum value"),
    ],
)
def test_a_contradiction_is_one_sentence(tmp_path: Path, more: str, said: str) -> None:
    with pytest.raises(SettingsError) as error:
        load(tmp_path, SMALL + more)
    assert said in str(error.value)


CAMERA = '[camera]\nsource = "rtsp://camera/stream"\n'


def test_a_camera_stands_in_kiosk_toml_with_paths_beside_it(tmp_path: Path) -> None:
    loaded = load(tmp_path, SMALL + '[camera]\nsource = "film.mp4"\nloop = true\n')
    assert loaded.camera is not None and (loaded.camera.pre_s, loaded.camera.post_s) == (30, 60)
    assert loaded.camera.source == str(tmp_path / "film.mp4")
    assert loaded.camera.clips == str(tmp_path / "clips")
    assert loaded.camera_socket == loaded.outbox_directory / "camera.sock"
    network = load(tmp_path, SMALL + CAMERA).camera
    assert network is not None and network.source == "rtsp://camera/stream"


def test_the_examples_camera_can_be_used_as_it_stands(tmp_path: Path) -> None:
    _, found, camera = EXAMPLE.read_text().partition("# [camera]\n")
    lines = ["[camera]", *(line.removeprefix("# ") for line in camera.splitlines())]
    loaded = load(tmp_path, EXAMPLE.read_text() + "\n".join(lines)).camera
    assert found and loaded is not None and loaded.source == "picamera" and len(loaded.masks[0]) == 4


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("pre_s = 61", "camera.pre_s is 61"),
        ("post_s = 301", "camera.post_s is 301"),
        ('notice = "Filmed.\\nAsk us."', "camera.notice is 'Filmed.\\nAsk us.'"),
        (f'notice = "{"x" * 121}"', "camera.notice is 'xxx"),
        ("longest_s = 60", "camera.longest_s is 60; allowed is at least pre_s + post_s, 90"),
        ("loop = true", "camera.loop is True; only a video file can begin again"),
        ('on_help = ["cakes"]', "camera.on_help[0] is 'cakes'; allowed are the topics"),
        ("masks = [[[0, 0], [1, 0]]]", "camera.masks[0]"),
        ("masks = [[[0, 0], [1, 0], [1, 1.5]]]", "1.5"),
        ("lamp = 17", "camera.lamp is 17, which button[0].pin uses already"),
        ('watch = false\ngreet = "in"', "camera.greet is 'in'; only a camera with watch = true"),
        ('greet = "in"\nname = "help"', "camera.name is 'help'; something else has this name"),
        ("waiting_s = 30", "camera.waiting_s is 30; only a kiosk with a [screen] can offer help"),
        ("sound = true", "camera.sound is not a setting"),
        (f'socket = "{"x" * 120}"', "camera.socket is"),
    ],
)
def test_a_mistake_in_the_camera_is_one_sentence(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, SMALL + CAMERA + line + "\n")
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_camera_has_an_address_that_can_be_opened(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="allowed are addresses with rtsp"):
        load(tmp_path, SMALL + '[camera]\nsource = "ftp://camera"\n')
