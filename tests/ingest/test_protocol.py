"""One protocol for all readers, over their recordings."""

import io
import re

import pytest
from metered import METERED
from recorded import RECORDINGS, SECRET

from joulebook.errors import JoulebookError
from joulebook.faces.cli.main import run_command
from joulebook.faces.cli.show import WIDTH, width_of
from joulebook.ingest import reader as reader_module
from joulebook.ingest.mapping import CONSUMPTION
from joulebook.ingest.reader import READERS, detect, reader, reader_names
from joulebook.terms.columns import column
from joulebook.terms.finding import RULES, Finding
from joulebook.terms.tier import Tier
from joulebook.terms.usage import TOKEN_CLASSES, USAGE_COLUMNS

TABLES = {"csv", "jsonl", "azure-llm"}
"""Read under a mapping or from real files; their tests are in test_table.py."""

every_recording = pytest.mark.parametrize("recording", RECORDINGS, ids=lambda one: one.file)


def read(recording, content=None):
    """Everything a reader makes of a recording."""
    stream = io.BytesIO(recording.content() if content is None else content)
    return list(reader(recording.reader).parse(stream, recording.read_options()))


def distinct(found):
    """Rows with different keys: what a book keeps."""
    kept = {}
    for row in found:
        if not isinstance(row, Finding):
            kept.setdefault(row["usage_key"], row)
    return list(kept.values())


def totals(rows):
    """Sums of the five classes as "uncached/read/write/visible/reasoning"."""
    parts = []
    for name in TOKEN_CLASSES:
        known = [row[name] for row in rows if row.get(name) is not None]
        parts.append(str(sum(known)) if known else "-")
    return "/".join(parts)


def test_every_reader_has_a_recording():
    """No reader goes without a recorded sample."""
    assert {one.reader for one in (*RECORDINGS, *METERED)} | TABLES == set(READERS)


@every_recording
def test_golden_totals(recording):
    """Each recording gives exactly its rows and its disjoint token classes, without findings."""
    found = read(recording)
    findings = [row for row in found if isinstance(row, Finding)]
    assert [row for row in findings if row.is_error] == []
    assert bool(findings) == recording.has_warning
    rows = distinct(found)
    assert (len(rows), totals(rows)) == (recording.rows, recording.totals)


@every_recording
def test_rows_are_rows_of_usage(recording):
    """Rows hold only columns of the dictionary, of their type, never negative, with a key, a time in UTC and a tier."""
    kinds = {"int64": int, "float64": float, "string": str, "bool": bool}
    for row in distinct(read(recording)):
        assert set(row) <= set(USAGE_COLUMNS)
        assert re.fullmatch("[0-9a-f]{32}", row["usage_key"])
        assert row["started_at"].utcoffset().total_seconds() == 0
        assert row["tier"] in set(Tier)
        assert not set(CONSUMPTION).isdisjoint(row)
        for name, value in row.items():
            kind = kinds.get(column(name).type)
            assert value is None or kind is None or isinstance(value, kind), name
            assert not isinstance(value, (int, float)) or value >= 0 or name == "cost_usd", name


@every_recording
def test_reading_again_gives_the_same_keys(recording):
    """A copy of a file under another name gives the same rows with the same keys."""
    copy = io.BytesIO(recording.content())
    other = reader(recording.reader).parse(copy, recording.read_options())
    assert list(other) == read(recording)


@every_recording
def test_no_content_in_rows(recording):
    """Prompts and answers reach neither rows nor findings."""
    assert SECRET in recording.content().decode("utf-8", errors="ignore") or "SECRET" not in str(recording)
    assert SECRET not in str(read(recording))


@every_recording
def test_detected_first(recording, tmp_path):
    """The format of a recording is the surest guess, with a reason in words."""
    path = tmp_path / recording.file.replace(".sql", ".db")
    path.write_bytes(recording.content())
    if recording.is_detected:
        found = detect(path)
        assert found[0].name == recording.reader
        assert found[0].certainty > 0.5
        assert found[0].signs


@every_recording
def test_cut_off_anywhere(recording):
    """A file that breaks off at any place gives rows of the whole file, findings or one clear error, never more.

    Of a table the last cell may be cut without a sign of it.
    """
    content = recording.content()
    whole = {row["usage_key"] for row in distinct(read(recording))}
    for size in range(0, len(content), max(1, len(content) // 40)):
        try:
            found = read(recording, content[:size])
        except JoulebookError:
            continue
        beyond = {row["usage_key"] for row in distinct(found)} - whole
        assert len(beyond) <= recording.file.endswith(".csv")
        assert all(row.rule in RULES for row in found if isinstance(row, Finding))


@pytest.mark.parametrize("name", reader_names())
@pytest.mark.parametrize("content", [b"", b"\n", b"{}\n", b"[]", b"null", b"\xff\xfe", b"\x00" * 64, b"a,b\n1,2\n"])
def test_what_is_not_the_format(name, content):
    """Files of nothing or of something else give no row, and no failure that is not ours."""
    one = reader(name)
    assert 0 <= one.detect(content, "x") <= 1
    try:
        found = list(one.parse(io.BytesIO(content), RECORDINGS[0].read_options()))
    except JoulebookError:
        return
    assert all(isinstance(row, Finding) for row in found)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_formats_are_listed_with_what_they_look_like(language, capsys):
    """Every format is listed by its name, with the signs of its files, in lines that fit a terminal."""
    assert run_command(["--lang", language, "import", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line[0] != " "] == [*reader_names(), "parquet"]
    assert all(len(line.split()) > 1 or line[0] == " " for line in lines)
    assert max(map(width_of, lines)) <= WIDTH


BROKEN = {"gone": "no_such_module_at_all:Reader", "odd": "json:JSONDecoder", "nothing": "json:NoSuchName"}


@pytest.fixture
def foreign(monkeypatch):
    """Readers that other packages registered, and that cannot be loaded."""
    monkeypatch.setattr(reader_module, "_foreign", lambda: BROKEN)


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.usefixtures("foreign")
def test_a_broken_reader_of_another_package_is_listed_with_its_reason(language, capsys):
    """A reader that cannot be loaded is listed with why, the others as ever, and the command ends with 1."""
    assert run_command(["--lang", language, "import", "--list"]) == 1
    out = capsys.readouterr().out
    lines = out.splitlines()
    named = [line.split()[0] for line in lines if line[0] != " "]
    assert set(named) == {*READERS, *BROKEN, "parquet"}
    assert max(map(width_of, lines)) <= WIDTH
    for reason in ("No module named", "signs, detect, parse", "NoSuchName"):
        assert reason in " ".join(out.split())


@pytest.mark.usefixtures("foreign")
def test_a_broken_reader_does_not_hinder_the_detection(tmp_path, capsys):
    """A file is recognised all the same; what cannot be loaded is said beside it."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(next(one for one in RECORDINGS if one.file == "codex.jsonl").content())
    assert run_command(["import", "--detect", str(path)]) == 0
    told = capsys.readouterr()
    assert ": codex (95%)" in told.out
    assert all(name in told.err for name in BROKEN)


@pytest.mark.usefixtures("foreign")
def test_importing_with_a_broken_reader_says_why(tmp_path, capsys):
    """Asked for by name, a broken reader is an error with its reason and the next step."""
    path = tmp_path / "x"
    path.write_text("x")
    assert run_command(["--book", str(tmp_path / "book"), "import", "gone", str(path)]) == 1
    assert "No module named 'no_such_module_at_all'" in capsys.readouterr().err
