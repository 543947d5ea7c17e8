"""Which backups are kept, and what may stand under [backup]."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.errors import SettingsError
from edge.backup.settings import Standing, name_of, superfluous, time_of
from edge.config import load_config

NEW = datetime(2026, 11, 27, 2, 0, tzinfo=UTC)


def each_night(nights: int) -> list[Standing]:
    return [Standing(name_of(NEW - timedelta(days=number)), True) for number in range(nights)]


def test_fourteen_days_and_twelve_months_are_kept_of_a_backup_each_night() -> None:
    found = each_night(500)
    gone = superfluous(found, 14, 12, found[0].name)
    kept = [one for one in found if one.name not in gone]
    assert [one.at for one in kept[:14]] == [NEW - timedelta(days=number) for number in range(14)]
    # The months of the fourteen days are this one alone; eleven others have their last night.
    assert len(kept) == 14 + 11 and all((one.at + timedelta(days=1)).day == 1 for one in kept[14:])


def test_what_was_begun_and_never_ended_goes_but_for_the_one_that_is_being_made() -> None:
    found = [*each_night(1), Standing(name_of(NEW - timedelta(days=3)), False)]
    making = Standing(name_of(NEW + timedelta(minutes=1)), False)
    assert superfluous([*found, making], 14, 12, making.name) == [found[1].name]


@given(
    st.lists(st.tuples(st.integers(0, 10**9), st.booleans()), max_size=40, unique_by=lambda one: one[0]),
    st.integers(1, 30),
    st.integers(0, 20),
)
def test_the_newest_whole_one_is_never_superfluous(
    found: list[tuple[int, bool]], days: int, months: int
) -> None:
    standing = [Standing(name_of(NEW + timedelta(seconds=at)), whole) for at, whole in found]
    gone = superfluous(standing, days, months, "")
    whole = sorted(one.name for one in standing if one.whole)
    assert not set(whole[-2:]) & set(gone)
    assert len([name for name in whole if name not in gone]) <= days + months + 2


def test_a_name_says_when_it_was_made() -> None:
    assert time_of(name_of(NEW)) == NEW
    for wrong in ("", "probe", "20261301T020000.000Z", "../../etc"):
        with pytest.raises(ValueError, match=r"is no backup|does not match"):
            time_of(wrong)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('to = "ftp://shop"', "allowed are a folder, and a bucket"),
        ('endpoint = "shop"', "an address begins with https://"),
        ("keep_days = 0", "keep_days"),
        ("keep_hours = 1", "keep_hours is not a setting"),
    ],
)
def test_what_is_no_setting_is_one_sentence(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "edge.toml"
    path.write_text(f'store = "shop"\ntitle = "Shop"\n[backup]\n{line}\n')
    with pytest.raises(SettingsError, match=said):
        load_config(path)
