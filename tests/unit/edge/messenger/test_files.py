"""A channel's own file: readable by its owner alone, checked at each try, and never quoted."""

from pathlib import Path

import pytest

from edge.messenger import files
from edge.messenger.files import FileFault
from edge.outside.channels import Channel
from tests.rig.receiver import KEY, SECRET

from .conftest import secret_file

HOOK = Channel("guards", "webhook", "guards.toml")
SHOUT = Channel("boss", "apprise", "boss.txt")
GOOD = f'url = "https://guard.example/in?a=1"\nsecret = "{SECRET}"\n'


def test_a_webhooks_file_is_its_address_and_its_key(tmp_path: Path) -> None:
    secret_file(tmp_path, "guards.toml", GOOD)
    found = files.endpoint(tmp_path, HOOK)
    assert (found.scheme, found.host, found.port, found.path) == ("https", "guard.example", 443, "/in?a=1")
    assert found.key == KEY and SECRET not in repr(found) and "guard.example" not in repr(found)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_not_used(tmp_path: Path, mode: int) -> None:
    (tmp_path / secret_file(tmp_path, "guards.toml", GOOD)).chmod(mode)
    with pytest.raises(FileFault, match=r"may be read by others .* chmod 600"):
        files.endpoint(tmp_path, HOOK)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "two lines are needed|url = and secret ="),
        ("secret-word = [", "is not TOML"),
        ('url = "https://secret-word.example"\n', "url = and secret ="),
        (GOOD + 'more = "secret-word"\n', "url = and secret ="),
        (GOOD.replace("https", "http"), "allowed is https://, or set allow_private"),
        (GOOD.replace("https", "ftp"), "its url is none"),
        (GOOD.replace("guard", "secret-word:secret-word@guard"), "its url is none"),
        (GOOD.replace("/in", ":0/in"), "its url is none"),
        (GOOD.replace("/in", "/secret-word\\r\\nX: y"), "its url is none"),
        (GOOD.replace("whsec_", "secret-word"), "its secret is none"),
        ('url = "https://guard.example"\nsecret = "whsec_c2hvcnQ="\n', "its secret is none"),
    ],
)
def test_what_is_wrong_is_named_without_what_stands_there(tmp_path: Path, text: str, words: str) -> None:
    secret_file(tmp_path, "guards.toml", text)
    with pytest.raises(FileFault, match=words) as caught:
        files.endpoint(tmp_path, HOOK)
    assert "secret-word" not in str(caught.value) and "guard.example/in" not in str(caught.value)


def test_a_file_that_is_no_file_is_named_and_waited_for_by_nobody(tmp_path: Path) -> None:
    import os

    with pytest.raises(FileFault, match="cannot be read: No such file"):
        files.addresses(tmp_path, SHOUT)
    os.mkfifo(tmp_path / "boss.txt", 0o600)
    with pytest.raises(FileFault, match="is no file"):
        files.addresses(tmp_path, SHOUT)


def test_an_apprise_file_has_an_address_a_line(tmp_path: Path) -> None:
    secret_file(tmp_path, "boss.txt", "# the boss\nmailto://a:b@example.org\n\n  json://x.example/\n")
    assert files.addresses(tmp_path, SHOUT) == ["mailto://a:b@example.org", "json://x.example/"]
    assert files.parts(tmp_path, SHOUT) == 2 and files.fault(tmp_path, SHOUT) is None
    secret_file(tmp_path, "boss.txt", "json://x.example/\nsecret-word\n")
    fault = files.fault(tmp_path, SHOUT)
    assert fault is not None and "address 2" in fault and "secret-word" not in fault
    assert files.parts(tmp_path, SHOUT) == 1
