"""What is installed is what was locked: each line by its hashes, and from nowhere in particular."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_line_of_every_lock_has_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    # One requirement with its hashes is one logical line.
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    wanted = [line for line in lines if not line.lstrip().startswith("#")]
    assert len(wanted) > 3 or lock.stem in ("kiosk", "hardware")
    for line in wanted:
        assert re.match(r"[a-z0-9][a-z0-9._-]*(\[[a-z0-9,-]+\])?==\S+ ", line), line[:80]
        assert HASH.search(line), line[:80]
    assert "://" not in text and " @ " not in text and "--index-url" not in text


def test_nothing_is_installed_without_its_hash() -> None:
    places = [*ROOT.glob("*.md"), ROOT / "Makefile", *(ROOT / ".ci").iterdir()]
    for folder in ("broker", "kiosk", "edge", "deploy", "tests"):
        places += [p for p in (ROOT / folder).rglob("*") if p.suffix in (".sh", ".py", ".md", ".toml")]
    found = 0
    for path in places:
        if path == Path(__file__):
            continue
        text = path.read_text(errors="replace")
        for call in re.finditer(r"\bpip['\"]?\)?,? +['\"]?(install|download)\b", text):
            found += 1
            after = text[call.start() : call.start() + 260]
            assert "--require-hashes" in after, f"{path}: {after[:80]}"
    assert found >= 4
