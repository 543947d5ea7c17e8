"""The copy for one person, from real video: what a box covers is gone in every picture, the rest stays.

The sealed master is not touched."""

import threading
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import av
import numpy as np

from edge.evidence import copies
from edge.evidence.copies import Copy
from edge.evidence.masks import Key, Masks, Mode, Track
from tests.rig import film, shelf
from tests.unit.edge.evidence.test_copies import pictures, pictures_of, written

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
WIDTH, HEIGHT, GREY = 640, 360, 72
WALKS = (Key(0, 100, 200, 150, 400), Key(2000, 700, 300, 150, 400))


def covered(tmp_path: Path, video: bytes, seconds: float, masks: Masks) -> Copy:
    files, folder = shelf.folder(tmp_path), tmp_path / "work"
    folder.mkdir()
    clip = shelf.put(files, video, seconds)
    made = copies.copy(clip, files, folder, lambda: NOW, threading.Event(), masks)
    for digest in (clip.sha256, clip.manifest_sha256):
        assert sha256(files.sealed(digest).read_bytes()).hexdigest() == digest
    assert made.trouble is None and made.stills == []
    return made


def inside(number: int) -> tuple[slice, slice]:
    """Where the box of WALKS stands in this picture, by hand, without its margin."""
    by = min(1.0, number / 20)
    left, top = 0.1 + 0.6 * by, 0.2 + 0.1 * by
    return (
        slice(round(top * HEIGHT), round((top + 0.4) * HEIGHT)),
        slice(round(left * WIDTH), round((left + 0.15) * WIDTH)),
    )


def test_what_a_box_covers_is_gone_in_every_picture_and_the_rest_stays(tmp_path: Path) -> None:
    master = film.fragmented(3, WIDTH, HEIGHT, grain=30)
    made = covered(tmp_path, master, 3, Masks(Mode.OTHERS, (Track(WALKS),)))
    assert made.working is not None
    shown, true = pictures(made.working), pictures_of(master)
    assert len(shown) == len(true) == 30
    for number, ((_, picture), before) in enumerate(zip(shown, true, strict=True)):
        rows, columns = inside(number)
        box = studio(picture[rows, columns])
        # One flat grey; a codec that quantizes leaves a step or two at its edge.
        assert np.abs(box - GREY).max() <= 6
        assert before[rows, columns].std() > 20
        margin = np.zeros((HEIGHT, WIDTH), bool)
        margin[max(0, rows.start - 30) : rows.stop + 30, max(0, columns.start - 30) : columns.stop + 30] = (
            True
        )
        rest = np.abs(picture[:HEIGHT].astype(int) - before)[~margin]
        assert rest.mean() < 8
    with av.open(str(made.working)) as file:
        assert [stream.type for stream in file.streams] == ["video"]


def studio(picture: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """From the full swing of a grey picture back to that of the video."""
    return picture.astype(int) * 219 / 255 + 16


def test_all_but_a_box_is_gone_and_outside_of_its_time_the_whole_picture_is(tmp_path: Path) -> None:
    master = film.fragmented(2, WIDTH, HEIGHT)
    seen = Track((Key(0, 250, 250, 500, 500),), 500, 1000)
    made = covered(tmp_path, master, 2, Masks(Mode.ALL_BUT, (seen,)))
    assert made.working is not None
    for number, ((_, picture), before) in enumerate(
        zip(pictures(made.working), pictures_of(master), strict=True)
    ):
        picture = picture[:HEIGHT]
        if 5 <= number <= 10:
            assert np.abs(picture[100:260, 170:470].astype(int) - before[100:260, 170:470]).mean() < 4
            picture = np.concatenate([picture[:80].ravel(), picture[:, :150].ravel()])
        assert np.abs(studio(picture) - GREY).max() <= 6


def test_a_box_that_moves_over_a_picture_that_stands_covers_both_places(tmp_path: Path) -> None:
    # The first two pictures come at once, the third after two seconds.
    still = written(3, (WIDTH, HEIGHT), pts=[0, 1, 20])
    made = covered(tmp_path, still, 2.1, Masks(Mode.OTHERS, (Track(WALKS),)))
    assert made.working is not None
    shown = pictures(made.working)
    assert len(shown) == 21
    rows, columns = inside(1)
    for _, picture in shown[1:20]:
        assert np.abs(studio(picture[rows, columns]) - GREY).max() <= 6


def test_the_strip_with_the_time_stays_readable(tmp_path: Path) -> None:
    made = covered(tmp_path, film.fragmented(1), 1, Masks(Mode.ALL_BUT))
    assert made.working is not None
    _, picture = pictures(made.working)[0]
    assert picture[180:].max() > 200 and np.median(picture[180:]) < 5
