"""`joulebook factors`: what a person sees, in both languages, and what a program gets."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from joulebook.faces.cli.factors import cell_text
from joulebook.faces.cli.main import run_command
from joulebook.faces.cli.show import width_of
from joulebook.faces.text import choose_language
from joulebook.factors.read import HERE, read_edition

WIDTH = 80


@pytest.fixture(autouse=True)
def _language() -> None:
    choose_language("en")


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a factor command."""
    code = run_command(words)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize(
    "words",
    [
        "list",
        "list --kind site",
        "show KOR",
        "show gpt-4o",
        "check",
        "diff 2025-03-01 --no-sample",
        "age",
        "where-used KOR",
    ],
)
def test_fits_the_terminal(capsys: pytest.CaptureFixture[str], lang: str, words: str) -> None:
    """Every command works in both languages and no line is wider than 80 columns, links apart."""
    code, out, _err = run(capsys, "--lang", lang, "factors", *words.split())
    assert code == 0
    assert [line for line in out.splitlines() if width_of(line) > WIDTH and "http" not in line] == []


def test_show_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    """`show` prints value, range, both clocks, tier, source, cell, licence, file and the answer of other policies."""
    _code, out, _err = run(
        capsys, "factors", "show", "South Korea", "--quantity", "intensity_g_per_kwh", "--at", "2023-06-01"
    )
    for part in (
        "417 g/kWh (405–430)",
        "holds     2023-01-01 .. 2024-01-01; known since 2025-12-18",
        "derived",
        "0.4173 tCO2e/MWh",
        "facts from a public announcement",
        "grid/korea.yaml:",
        "kets: 454 g/kWh; exact",
    ):
        assert part in out


@pytest.mark.parametrize(("day", "amount"), [("2024-07-10", 68.82e12), ("2025-07-16", 64.38e12)])
def test_amazon_2023_as_it_was_known(capsys: pytest.CaptureFixture[str], day: str, amount: float) -> None:
    """Amazon's total of 2023 is 68.82 Mt as known on 2024-07-10 and 64.38 Mt as known on 2025-07-16."""
    words = ("factors", "list", "amazon", "--quantity", "company_co2e_g", "--json")
    _code, out, _err = run(capsys, *words)
    rows = [
        row
        for row in json.loads(out)["factors"]
        if row["basis"]["metric"] == "total-s123-market"
        and row["valid_from"] == "2023-01-01"
        and row["known_from"] <= day
    ]
    assert max(rows, key=lambda row: row["known_from"])["value"] == pytest.approx(amount)


def test_show_of_several_numbers_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    """A quantity that is several numbers is listed by basis; --basis shows one with its source; an id shows its row."""
    words = ("factors", "show", "company/amazon", "--at", "2023-06-01", "--quantity", "company_co2e_g")
    _code, out, _err = run(capsys, *words, "--as-known", "2024-07-10")
    assert "68.8 Mt" in out
    _code, out, _err = run(capsys, *words, "--basis", "metric=total-s123-market")
    assert "64.4 Mt" in out
    row_id = next(line.split()[-1] for line in out.splitlines() if "company/published.yaml:" in line)
    _code, out, _err = run(capsys, "factors", "show", row_id)
    assert "todayheadline.co" in out
    assert run(capsys, *words, "--basis", "metric")[0] == 2


def test_json_is_versioned(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON carries the schema version, the edition and for each quantity the choice with its reason."""
    _code, out, _err = run(capsys, "factors", "show", "FRA", "--json", "--as-known", "2025-06-01")
    document = json.loads(out)
    assert document["schema_version"] == 1
    assert document["edition"]["name"].endswith("as known 2025-06-01")
    choice = document["chosen"]["intensity_g_per_kwh"]
    assert choice["factor"]["source"]["licence"] == "CC BY 4.0"
    assert choice["chosen_because"].startswith("life-cycle")


def test_unknown_subject_gives_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    """A name nobody knows ends with 2 and the nearest names."""
    code, _out, err = run(capsys, "factors", "show", "South Corea")
    assert code == 2
    assert "KOR" in err


def test_check_of_a_broken_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """`check` of a folder prints every fault with file and line and ends with 1."""
    (tmp_path / "own.yaml").write_text("kind: grid\nfactors:\n  - {subjct: X}\n  - {subject: Y}\n", encoding="utf-8")
    code, _out, err = run(capsys, "factors", "check", str(tmp_path))
    assert code == 1
    assert f"{tmp_path}/own.yaml:3: there is no key 'subjct'" in err
    assert f"{tmp_path}/own.yaml:4: Y has no values" in err


def test_own_factor_shows_as_such(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A user's PUE wins over the shipped one, and the answer says that it is a user's."""
    (tmp_path / "sources.yaml").write_text(
        "meter:\n  {title: Our meter, publisher: us, url: '-', licence: own, edition: '1', date_seen: 2026-06-01,"
        " ships: false}\n",
        encoding="utf-8",
    )
    (tmp_path / "own.yaml").write_text(
        "kind: site\nfactors:\n  - subject: aws:us-east-1\n    values:\n"
        "      - {quantity: pue_ratio, unit: '1', value: 1.21, exact: true, valid_from: 2026-01-01,"
        " known_from: 2026-02-01, tier: measured, source: meter, cell: yearly statement}\n",
        encoding="utf-8",
    )
    words = ("--factors", str(tmp_path), "factors", "show", "aws:us-east-1", "--quantity", "pue_ratio")
    _code, out, _err = run(capsys, *words, "--at", "2026-06-01")
    assert "1.21" in out
    assert "user factor" in out


def test_diff_says_what_moved(capsys: pytest.CaptureFixture[str]) -> None:
    """Between two days the diff counts what was added and shows the effect on the same use."""
    _code, out, _err = run(capsys, "factors", "diff", "2025-12-17", "2025-12-18", "--at", "2023-06-01")
    assert "3 added, 0 changed, 0 removed." in out
    assert "KOR" in out


def test_a_wrong_edition_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """What is neither a date nor a folder ends with 2 and says what to give."""
    code, _out, err = run(capsys, "factors", "diff", "yesterday")
    assert code == 2
    assert "2025-04-08" in err


def test_page_holds_every_row(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The page has one row per value, every source it links to, and asks nothing of the network."""
    path = tmp_path / "factors.html"
    assert run(capsys, "--lang", "ko", "factors", "page", str(path))[0] == 0
    text = path.read_text(encoding="utf-8")
    edition = read_edition()
    assert text.count("<tr id=") == len(edition.factors)
    assert all(f'<li id="{row.source}">' in text for row in edition.factors)
    assert "대한민국" in text
    assert "{{" not in text
    assert re.search(r"<(script|link|img)[^>]*(src|href)=", text) is None


@pytest.mark.nightly
def test_diff_shows_the_effect_on_the_sample_day(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """With --sample the day is booked with both editions: a doubled Korean grid moves CO2e and leaves energy alone."""
    for name in ("data", "sources"):
        shutil.copytree(HERE / name, tmp_path / name)
    shutil.copy(HERE / "sources.yaml", tmp_path)
    korea = tmp_path / "data" / "grid" / "korea.yaml"
    text = korea.read_text(encoding="utf-8")
    korea.write_text(text.replace("value: 417.3, low: 404.781, high: 429.819", "value: 834.6, low: 800, high: 870"))
    _code, out, _err = run(capsys, "factors", "diff", str(tmp_path), "now", "--sample", "--json")
    was, now = json.loads(out)["sample"]
    assert was["facility_energy_kwh"] == pytest.approx(now["facility_energy_kwh"], rel=1e-12)
    assert was["co2e_operational_location_g"][1] > now["co2e_operational_location_g"][1] * 1.05


def test_diff_prices_the_sample_with_what_was_known_then(capsys: pytest.CaptureFixture[str]) -> None:
    """An edition from before the estimate is priced with today's method, and the output says so and fits a terminal."""
    code, out, _err = run(capsys, "--lang", "ko", "factors", "diff", "2025-12-17", "2025-12-31")
    assert code == 0
    assert "표본 요청 2,000건" in out
    assert "추정 방법의 수치" in out
    assert [line for line in out.splitlines() if width_of(line) > WIDTH] == []


def test_a_company_is_found_by_its_bare_name(capsys: pytest.CaptureFixture[str]) -> None:
    """`amazon` is a provider and a company: asked for a company's figure, the company is meant."""
    words = ("--quantity", "company_co2e_g", "--basis", "metric=total-s123-market", "--at", "2023-06-01")
    for day, text in (("2024-07-10", "68.8 Mt"), ("2025-07-16", "64.4 Mt")):
        code, out, _err = run(capsys, "factors", "show", "amazon", *words, "--as-known", day)
        assert code == 0
        assert text in out
    code, _out, err = run(capsys, "factors", "show", "amazon", "--quantity", "pue_ratio", "--basis", "stage=direct")
    assert code == 2
    assert "Nearest" in err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (
            "microsoft --quantity company_co2e_g --basis metric=scope2-market --at 2020-01-01 --as-known 2022-03-31",
            "228",
        ),
        (
            "microsoft --quantity company_co2e_g --basis metric=scope2-market --at 2020-01-01 --as-known 2024-05-31",
            "456",
        ),
        ("KOR --quantity intensity_g_per_kwh --at 2023-06-01", "417 g/kWh"),
    ],
)
def test_what_was_said_and_what_holds(capsys: pytest.CaptureFixture[str], words: str, text: str) -> None:
    """The command gives Microsoft's market-based Scope 2 of FY20 as first said and as restated, and Korea."""
    code, out, _err = run(capsys, "factors", "show", *words.split())
    assert code == 0
    assert text in out.split("other values")[0]


def test_korea_under_the_trading_scheme(capsys: pytest.CaptureFixture[str]) -> None:
    """The policy decides: 0.4541 t/MWh fixed at allocation, 0.4173 renewed yearly."""
    words = ("factors", "show", "KOR", "--quantity", "intensity_g_per_kwh", "--at", "2023-06-01", "--json")
    for policy, value in (("kets", 454.1), ("ghgp-location", 417.3)):
        _code, out, _err = run(capsys, "--policy", policy, *words)
        assert json.loads(out)["chosen"]["intensity_g_per_kwh"]["factor"]["value"] == pytest.approx(value)


@pytest.mark.parametrize(
    ("words", "what", "nearest"),
    [
        (("--quantity", "intensity"), "quantity", "intensity_g_per_kwh"),
        (("--kind", "gridd"), "kind", "grid"),
        (("--kind", "site", "--quantity", "pue"), "quantity", "pue_ratio"),
        (("gpt-4oo",), "factor", "gpt-4o"),
    ],
)
def test_a_list_of_nothing_says_what_is_wrong(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], what: str, nearest: str
) -> None:
    """A quantity or kind that does not exist is named as such, with its nearest, not with subjects."""
    code, _out, err = run(capsys, "factors", "list", *words)
    assert code == 2
    assert f"There is no {what} named" in err
    assert nearest in err


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_help_is_wrapped_and_not_cut(capsys: pytest.CaptureFixture[str], lang: str) -> None:
    """The help of every factor command is whole."""
    _code, out, _err = run(capsys, "--lang", lang, "factors", "--help")
    assert "..." not in out.replace("[ARGS]...", "")
    assert all(width_of(line) <= WIDTH for line in out.splitlines())


def test_an_assumption_names_its_line_in_the_register(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """`show` and the page name the line of the register; a user's row without a cell says so instead of a dash."""
    row = next(row for row in read_edition().factors if row.source == "joulebook-assumption" and row.tier == "assumed")
    _code, out, _err = run(capsys, "factors", "show", row.factor_id)
    assert row.cell in out
    assert row.cell.startswith("docs/assumptions.md A")
    assert cell_text(replace(row, cell="-")) == "none: an assumption, reason under range"
    assert run(capsys, "factors", "page", str(tmp_path / "page.html"))[0] == 0
    assert "<td>-" not in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_show_says_what_a_use_in_a_region_takes(capsys: pytest.CaptureFixture[str]) -> None:
    """A region without a factor of its own shows grid, overhead, both views of water and carbon-free share."""
    _code, out, _err = run(capsys, "factors", "show", "oracle:ap-seoul-1", "--at", "2023-06-01")
    told = " ".join(out.split())
    assert "intensity_g_per_kwh (KOR): 417 g/kWh (405–430); derived" in told
    assert "pue_ratio (oracle): 1.3 (1.15–1.6); assumed, dcd-pue-2024; provider fleet" in told
    assert "wue_l_per_kwh (unknown): 0.6 L/kWh (0.05–2); assumed" in told
    assert "cfe_ratio: unknown; nothing is published" in told
    assert "water_intensity_without_hydro_l_per_kwh (KOR)" in told
    _code, out, _err = run(capsys, "factors", "show", "gcp:us-central1", "--json")
    place = json.loads(out)["place"]
    assert place["zone"] == "US-MROW"
    assert place["takes"]["cfe_ratio"]["factor"]["value"] == 0.87
    assert place["takes"]["pue_ratio"]["factor"]["tier"] == "derived"


def test_show_of_a_model_gives_the_range_estimates_use(capsys: pytest.CaptureFixture[str]) -> None:
    """Where several sources describe a model, the union of their ranges stands first, then each of them."""
    _code, out, _err = run(capsys, "factors", "show", "gpt-4o")
    assert "range over 3 sources, which estimates use" in out
    assert "equal rank" not in out
    assert "modality: text+image+pdf->text" in out


@pytest.mark.parametrize("name", ["KR", "kr", "KOR", "South Korea", "대한민국"])
def test_a_country_is_shown_by_any_of_its_names(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Two letters, three letters and the name in either language show the same country, which the heading names."""
    code, out, _err = run(capsys, "factors", "show", name, "--quantity", "grid_loss_ratio")
    assert code == 0
    assert "KOR  South Korea" in out


def test_the_page_has_the_links_with_their_cells(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Where a region lies and what an alias stands for can be searched as well, with source and cell."""
    assert run(capsys, "factors", "page", str(tmp_path / "page.html"))[0] == 0
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "link · grid_zone" in text
    assert "<b>aws:us-east-1</b><td>US-SRVC" in text
    assert text.count("<details>") == text.count("</details>")
    assert text.count("<table>") == text.count("</table>")
