"""A disk whose power can be cut: every step is written down, and the disk after a cut is made anew."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kiosk.keeper.files import Files


@dataclass(frozen=True)
class Step:
    """One step, and what it does below another root. `barrier`: what came before it is on the disk then."""

    name: str
    again: Callable[[Path], object]
    barrier: bool = False
    created: Path | None = None
    synced: Path | None = None


class Recorder(Files):
    """Does everything for real below `root`, and writes it down."""

    def __init__(self, root: Path) -> None:
        self.root, self.steps = root, list[Step]()

    def _note(self, name: str, again: Callable[[Path], object], **more: object) -> None:
        self.steps.append(Step(name, again, **more))  # type: ignore[arg-type]

    def create(self, path: Path, content: bytes) -> None:
        super().create(path, content)
        at = path.relative_to(self.root)
        self._note(f"create {at}", lambda root: Files().create(root / at, content), created=at)

    def symlink(self, link: Path, target: str) -> None:
        super().symlink(link, target)
        at = link.relative_to(self.root)
        self._note(f"symlink {at}", lambda root: Files().symlink(root / at, target))

    def rename(self, old: Path, new: Path) -> None:
        super().rename(old, new)
        one, other = old.relative_to(self.root), new.relative_to(self.root)
        self._note(f"rename {other}", lambda root: Files().rename(root / one, root / other))

    def delete(self, path: Path) -> None:
        super().delete(path)
        at = path.relative_to(self.root)
        self._note(f"delete {at}", lambda root: Files().delete(root / at))

    def sync(self, path: Path) -> None:
        super().sync(path)
        at = path.relative_to(self.root)
        self._note(f"sync {at}", lambda root: None, synced=at)

    def sync_directory(self, path: Path) -> None:
        super().sync_directory(path)
        self._note(f"sync directory {path.name}", lambda root: None, barrier=True)

    def sync_all(self, path: Path) -> None:
        super().sync_all(path)
        self._note("sync all", lambda root: None, barrier=True)

    def make_directory(self, path: Path) -> None:
        super().make_directory(path)
        at = path.relative_to(self.root)
        self._note(f"make {at}", lambda root: Files().make_directory(root / at))

    def empty(self, path: Path, but: str) -> None:
        """Entry by entry: a cut may come in the middle."""
        at = path.relative_to(self.root)
        for entry in sorted(path.rglob("*"), reverse=True):
            if entry.name != but:
                below = entry.relative_to(self.root)
                self._note(f"empty {below}", lambda root, below=below: _remove(root / below))
        super().empty(path, but)
        self._note(f"empty {at}", lambda root: Files().empty(root / at, but))

    def put(self, path: Path, content: bytes) -> None:
        """A file of a release, as the installer writes it: not synced by itself."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        at = path.relative_to(self.root)
        self._note(f"put {at}", lambda root: _put(root / at, content), created=at)


def cuts(before: Path, steps: list[Step], folder: Path) -> Iterator[tuple[str, Path]]:
    """Every state that the disk can be in after a cut, beginning from a copy of `before`: of what came after
    the last barrier any number of the first steps is there, and a file that was not synced may be empty."""
    for done in range(len(steps) + 1):
        barriers = [number for number, step in enumerate(steps[:done], 1) if step.barrier]
        for kept in range(barriers[-1] if barriers else 0, done + 1):
            for torn in (False, True):
                state = folder / "cut"
                shutil.rmtree(state, ignore_errors=True)
                shutil.copytree(before, state, symlinks=True)
                for step in steps[:kept]:
                    step.again(state)
                if torn and not _tear(state, steps[:done], kept):
                    continue
                yield f"cut after {done} steps, {kept} of them kept{', torn' if torn else ''}", state


def _tear(state: Path, done: list[Step], kept: int) -> bool:
    """Empty what was written and not synced; whether there was anything."""
    torn = False
    for number, step in enumerate(done[:kept]):
        if step.created is None:
            continue
        later = done[number:]
        safe = any(s.synced == step.created or s.name == "sync all" for s in later)
        path = state / step.created
        if not safe and path.is_file():
            path.write_bytes(b"")
            torn = True
    return torn


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        path.rmdir() if not any(path.iterdir()) else None
    else:
        path.unlink(missing_ok=True)


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
