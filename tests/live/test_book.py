"""From a service to the book: fetched by the command, used under an hourly policy, explained, replayed, offline."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from joulebook.book import Book
from joulebook.faces.cli.main import run_command
from joulebook.faces.cli.show import width_of
from joulebook.faces.text import choose_language
from joulebook.ingest.reader import ReadOptions

HOURLY = "ghgp-location-hourly-draft"
SECRET = "not-for-your-eyes"


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("JOULEBOOK_ELECTRICITY_MAPS_TOKEN", "ELECTRICITY_MAPS_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    choose_language("en")


def hours_of(_path: str, query: dict, _headers: dict) -> tuple[int, dict, bytes]:
    """Electricity Maps: clean by night, dirty by day."""
    start, end = (datetime.fromisoformat(query[name]) for name in ("start", "end"))
    entries = []
    while start < end:
        grams = 100 if start.hour < 12 else 500
        told = f"{start:%Y-%m-%dT%H:%M:%SZ}"
        entries.append({"carbonIntensity": grams, "datetime": told, "isEstimated": False, "updatedAt": told})
        start += timedelta(hours=1)
    return 200, {}, json.dumps({"data": entries}).encode()


def fetched(stub, *words: str) -> int:
    """Fetch two days of Germany, direct."""
    line = ["factors", "fetch", "electricity-maps", "--zone", "DE", "--from", "2026-11-02", "--to", "2026-11-03"]
    return run_command([*line, "--stage", "direct", "--url", stub.url, *words])


@pytest.fixture
def key(tmp_path: Path) -> None:
    """A key in the user's file."""
    path = tmp_path / "config" / "joulebook" / "keys.toml"
    path.parent.mkdir(parents=True)
    path.write_text(f'[electricity-maps]\ntoken = "{SECRET}"\n', encoding="utf-8")


def book_of(tmp_path: Path, policy: str = HOURLY) -> Book:
    """A book with the same request at night and by day."""
    path = tmp_path / "usage.csv"
    path.write_text(
        "started_at,model,region,input_tokens,output_tokens\n"
        "2026-11-02T03:20:00Z,gpt-4o,DEU,1000,500\n2026-11-02T15:20:00Z,gpt-4o,DEU,1000,500\n",
        encoding="utf-8",
    )
    book = Book(tmp_path / "book", policy=policy, clock=lambda: datetime(2026, 11, 20, tzinfo=UTC))
    fields = ("started_at", "model", "region", "output_tokens")
    mapping = {name: name for name in fields} | {"uncached_input_tokens": "input_tokens"}
    added = book.import_file("csv", path, ReadOptions(file="usage.csv", mapping=mapping))
    assert added.added == 2, added.findings
    return book


def grams(book: Book) -> list[float]:
    """Operational CO2e of each standing posting, by time [g]."""
    rows = sorted(book.standing_postings(), key=lambda row: row["period_start"])
    return [row["co2e_operational_location_g_q"] for row in rows]


def test_a_book_uses_the_hours_and_says_so(stub, key, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Under an hourly policy the day costs five times the night; explain names the hour; the audit replays it."""
    stub.answer = hours_of
    assert fetched(stub) == 0
    out, err = capsys.readouterr()
    assert "48 of 48 hours; 48 values are new, 0 were revised." in out
    assert SECRET not in out + err
    book = book_of(tmp_path)
    night, day = grams(book)
    assert day == pytest.approx(5 * night)
    assert list(book.audit()) == []
    found = book.explain("co2e_operational_location_g", "total")
    reasons = {part.chosen_because for part in found.factors} if hasattr(found, "factors") else {str(found)}
    assert any("hourly value" in reason for reason in reasons)
    assert len(book.report(("day",))) == 1
    assert book.report()[0].amounts["co2e_operational_location_g"].covered_ratio == 1


def test_a_daily_policy_does_not_look_at_hours(stub, key, tmp_path: Path) -> None:
    """Under the default policy both requests cost the same, whatever was fetched."""
    stub.answer = hours_of
    assert fetched(stub) == 0
    (both,) = grams(book_of(tmp_path, "ghgp-location"))
    assert both > 0


def test_without_network_the_year_answers_with_a_hint(tmp_path: Path) -> None:
    """Nothing fetched: the factor of the year, said so, and how to fetch; nobody is asked."""
    book = book_of(tmp_path)
    night, day = grams(book)
    assert night == day
    resolution = book.resolution_of(book.standing_postings()[0]["place_resolution_id"])
    part = resolution.parts["intensity_g_per_kwh"][0]
    assert part.chosen_because.startswith("yearly factor: hour not fetched")
    assert "joulebook factors fetch" in part.hint


def test_a_later_fetch_restates(stub, key, tmp_path: Path) -> None:
    """Hours that come later change nothing by themselves; restating says the new figure, with the old one kept."""
    book = book_of(tmp_path)
    before = grams(book)
    stub.answer = hours_of
    assert fetched(stub) == 0
    again = Book(book.path, policy=HOURLY, clock=lambda: datetime(2026, 11, 21, tzinfo=UTC))
    assert grams(again) == before
    assert again.restate("hours fetched") == 2
    assert grams(again) != before
    assert list(again.audit()) == []
    at = datetime(2026, 11, 20, 12, tzinfo=UTC)
    said = again.report((), at)[0].amounts["co2e_operational_location_g"].range.mid
    assert said == pytest.approx(sum(before) * 1e-9)


def test_a_second_fetch_keeps_only_revisions(stub, key, capsys: pytest.CaptureFixture[str]) -> None:
    """The same answer again keeps no second file; a revised hour does, and is counted."""
    stub.answer = hours_of
    assert fetched(stub, "--json") == 0
    first = json.loads(capsys.readouterr().out)
    assert Path(first["file"]).is_file()
    assert fetched(stub, "--json") == 0
    assert json.loads(capsys.readouterr().out)["file"] is None

    def revised(path: str, query: dict, headers: dict) -> tuple[int, dict, bytes]:
        status, more, body = hours_of(path, query, headers)
        return status, more, body.replace(b"500", b"450", 1)

    stub.answer = revised
    assert fetched(stub, "--json") == 0
    third = json.loads(capsys.readouterr().out)
    assert (third["values_new"], third["values_revised"]) == (0, 1)


def test_a_missing_key_says_where_it_may_stand(stub, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a key nobody is asked; the message names the variable and the file."""
    assert fetched(stub) == 2
    err = capsys.readouterr().err
    assert "JOULEBOOK_ELECTRICITY_MAPS_TOKEN" in err
    assert "keys.toml" in err
    assert stub.asked == []


def test_a_refused_key_is_not_shown(stub, key, capsys: pytest.CaptureFixture[str]) -> None:
    """401 is exit 1 with the next step, and the key is in no output and no file."""
    stub.says(401)
    assert fetched(stub) == 1
    out, err = capsys.readouterr()
    assert "refuses the key" in err
    assert SECRET not in out + err


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_output_fits_a_terminal(stub, key, lang: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Fetching, listing and help stay within 80 columns in both languages, file names apart."""
    stub.answer = hours_of
    line = ["--lang", lang, "factors"]
    words = [
        "fetch",
        "electricity-maps",
        "--zone",
        "DE",
        "--from",
        "2026-11-02",
        "--stage",
        "direct",
        "--url",
        stub.url,
    ]
    assert run_command([*line, *words]) == 0
    assert run_command([*line, "hours"]) == 0
    assert run_command([*line, "fetch", "--help"]) == 0
    out = capsys.readouterr().out
    assert "electricity-maps DE → DEU" in out
    assert [text for text in out.splitlines() if width_of(text) > 80 and "/" not in text] == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--timezone", "Nowhere/Land"], "There is no time zone"),
        (["--from", "2026-11-05", "--to", "2026-11-04"], "No hour lies between"),
        (["--from", "2999-01-01"], "No hour lies between"),
    ],
)
def test_a_wrong_time_is_refused(stub, key, words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A time zone that does not exist, days out of order, and days to come are errors of use."""
    line = ["factors", "fetch", "electricity-maps", "--zone", "DE", "--url", stub.url, *words]
    assert run_command(line) == 2
    assert told in capsys.readouterr().err
    assert stub.asked == []


def moer_of(path: str, query: dict, _headers: dict) -> tuple[int, dict, bytes]:
    """WattTime: the same plant all day, at 1,000 lb/MWh."""
    if path == "/login":
        return 200, {}, b'{"token": "t"}'
    at, end = (datetime.fromisoformat(query[name]) for name in ("start", "end"))
    data = []
    while at < end:
        data.append({"point_time": at.isoformat(), "value": 1000.0})
        at += timedelta(minutes=5)
    meta = {"units": "lbs_co2_per_mwh", "signal_type": "co2_moer", "data_point_period_seconds": 300}
    return 200, {}, json.dumps({"data": data, "meta": meta}).encode()


@pytest.fixture
def watttime(stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Germany's marginal hours of one day."""
    monkeypatch.setenv("JOULEBOOK_WATTTIME_USER", "me")
    monkeypatch.setenv("JOULEBOOK_WATTTIME_PASSWORD", SECRET)
    stub.answer = moer_of
    words = ["watttime", "--zone", "DE", "--from", "2026-11-02", "--url", stub.url]
    assert run_command(["factors", "fetch", *words]) == 0


def test_the_marginal_signal_is_a_figure_of_its_own(
    watttime, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Marginal CO2e is energy at the meter times 453.6 g/kWh, in every group; postings and averages do not know it."""
    book = book_of(tmp_path, "ghgp-location")
    (line,) = book.marginal()
    energy = book.report()[0].amounts["facility_energy_kwh"].range.mid
    amount = line.amounts["co2e_operational_marginal_g"]
    assert amount.range.mid == pytest.approx(energy * 453.59237)
    assert amount.range.low < amount.range.mid < amount.range.high
    assert amount.covered_ratio == 1
    assert "co2e_operational_marginal_g" not in book.report()[0].amounts
    by_day = [one.amounts["co2e_operational_marginal_g"].range.mid for one in book.marginal(("day",))]
    assert sum(by_day) == pytest.approx(amount.range.mid)
    capsys.readouterr()
    assert run_command(["--book", str(book.path), "report", "--signal", "marginal", "--by", "model", "--strict"]) == 0
    out = capsys.readouterr().out
    assert "For decisions" in out
    assert "gpt-4o" in out
    assert run_command(["--book", str(book.path), "report", "--signal", "marginal", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["signal"] == "marginal"
    assert list(told["total"]["figures"]) == ["co2e_operational_marginal_g"]


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_without_a_marginal_hour_the_figure_is_unknown(
    tmp_path: Path, lang: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An average never stands in for a marginal value: unknown, with what to do, and exit 4 where asked."""
    book = book_of(tmp_path, "ghgp-location")
    words = ["--lang", lang, "--book", str(book.path), "report", "--signal", "marginal"]
    assert run_command([*words, "--strict"]) == 4
    out = capsys.readouterr().out
    assert "watttime" in out
    assert {"en": "unknown", "ko": "알 수 없음"}[lang] in out
    assert [text for text in out.splitlines() if width_of(text) > 80] == []
    assert run_command([*words, "--stated-at", "2026-11-20"]) == 2
