"""The command line as its users meet it: what it prints, where, and with which exit code."""

import json
import re
from pathlib import Path

import pytest

from joulebook.book import Book
from joulebook.faces.cli.main import COMMANDS, build_group, run_command
from joulebook.faces.cli.show import WIDTH, fitted, width_of
from joulebook.faces.text import choose_language

HEADER = (
    "request_id,started_at,provider,model,region,team,uncached_input_tokens,cache_read_tokens,visible_output_tokens"
)
ROWS = (
    "r1,2026-11-02T00:00:00Z,azure,gpt-4o,swedencentral,search,1000,0,100",
    "r2,2026-11-02T10:00:00Z,azure,gpt-4o,koreacentral,support,2000,500,300",
    "r3,2026-11-03T00:00:00Z,,,,search,1500,0,200",
)


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A home without a book, in English."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.delenv("JOULEBOOK_BOOK", raising=False)
    yield
    choose_language(None)


@pytest.fixture
def usage(tmp_path: Path) -> Path:
    """A small file of usage with columns of our names."""
    path = tmp_path / "usage.csv"
    path.write_text("\n".join([HEADER, *ROWS]) + "\n", encoding="utf-8")
    return path


def test_import_report_and_explain(usage: Path, capsys):
    """A new user books a file, reads the report and asks why, each with exit code 0."""
    assert run_command(["import", "csv", str(usage)]) == 0
    assert "3 rows booked, 0 already there, 0 refused" in capsys.readouterr().out
    assert run_command(["report", "--by", "team,model"]) == 0
    out = capsys.readouterr().out
    for word in ("energy, facility", "low", "mid", "high", "boundary", "tier", "search / gpt-4o", "unknown"):
        assert word in out
    assert run_command(["explain", "team=search,model=gpt-4o", "--metric", "water", "--all"]) == 0
    out = capsys.readouterr().out
    for word in ("chosen because", "holds 20", "known since", "pue_ratio", "× pue_ratio", "kWh", "behind 100%"):
        assert word in out


def test_the_second_import_changes_nothing(usage: Path, capsys):
    """The same file twice books nothing twice and the report stays the same."""
    run_command(["import", "csv", str(usage)])
    capsys.readouterr()
    run_command(["report", "--json"])
    before = json.loads(capsys.readouterr().out)
    assert run_command(["import", "csv", str(usage)]) == 0
    assert "0 rows booked, 3 already there" in capsys.readouterr().out
    run_command(["report", "--json"])
    assert json.loads(capsys.readouterr().out) == before


def test_the_sum_over_any_grouping_is_the_total(usage: Path, capsys):
    """In the JSON, the mids of the lines add up to the total to 1e-9."""
    run_command(["import", "csv", str(usage)])
    for by in ("team", "model,day", "region", "zone,month", "provider,project,tool"):
        capsys.readouterr()
        assert run_command(["report", "--by", by, "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert document["schema_version"] == 1
        for name, figure in document["total"]["figures"].items():
            parts = sum(line["figures"].get(name, {"mid": 0})["mid"] for line in document["lines"])
            assert parts == pytest.approx(figure["mid"], rel=1e-9), (by, name)
            assert figure["low"] <= figure["mid"] <= figure["high"]
            assert figure["unit"]
            assert figure["boundary"]


def test_bad_rows_end_with_one_and_say_where(usage: Path, capsys):
    """Findings name file, line, fault and next step on stderr; the good rows are booked; the exit code is 1."""
    with usage.open("a", encoding="utf-8") as stream:
        stream.write("r4,tomorrow,azure,gpt-4o,swedencentral,search,1,0,1\n")
        stream.write("r5,2026-11-03T00:00:00Z,azure,gpt-4o,swedencentral,search,-1,0,1\n")
    assert run_command(["import", "csv", str(usage)]) == 1
    told = capsys.readouterr()
    assert f"{usage}:5: error: started_at is not a time. Next:" in told.err
    assert f"{usage}:6: error: uncached_input_tokens is negative. Next:" in told.err
    assert "3 rows booked, 0 already there, 2 refused" in told.out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["reprot"], 2, "Nearest: report"),
        (["report", "--by", "colour"], 2, "Nearest"),
        (["import", "cvs", "FILE"], 2, "csv"),
        (["import", "csv"], 2, "at least one file"),
        (["import", "csv", "no-such-file.csv"], 1, "cannot be opened"),
        (["explain", "team=nobody"], 2, "Next"),
        (["--policy", "own", "import", "csv", "FILE"], 2, "ghgp-location"),
        (["report"], 1, "empty"),
    ],
)
def test_errors_say_what_to_do(usage: Path, capsys, arguments, code, says):
    """Misuse ends with 2, other errors with 1, each with one message that names the next step."""
    arguments = [str(usage) if word == "FILE" else word for word in arguments]
    assert run_command(arguments) == code
    told = capsys.readouterr()
    assert says in told.err
    assert "Traceback" not in told.err


def test_strict_ends_with_four_where_something_is_unknown(usage: Path, capsys):
    """`report --strict` tells by its exit code that a model or place is not known."""
    run_command(["import", "csv", str(usage)])
    assert run_command(["report", "--strict"]) == 4
    assert run_command(["report"]) == 0


def test_everything_fits_eighty_columns(usage: Path, capsys):
    """No line of report, explain, audit, doctor or help is wider than 80 columns, in either language."""
    run_command(["import", "csv", str(usage)])
    for language in ("en", "ko"):
        for command in (
            ["report", "--by", "team,model"],
            ["explain", "total"],
            ["audit"],
            ["--help"],
            ["import", "--help"],
        ):
            capsys.readouterr()
            assert run_command(["--lang", language, *command]) == 0
            for line in capsys.readouterr().out.splitlines():
                assert width_of(line) <= WIDTH, line


def test_korean_is_spoken_where_it_is_asked_for(usage: Path, capsys):
    """With --lang ko every heading of a report is Korean; numbers stay the same."""
    run_command(["import", "csv", str(usage)])
    capsys.readouterr()
    run_command(["--lang", "ko", "report", "--by", "team"])
    korean = capsys.readouterr().out
    run_command(["--lang", "en", "report", "--by", "team"])
    english = capsys.readouterr().out
    assert "요청 3건의 발자국" in korean
    assert "Footprint" not in korean
    assert re.findall(r"\d+\.\d+", korean) == re.findall(r"\d+\.\d+", english)


def test_the_page_is_small_and_asks_nobody(usage: Path, tmp_path: Path, capsys):
    """The HTML report is at most 50 KB, holds no script and loads nothing from anywhere."""
    run_command(["import", "csv", str(usage)])
    for language in ("en", "ko"):
        page = tmp_path / f"report-{language}.html"
        assert run_command(["--lang", language, "report", "--html", str(page)]) == 0
        text = page.read_text(encoding="utf-8")
        assert len(text.encode()) <= 50 * 1024
        assert "<svg" in text
        assert not re.search(r"<script|<link|<img|<iframe|@import|url\(|src=|href=", text)


def test_a_name_in_the_data_cannot_write_html(tmp_path: Path, capsys):
    """Names from a file are shown as text, in a page and in its pictures."""
    path = tmp_path / "usage.csv"
    nasty = "<script>alert(1)</script>"
    path.write_text(
        f"{HEADER}\nr1,2026-11-02T00:00:00Z,azure,{nasty},swedencentral,{nasty},1000,0,100\n", encoding="utf-8"
    )
    run_command(["import", "csv", str(path)])
    page = tmp_path / "report.html"
    run_command(["report", "--html", str(page)])
    assert "<script" not in page.read_text(encoding="utf-8")


def test_the_sample_is_called_synthetic_wherever_it_is_shown(tmp_path: Path, capsys, monkeypatch):
    """Report, explanation, page and JSON of the demo's data say that nobody caused it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("joulebook.faces.sample.REQUESTS", 300)
    page = tmp_path / "page.html"
    assert run_command(["--book", str(tmp_path / "book"), "demo", "--page", str(page)]) == 0
    told = capsys.readouterr().out
    assert told.count("SYNTHETIC SAMPLE") >= 2
    assert "SYNTHETIC SAMPLE" in page.read_text(encoding="utf-8")
    assert "gpu_energy_kwh" in told
    run_command(["--book", str(tmp_path / "book"), "report", "--json"])
    assert json.loads(capsys.readouterr().out)["total"]["is_synthetic"] is True


def test_real_traces_give_exact_counts(shared_data: Path, tmp_path: Path, capsys):
    """The production traces are booked to the last request; without a model they are unknown, with a hint."""
    book = ["--book", str(tmp_path / "book")]
    code, conversation = (shared_data / "usage" / f"azure_llm_2023_{name}.csv" for name in ("code", "conv"))
    place = ["--model", "gpt-4", "--provider", "azure", "--region", "eastus"]
    assert run_command([*book, "import", "azure-llm", str(code), *place]) == 0
    assert run_command([*book, "import", "azure-llm", str(conversation)]) == 0
    capsys.readouterr()
    run_command([*book, "report", "--by", "model", "--json"])
    document = json.loads(capsys.readouterr().out)
    known, unknown = document["lines"]
    assert (known["request_count"], unknown["request_count"]) == (8_819, 19_366)
    assert (known["tier"], unknown["tier"], unknown["unknown_count"]) == ("estimated", "assumed", 19_366)
    run_command([*book, "explain", "model=", "--json"])
    assert json.loads(capsys.readouterr().out)["hints"]
    assert list(Book(tmp_path / "book").audit()) == []


def test_every_command_has_help_in_both_languages(capsys):
    """Each command loads, says what it is for, and is described in the list of commands."""
    from joulebook.faces.text import _

    for name, (_path, line) in COMMANDS.items():
        choose_language("ko")
        assert _(line) != line, name
        choose_language("en")
        assert run_command([name, "--help"]) == 0
        assert len(capsys.readouterr().out.splitlines()) > 3
    assert set(build_group().list_commands(None)) == set(COMMANDS)  # type: ignore[arg-type]


def test_texts_are_cut_and_filled_by_their_width_on_a_terminal():
    """Korean letters count as two columns."""
    assert width_of("줄북 a") == 6
    assert fitted("줄북", 6, right=True) == "  줄북"
    assert fitted("줄북줄북", 5) == "줄북…"


def test_an_empty_book_is_json_where_json_was_asked_for(capsys, monkeypatch, tmp_path):
    """A program that asked for JSON gets a document without lines, and exit code 1."""
    monkeypatch.setenv("JOULEBOOK_BOOK", str(tmp_path / "none"))
    assert run_command(["--lang", "en", "report", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["total"] is None
    assert document["lines"] == []
    assert "joulebook import" in document["next_step"]


def test_a_book_below_a_file_is_refused(capsys, tmp_path):
    """A path that leads through a file is not an empty book."""
    (tmp_path / "file").write_text("x")
    assert run_command(["--lang", "en", "--book", str(tmp_path / "file" / "book"), "report"]) == 2
    assert "is a file" in capsys.readouterr().err
