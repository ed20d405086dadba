"""Everything that is no text goes through the book: media, machines by the hour, storage, network, metered energy."""

import csv
from datetime import UTC, date, datetime
from pathlib import Path

import narwhals as nw
import pytest

from joulebook.account import kinds, pricing
from joulebook.account.media import Media, estimate_media
from joulebook.account.resolver import Resolver, shares
from joulebook.account.units_of_use import UNITS as UNITS_OF_USE
from joulebook.book import Book
from joulebook.estimate.instance import find_board, find_instance
from joulebook.estimate.tokens import COEFFICIENTS
from joulebook.faces.cli.explain import TERM_NAMES
from joulebook.factors.read import read_edition
from joulebook.ingest.mapping import same_names
from joulebook.ingest.reader import ReadOptions
from joulebook.ledger import audit

DAY = date(2026, 11, 2)
PLACE = {"provider": "azure", "region": "swedencentral"}
AT = "2026-11-02T01:00:00Z"
CLOCK = datetime(2026, 11, 3, tzinfo=UTC)
SUMS = Path(__file__).parents[1] / "ingest" / "recordings" / "anthropic-usage.json"
"""Tokens of an untold number of requests."""


def book_of(folder: Path, *rows: dict[str, object]) -> Book:
    """A book of some rows of usage."""
    path = folder / "usage.csv"
    names = ["request_id", "started_at", *dict.fromkeys(name for row in rows for name in row)]
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, names)
        writer.writeheader()
        writer.writerows({"request_id": f"r{n}", "started_at": AT, **row} for n, row in enumerate(rows))
    book = Book(folder / "book", clock=lambda: CLOCK)
    result = book.import_file("csv", path, ReadOptions(str(path), mapping=same_names(names)))
    assert (result.added, result.refused) == (len(rows), 0)
    return book


def figures(book: Book):
    """The amounts of the total."""
    return book.report(())[0].amounts


SQUARE = {"width": 1024, "height": 1024}
MEDIA = [
    (
        {"model": "flux.1-dev", "image_count": 3, "image_width_px": 1024, "image_height_px": 1024, "image_steps": 50},
        Media(image_count=3, model="flux.1-dev", steps=50, **SQUARE),
    ),
    (
        {"image_count": 1, "image_width_px": 1024, "image_height_px": 1024},
        Media(image_count=1, **SQUARE),
    ),
    (
        {"video_s": 6.0, "image_width_px": 512, "image_height_px": 512, "video_frames_per_s": 16},
        Media(video_s=6, frames_per_s=16, width=512, height=512),
    ),
    ({"audio_s": 30, "model": "whisper-1"}, Media(audio_s=30)),
    ({"embedding_tokens": 5_000_000, "model": "some-embedder"}, Media(embedding_tokens=5_000_000)),
    ({"task": "image-classification", "request_count": 100}, Media(task="image-classification", request_count=100)),
    ({"image_count": 2}, Media(image_count=2)),
]


UNITS = [
    {"image_count": 2},
    {"audio_s": 3000.0},
    {"embedding_tokens": 5_000_000},
    {"device": "m5.xlarge", "device_hours": 24.0},
    {"device": "h100", "device_hours": 2.0},
    {"device": "nobody-knows.this", "device_hours": 2.0},
    {"vcpu_hours": 100.0},
    {"memory_gb_hours": 400.0},
    {"storage_gb_hours": 7200.0, "device": "ssd"},
    {"storage_gb_hours": 7200.0},
    {"network_gb": 100.0},
    {"metered_energy_kwh": 2.0, "boundary": "node", "metered_low_ratio": 0.9, "metered_high_ratio": 1.1},
]


NAMES = ["+".join((*row, str(row.get("device", "")))) for row in UNITS]
TEXT = {"model": "gpt-4o", "uncached_input_tokens": 1000, "visible_output_tokens": 100}


def unit_of(row: dict[str, object]) -> str:
    """The column that counts the use."""
    return next(name for name in row if name not in ("device", "boundary"))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Book:
    """One book of every kind: each unit once and twice, each medium, and text, told apart by team."""
    rows = [{**PLACE, **TEXT, "team": "text"}]
    for name, row in zip(NAMES, UNITS, strict=True):
        unit = unit_of(row)
        rows += [{**PLACE, **row, "team": name}, {**PLACE, **row, unit: row[unit] * 2, "team": f"twice {name}"}]
    rows += [{**PLACE, **row, "team": f"medium {number}"} for number, (row, _asked) in enumerate(MEDIA)]
    folder = tmp_path_factory.mktemp("mixed")
    book = book_of(folder, *rows)
    book.import_file("anthropic-usage", SUMS, ReadOptions(str(SUMS)))
    return book


@pytest.fixture(scope="module")
def by_team(mixed: Book):
    """The amounts of each team."""
    return {line.keys["team"]: line.amounts for line in mixed.report(("team",))}


@pytest.mark.parametrize("number", range(len(MEDIA)))
def test_the_book_says_what_the_estimate_says(by_team, number):
    """A row of media in the book has the middle and range of `joulebook estimate`, for every figure."""
    amounts, asked = by_team[f"medium {number}"], MEDIA[number][1]
    priced = estimate_media(read_edition(), "ghgp-location", asked, PLACE["provider"], PLACE["region"], DAY).priced
    for name, amount in amounts.items():
        if name in priced.ranges:
            assert amount.range == pytest.approx(priced.ranges[name], rel=1e-3, abs=2e-9), name
    assert {"gpu_energy_kwh", "facility_energy_kwh", "co2e_operational_location_g", "water_onsite_l"} <= amounts.keys()


@pytest.mark.parametrize("name", NAMES)
def test_figures_scale_with_the_units(by_team, name):
    """Twice the units give twice of every figure, ranges included; what is known is not zero."""
    once, twice = by_team[name], by_team[f"twice {name}"]
    assert once.keys() == twice.keys()
    assert once["facility_energy_kwh"].range.low > 0
    for metric, amount in once.items():
        assert twice[metric].range == pytest.approx(amount.range.scaled(2), rel=1e-3, abs=2e-9), metric
        assert amount.range.low <= amount.range.mid <= amount.range.high


def test_parts_of_a_mixed_book_sum_to_the_whole(mixed: Book):
    """Over any grouping the lines of a book of all kinds add up to its total, and its postings replay."""
    whole = figures(mixed)
    for by in (("device",), ("model", "team"), ("day",)):
        lines = mixed.report(by)
        for name, amount in whole.items():
            parts = sum(line.amounts[name].range.mid for line in lines if name in line.amounts)
            assert parts == pytest.approx(amount.range.mid, rel=1e-9), name
    assert list(mixed.audit()) == []


@pytest.mark.parametrize("metric", ["facility_energy_kwh", "co2e_embodied_amortised_g"])
@pytest.mark.parametrize("name", NAMES)
def test_an_explanation_leads_to_the_cells(mixed: Book, name, metric):
    """The formulas on what is shown give the figure, the terms its energy, and every factor names source and cell."""
    found = mixed.explain(metric, f"team={name}")
    if metric.startswith("co2e_embodied") and ("network" in name or "boundary" in name):
        assert found is None  # nobody knows what was made for it, which is not zero
        return
    assert found is not None
    assert found.steps[-1].value == pytest.approx(found.amount.range.mid, rel=1e-6)
    assert found.terms
    assert found.used
    assert all(used.part.source and used.part.cell for used in found.used)


def test_what_is_known_of_a_machine_narrows_it(tmp_path: Path):
    """Hours of a named instance are better known than those of an unknown one, which keeps a range and a hint."""
    for name in ("known", "unknown"):
        (tmp_path / name).mkdir()
    known = book_of(tmp_path / "known", {**PLACE, "provider": "aws", "device": "m5.xlarge", "device_hours": 10})
    other = book_of(tmp_path / "unknown", {**PLACE, "provider": "aws", "device": "m9zz.xlarge", "device_hours": 10})

    def width(book: Book) -> float:
        amount = figures(book)["facility_energy_kwh"].range
        return amount.high / amount.low

    assert width(other) > 2 * width(known)
    assert "gpu_energy_kwh" not in figures(other)
    found = other.explain("facility_energy_kwh", "total")
    assert found is not None
    assert any("m9zz.xlarge" in hint for _about, hint in found.hints)
    assert other.report(())[0].unknown_count == 1


def test_one_row_is_priced_by_one_unit(tmp_path: Path):
    """Tokens that a rented machine served, and the processors of an instance, are not added to its hours."""
    for name in ("alone", "with"):
        (tmp_path / name).mkdir()
    row = {**PLACE, "provider": "aws", "device": "p4d.24xlarge", "device_hours": 1}
    more = {"model": "gpt-4o", "uncached_input_tokens": 10**6, "visible_output_tokens": 10**5, "vcpu_hours": 96}
    alone, both = figures(book_of(tmp_path / "alone", row)), figures(book_of(tmp_path / "with", {**row, **more}))
    assert both["facility_energy_kwh"].range == pytest.approx(alone["facility_energy_kwh"].range)


@pytest.mark.parametrize(
    ("boundary", "known", "unknown"),
    [
        ("gpu", {"gpu_energy_kwh": 2.0}, set()),
        ("node", {"it_energy_kwh": 2.0}, {"gpu_energy_kwh"}),
        ("node+idle", {"it_energy_kwh": 2.0}, {"gpu_energy_kwh"}),
        ("facility", {"facility_energy_kwh": 2.0}, {"gpu_energy_kwh", "it_energy_kwh", "water_onsite_l"}),
    ],
)
def test_metered_energy_enters_at_its_boundary(tmp_path: Path, boundary, known, unknown):
    """What a meter read is the figure of its own rung, and the rungs below it stay unknown."""
    row = {"metered_energy_kwh": 2.0, "boundary": boundary, "metered_low_ratio": 0.9, "metered_high_ratio": 1.2}
    amounts = figures(book_of(tmp_path, {**PLACE, **row}))
    for name, value in known.items():
        assert amounts[name].range == pytest.approx((value * 0.9, value, value * 1.2))
    assert not unknown & amounts.keys()
    assert amounts["co2e_operational_location_g"].range.mid > 0


@pytest.mark.parametrize(
    ("provider", "name", "vcpus", "memory_gb", "boards", "accelerator"),
    [
        ("aws", "m5.xlarge", 4, 16, 0, "unknown"),
        ("aws", "c5.metal", 96, 192, 0, "unknown"),
        ("aws", "db.t3.micro", 2, None, 0, "unknown"),
        ("", "p5.48xlarge", 192, 2048, 8, "nvidia/h100-sxm-80gb"),
        ("azure", "D11 v2/DS11 v2", 2, 14, 0, "unknown"),
        ("azure", "Standard_D4s_v5", 4, 16, 0, "unknown"),
        ("azure", "Standard_ND96asr_v4", 96, 900, 8, "nvidia/a100-sxm-40gb"),
        ("gcp", "n2-standard-8", 8, 32, 0, "unknown"),
        ("gcp", "a3-highgpu-8g", 208, 1872, 8, "nvidia/h100-sxm-80gb"),
        ("gcp", "g2-standard-48", 48, 192, 4, "nvidia/l4"),
        ("gcp", "g4-standard-96", 96, 360, 2, "nvidia/rtx-pro-6000-blackwell-server-96gb"),
        ("gcp", "ct6e-standard-4t", 180, 720, 4, "google/tpu-v6e"),
        ("gcp", "c4d-standard-8-lssd", 8, 31, 0, "unknown"),
        ("azure", "Standard_D8ds_v6", 8, 32, 0, "unknown"),
        ("azure", "E4-2ads v5", 4, 32, 0, "unknown"),
        ("azure", "Standard_DS11-1_v2", 2, 14, 0, "unknown"),
        ("azure", "ND96isrH200v5", 96, 1850, 8, "nvidia/h200-sxm-141gb"),
        ("azure", "Standard_ND128isr_NDR_GB200_v6", 128, 900, 4, "nvidia/b200-gb200-192gb"),
        ("azure", "Standard_NC36ds_xl_RTXPRO6000BSE_v6", 36, None, 0.25, "nvidia/rtx-pro-6000-blackwell-server-96gb"),
    ],
)
def test_instance_types_are_what_their_suppliers_say(provider, name, vcpus, memory_gb, boards, accelerator):
    """Published sizes of the three clouds are found under the names that bills use."""
    found = find_instance(read_edition(), provider, name, DAY)
    assert found is not None
    assert (found.vcpus, found.boards, found.accelerator) == (vcpus, boards, accelerator)
    assert memory_gb is None or found.memory_gb == pytest.approx(memory_gb, rel=1e-3)


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        ("azure", "NV8as v4"),
        ("azure", "NC6s v9"),
        ("aws", "p9.48xlarge"),
        ("aws", "dl1.24xlarge"),
        ("gcp", "a9-highgpu-8g"),
    ],
)
def test_a_machine_with_unknown_accelerators_is_not_priced_without_them(tmp_path: Path, provider, name):
    """Where nobody knows which accelerators a machine has, the range is over all of them, and the hint says so."""
    place = {**PLACE, "provider": provider}
    for folder in ("dark", "plain"):
        (tmp_path / folder).mkdir()
    dark = book_of(tmp_path / "dark", {**place, "device": name, "device_hours": 10})
    plain = book_of(tmp_path / "plain", {**place, "device": "nobody-knows.this", "device_hours": 10})
    with_boards, without = (figures(book)["facility_energy_kwh"].range for book in (dark, plain))
    assert with_boards.mid > without.mid
    assert with_boards.high > 10 * 0.4  # one accelerator of 400 W lies well inside
    found = dark.explain("facility_energy_kwh", "total")
    assert found is not None
    assert "accelerators_per_instance_count" in {used.part.quantity for used in found.used}
    assert found.hints


@pytest.mark.parametrize("name", ["m5", "xlarge", "x.y.z", "no-such.large", "", "D_v5", "n2-standard-"])
def test_a_name_that_is_no_instance_is_none(name):
    """What is no instance type is not taken for one."""
    assert find_instance(read_edition(), "", name, DAY) is None
    assert find_board(read_edition(), name) == ()


def test_a_task_or_picture_that_was_not_measured_is_a_range(tmp_path: Path):
    """An unknown task and a picture of unknown model and size keep a wide range, counted as unknown, with a hint."""
    book = book_of(tmp_path, {**PLACE, "task": "juggling"}, {**PLACE, "image_count": 1})
    (line,) = book.report(())
    assert line.unknown_count == 2
    found = book.explain("facility_energy_kwh", "total")
    assert found is not None
    assert len([hint for _about, hint in found.hints if "Nearest" in hint]) == 2


def test_postings_of_an_older_method_are_told_apart(mixed: Book):
    """What the first method said of text still replays; where it had no energy the audit asks for a restatement."""
    said = [{**row, "method": "tokens-1"} for row in mixed.standing_postings()]
    span = min((row["usage_after"], row["usage_through"]) for row in said)
    old = [row for row in said if (row["usage_after"], row["usage_through"]) == span]
    groups = mixed.store.rows(pricing.cube(pricing.in_grains(mixed.usage_again(span, old))))
    assert list(audit.replayed(old, groups)) == []
    bare = [{**row, "it_energy_kwh_q": None} if row["team"] == NAMES[0] else row for row in old]
    assert [finding.rule for finding in audit.replayed(bare, groups)] == ["method-gone"]


def test_every_term_has_a_name():
    """Whatever an explanation breaks an energy into has a name for people."""
    assert set(TERM_NAMES) == {*COEFFICIENTS, *UNITS_OF_USE}


def as_polars(polars, rows):
    """Rows of a resolved table with the types that the pipeline joins on."""
    keys = ("provider", "model", "region", "kind", "meter", "device", "task", "boundary")
    words = (*(f"{key}_key" for key in keys), "zone", "model_resolution_id", "place_resolution_id")

    def kind(name):
        if name in words:
            return polars.String
        exact = {"day": polars.Datetime("us"), "request_count": polars.Int64, "lowest_rung": polars.Int64}
        return exact.get(name, polars.Float64)

    plain = [{**row, **({"day": row["day"].replace(tzinfo=None)} if "day" in row else {})} for row in rows]
    return nw.from_native(polars.LazyFrame(plain, schema={name: kind(name) for name in plain[0]}, strict=False))


def test_polars_sums_every_kind_to_the_same_grains(mixed: Book):
    """A book of every kind gives the same whole numbers on Polars as on the embedded engine."""
    polars = pytest.importorskip("polars")
    usage = mixed.store.table("usage")
    others = pricing.others_in(mixed.store, usage)
    assert set(others) == {*kinds.OTHERS, kinds.UNTOLD}
    keyed = pricing.keyed(usage, others)
    resolver = Resolver(mixed.edition, mixed.policy)
    models = resolver.models(pricing.distinct(mixed.store, keyed, pricing.model_key(others)))
    places = resolver.places(pricing.distinct(mixed.store, keyed, pricing.place_key(others)))
    expected = mixed.store.rows(pricing.cube(pricing.in_grains(pricing.joined(mixed.store, keyed, models, places))))
    counts = shares(row["request_count"] for row in pricing.distinct(mixed.store, keyed, pricing.SHARE_KEY))
    tables = {
        name: as_polars(polars, rows) for name, rows in (("models", models), ("places", places), ("shares", counts))
    }
    files = polars.scan_parquet(mixed.store.segments("usage"))
    frame = files.with_columns(polars.col("started_at").dt.replace_time_zone(None))
    priced = pricing.price(pricing.keyed(nw.from_native(frame), others), **tables)
    found = pricing.cube(pricing.in_grains(priced)).collect("polars").rows(named=True)
    names = [*pricing.GROUP[1:], *(f"{name}_q" for name in pricing.PRICED), "cost_usd_q", "row_count", "key_a"]

    def sums(groups):
        return sorted(
            str([group[name] if group.get(f"{name[:-2]}_rows", 1) else None for name in names]) for group in groups
        )

    assert sums(found) == sums(expected)


@pytest.mark.parametrize(
    ("name", "boards"),
    [
        ("nvidia_h100_80gb_hbm3", ("nvidia/h100-pcie-80gb", "nvidia/h100-sxm-80gb")),
        ("nvidia_a100-sxm4-80gb", ("nvidia/a100-sxm-80gb",)),
        ("amd_instinct_mi300x_oam", ("amd/instinct-mi300x-192gb",)),
        ("tesla_v100-sxm2-32gb", ("nvidia/v100-sxm-32gb",)),
        ("rtx4090", ("nvidia/geforce-rtx-4090",)),
        ("tesla_v100-pcie-16gb", ()),
        ("nvidia_rtx_6000_ada_generation", ()),
        ("nvidia_a100-sxm4-40gb_mig_1g.5gb", ()),
        ("nc24ads_a100_v4", ()),
    ],
)
def test_accelerators_as_drivers_call_them(name, boards):
    """A driver's name means the boards of its model and socket; a part of a board, or another model, means none.

    Source: types that Slurm finds by itself, in issues 57 and 111 of SlinkyProject/slurm-operator (2025, 2026).
    """
    assert find_board(read_edition(), name) == boards
