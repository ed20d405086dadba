"""The cache: what is kept, what is known when, and what happens when a file is damaged."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from joulebook.live.cache import keep, kept_files, kept_rows, new_rows
from joulebook.live.faults import SeriesDamaged, SeriesUnwritable
from joulebook.terms.series import SeriesRow

HOUR = datetime(2026, 11, 1, tzinfo=UTC)
FACTS = {"title": "t", "publisher": "p", "url": "u", "licence": "own contract", "ships": False}


def row(hour: int = 0, value: float = 100.0, known: int = 0, fuel: str = "", **changes: object) -> SeriesRow:
    """A row of an hour, fetched some days later."""
    start = HOUR + timedelta(hours=hour)
    quantity, unit = ("fuel_generation_kwh", "kWh") if fuel else ("intensity_g_per_kwh", "g/kWh")
    basis = {"grain": "hour"} | ({"fuel": fuel} if fuel else {})
    fetched = datetime(2026, 11, 10 + known, tzinfo=UTC)
    end = start + timedelta(hours=1)
    made = SeriesRow("KOR", quantity, value, unit, basis, start, end, fetched, "derived", "live-kpx", "item[0]")
    return replace(made, **changes)


def test_what_was_kept_is_read_again(tmp_path: Path) -> None:
    """Every field of every row comes back, and the file says source, licence and that it is not shipped."""
    rows = [row(0, fuel="coal"), row(0, 50.0, fuel="gas", note="45 of 60 minutes told"), row(1, 0.1, fuel="gas")]
    path = keep(rows, "kpx", "KR/odd zone", FACTS, tmp_path)
    assert list(kept_rows(tmp_path)) == rows
    assert path.parent.name == "kpx"
    assert path.name.startswith("KR_odd_zone-20261110T000000Z-")
    text = path.read_text(encoding="utf-8")
    assert '"ships": false' in text
    assert "own contract" in text


def test_a_damaged_file_is_named_and_never_used(tmp_path: Path) -> None:
    """One changed byte is an error that says what to do."""
    path = keep([row()], "kpx", "KR", FACTS, tmp_path)
    path.write_bytes(path.read_bytes().replace(b"100.0", b"900.0"))
    with pytest.raises(SeriesDamaged) as caught:
        list(kept_files(tmp_path))
    assert str(path) in str(caught.value)


def test_only_what_is_new_or_revised_is_kept(tmp_path: Path) -> None:
    """The same hour with the same value adds nothing; with another value or tier it is a revision."""
    keep([row(0), row(1), row(2)], "kpx", "KR", FACTS, tmp_path)
    later = [row(0, known=1), row(1, 130.0, known=1), row(2, known=1, tier="estimated"), row(3, known=1)]
    fresh, changed = new_rows(later, kept_rows(tmp_path))
    assert [found.valid_from.hour for found in fresh] == [1, 2, 3]
    assert changed == 2
    again, _changed = new_rows([row(1, 100.0, known=2)], [*kept_rows(tmp_path), *fresh])
    assert len(again) == 1, "going back to the first value is a third statement"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A cache that is a file, not a folder, gives an error with its reason."""
    (tmp_path / "kpx").write_text("in the way", encoding="utf-8")
    with pytest.raises(SeriesUnwritable) as caught:
        keep([row()], "kpx", "KR", FACTS, tmp_path)
    assert "XDG_CACHE_HOME" in str(caught.value)


def test_an_empty_cache_has_no_rows(tmp_path: Path) -> None:
    """Offline and never fetched is a normal state."""
    assert list(kept_rows(tmp_path / "absent")) == []
