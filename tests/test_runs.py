"""Measured runs in the book: priced, posted, explained and audited like everything else."""

from dataclasses import replace as replaced
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joulebook.account import measured
from joulebook.account.resolver import Resolver
from joulebook.book import Book
from joulebook.faces.sample import sample_options, write_sample
from joulebook.factors.read import read_edition
from joulebook.ledger.balance import VIEWS
from joulebook.measure.summary import ComponentEnergy, HostSummary, RunSummary
from joulebook.measure.tally import UseTally
from joulebook.measure.utilisation import Machine
from joulebook.reduce.compare import compare, run_side
from joulebook.runs import account_run, book_run
from joulebook.terms.columns import METRICS
from joulebook.terms.range import Range
from joulebook.terms.rounding import from_grains
from joulebook.terms.tier import Tier

START = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
MACHINE = Machine("AuthenticAMD", 25, 1, 1, "AMD EPYC", 2, 2.0, 2 * 10**9, 2 * 10**9, is_virtual=True)
NO_GPU = ComponentEnergy("gpu", None, None, "", reason="the driver does not answer", remedy="start it")
NO_CPU = ComponentEnergy("cpu", None, None, "", reason="hidden", remedy="show it")


def board(kwh: float, *, low: float | None = None) -> ComponentEnergy:
    """What a board's counter read."""
    energy = Range(kwh if low is None else low, kwh, kwh)
    return ComponentEnergy(
        "gpu", energy, Tier.MEASURED, "nvml.total_energy", ("NVIDIA A100-SXM4-80GB",), device_count=1.0
    )


def run(name, *components, hours=1.0, started=START, **more):
    """A run of one host."""
    seconds = hours * 3600
    use = UseTally(threads=2.0, seconds=seconds, step_s=[seconds, 0.0], step_busy_s=[seconds, 0.0])
    host = HostSummary("h", "b", started, seconds, components, MACHINE, use)
    return RunSummary(name, f"{name}.py", "p", "t", {}, "ok", 0, started, seconds, (host,), **more)


@pytest.fixture(scope="module")
def edition():
    """The shipped factors."""
    return read_edition()


@pytest.fixture
def book(tmp_path) -> Book:
    """An empty book whose clock counts minutes."""
    minutes = count()
    return Book(tmp_path / "book", clock=lambda: START + timedelta(days=1, minutes=next(minutes)))


def mids(line):
    """Figure -> middle."""
    return {name: amount.range.mid for name, amount in line.amounts.items()}


def test_run_is_in_the_report(book, edition):
    """A booked run is posted with energy, CO2e, water and embodied share, and the report says what the run said."""
    account = account_run(run("r1", board(1.0), NO_CPU), edition, region="KOR")
    book_run(book.store, account)
    (line,) = book.report(())
    assert line == replaced(account.line, keys={})
    assert line.amounts["gpu_energy_kwh"].range.mid == 1.0
    assert {"co2e_embodied_amortised_g", "water_onsite_l", "co2e_grid_losses_g"} <= set(line.amounts)
    assert (line.request_count, line.part_count, line.energy_tier) == (0, 2, "estimated")
    assert list(book.audit()) == []


def test_booked_twice_counts_once(book, edition):
    """The wrapper and recover may both book a run; the report has it once."""
    account = account_run(run("r1", board(1.0)), edition, region="KOR")
    book_run(book.store, account)
    once = book.report(())
    book_run(book.store, account)
    assert book.report(()) == once
    assert book.booked_runs() == {"r1"}


def test_usage_and_runs_add_up(book, edition, tmp_path):
    """The total of a book is the sum of its usage and its runs, whatever it is grouped by; both replay."""
    path = write_sample(tmp_path / "sample.csv")
    book.import_file("csv", path, sample_options(path))
    usage = book.report(())[0]
    account = account_run(run("r1", board(1.0), NO_CPU), edition, region="KOR")
    book_run(book.store, account)
    whole = book.report(())[0]
    for name in METRICS:
        if name in usage.amounts and name in account.amounts:
            parts = mids(usage)[name] + mids(account.line)[name]
            assert mids(whole)[name] == pytest.approx(parts, rel=1e-12), name
    for by in ("run", "component", "project", "tool", "day", "source"):
        lines = book.report((by,))
        for name in VIEWS:
            added = sum(line.amounts[name].range.mid for line in lines if name in line.amounts)
            assert added == pytest.approx(whole.amounts[name].range.mid if name in whole.amounts else 0.0), (by, name)
    explained = book.explain("co2e_operational_location_g", "total")
    assert explained.terms
    assert {one.component for one in explained.metered} == {"gpu", "node"}
    assert explained.steps[-1].value == pytest.approx(mids(whole)["co2e_operational_location_g"])
    assert list(book.audit()) == []


def test_missing_is_not_zero(book, edition):
    """A part that nothing tells is in the book as missing: less is covered, nothing is added, a next step is told."""
    book_run(book.store, account_run(run("r1", NO_GPU, NO_CPU), edition, region="KOR"))
    line = book.report(())[0]
    assert (line.part_count, line.missing_count) == (2, 1)
    assert line.amounts["it_energy_kwh"].covered_ratio == 0.5
    alone = {one.keys["component"]: one for one in book.report(("component",))}
    assert alone["gpu"].amounts == {}
    explained = book.explain("it_energy_kwh", "run:r1")
    assert [(one.component, one.energy_kwh is None) for one in explained.metered] == [("node", False), ("gpu", True)]
    assert any("joulebook doctor" in advice for _about, advice in explained.hints)


def test_unknown_place_spans_the_world(book, edition):
    """A run without a place keeps its energy, and its CO2e has the range over the grids with a hint to name one."""
    for name, region in (("r1", None), ("r2", "KOR")):
        book_run(book.store, account_run(run(name, board(1.0)), edition, region=region))
    lines = {line.keys["run"]: line for line in book.report(("run",))}
    assert lines["r1"].amounts["it_energy_kwh"] == lines["r2"].amounts["it_energy_kwh"]
    wide, narrow = (lines[name].amounts["co2e_operational_location_g"].range for name in ("r1", "r2"))
    assert wide.high / wide.low > 2 * narrow.high / narrow.low
    assert (lines["r1"].unknown_count, lines["r2"].unknown_count) == (2, 0)
    hints = book.explain("co2e_operational_location_g", "run:r1").hints
    assert any("--region" in advice for _about, advice in hints)


def test_gap_belongs_to_one_run(book, edition):
    """What a gap leaves open in one run averages out over runs; what their meters are wrong by does not."""
    for number in range(4):
        book_run(book.store, account_run(run(f"r{number}", board(1.0, low=0.5)), edition, region="KOR"))
    whole = book.report(())[0].amounts["gpu_energy_kwh"]
    one = book.report(("run",))[0].amounts["gpu_energy_kwh"]
    assert whole.range.low / whole.range.mid > one.range.low / one.range.mid
    assert whole.range.high / whole.range.mid == pytest.approx(one.range.high / one.range.mid)


def test_embodied_share_is_explained(book, edition):
    """The embodied share of a run is its hours times what its hardware emits per hour of its life."""
    account = account_run(run("r1", board(1.0), hours=10.0), edition, region="KOR")
    book_run(book.store, account)
    found = book.explain("co2e_embodied_amortised_g", "run:r1")
    (only,) = found.steps
    assert only.words == "run_h × embodied_g_per_h"
    assert only.value == pytest.approx(found.amount.range.mid, rel=1e-6)
    boards = next(row for row in account.rows if row.row.component == "gpu")
    a100_g, life_h = 150_000, 43_830
    gpu = {line.keys["component"]: line for line in book.report(("component",))}["gpu"]
    assert boards.row.component == "gpu"
    assert mids(gpu)["co2e_embodied_amortised_g"] == pytest.approx(a100_g * 10 / life_h, rel=1e-6)


def test_runs_compare_by_what_differs(edition):
    """Two runs of one machine and place differ by their energy alone: the ratio is narrower than either figure."""
    sides = [
        run_side(name, account_run(run(name, board(kwh)), edition, region="KOR").amounts, "KOR:h")
        for name, kwh in (("a", 1.0), ("b", 2.0))
    ]
    found = compare(*sides, "co2e")
    assert found.shared
    assert found.ratio.high / found.ratio.low < found.a.high / found.a.low
    assert found.probability_a_lower > 0.99
    elsewhere = run_side("c", account_run(run("c", board(2.0)), edition).amounts, ":other")
    assert compare(sides[0], elsewhere, "co2e").ratio.high > 2 * found.ratio.high


def test_runs_at_the_same_time_are_told(book, edition):
    """Two runs that overlap on one machine each hold the whole machine: a warning says so; one after another do not."""
    for name, started in (("r1", START), ("r2", START + timedelta(minutes=30)), ("r3", START + timedelta(hours=3))):
        book_run(book.store, account_run(run(name, board(1.0), started=started), edition, region="KOR"))
    found = list(book.audit())
    assert [(one.rule, one.is_error, one.facts["count"], one.facts["component"]) for one in found] == [
        ("runs-overlap", False, 2, "gpu"),
        ("runs-overlap", False, 2, "node"),
    ]
    assert [one.facts for one in book.overlaps()] == [one.facts for one in found]


def test_run_over_midnight(book, edition):
    """A run over several days is booked on each of them by its part of the time, and the days sum to the run."""
    account = account_run(run("r1", board(24.0), hours=48.0, started=START), edition, region="KOR")
    book_run(book.store, account)
    days = book.report(("day",))
    energies = [line.amounts["gpu_energy_kwh"].range.mid for line in days]
    assert energies == pytest.approx([24 * 14.5 / 48, 12.0, 24 * 9.5 / 48])
    assert account.line.amounts["gpu_energy_kwh"].range.mid == pytest.approx(24.0)


def test_run_under_an_hourly_policy(tmp_path, edition):
    """Where the policy speaks of hours a run is posted hour by hour; the hours sum to the run and the book replays."""
    book = Book(tmp_path / "book", policy="ghgp-location-hourly-draft", clock=lambda: START + timedelta(days=9))
    account = account_run(run("r1", board(3.0), hours=3.0, started=START), edition, region="KOR")
    book_run(book.store, account)
    line = book.report(())[0]
    rows = sorted(book.standing_postings(), key=lambda row: (row["component"], row["period_start"]))
    energies = [from_grains(row["gpu_energy_kwh_q"], "gpu_energy_kwh") for row in rows if row["component"] == "gpu"]
    assert energies == pytest.approx([0.5, 1.0, 1.0, 0.5])
    assert all(row["period_end"] - row["period_start"] == timedelta(hours=1) for row in rows)
    assert mids(line)["gpu_energy_kwh"] == pytest.approx(3.0)
    assert list(book.audit()) == []


def test_restatement_keeps_what_was_said(book, edition):
    """After a restatement the runs stand as before, and the book still says what it said on any earlier date."""
    book_run(book.store, account_run(run("r1", board(1.0)), edition, region="KOR"))
    before = book.report(())
    when = book.clock()
    assert book.restate("a newer edition") == 2
    assert book.report((), when) == before
    assert mids(book.report(())[0]) == mids(before[0])
    assert list(book.audit()) == []


def test_changed_energy_is_found(book, edition):
    """A posting of a run that its rows do not give again is a finding."""
    book_run(book.store, account_run(run("r1", board(1.0)), edition, region="KOR"))
    book.post()
    more = account_run(run("r2", board(1.0)), edition, region="KOR")
    book_run(book.store, more)
    rows = book.store.rows(book.store.table("posting"))
    forged = [{**row, "usage_through": 1, "posting_id": f"x{number}"} for number, row in enumerate(rows)]
    book.store.append_rows("posting", forged, unique="posting_id", info={"usage_version": "-1", "energy_version": "1"})
    assert {finding.rule for finding in book.audit()} >= {"posting-changed", "rows-not-posted"}


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(1e-6, 1e4), st.floats(0.01, 200.0), st.sampled_from([None, "KOR", "USA"])),
        min_size=1,
        max_size=5,
    )
)
def test_parts_sum_to_the_whole(edition, runs):
    """Whatever runs there are, each metric of the whole is the sum of its runs, and a run's of its components."""
    accounts = [
        account_run(run(f"r{place}", board(kwh), NO_CPU, hours=hours), edition, region=region)
        for place, (kwh, hours, region) in enumerate(runs)
    ]
    rows = measured.by_period([row for account in accounts for row in account.energy], measured.DAY)
    resolver = Resolver(edition, "ghgp-location")
    values = {name: one.values for account in accounts for name, one in account.resolutions.items()}
    groups = list(measured.groups(rows, values, resolver.places(measured.place_keys(rows))))
    for metric in METRICS:
        whole = sum(group[f"{metric}_q"] for group in groups)
        alone = [
            group[f"{metric}_q"]
            for account in accounts
            for own in [measured.by_period(account.energy, measured.DAY)]
            for group in measured.groups(own, values, resolver.places(measured.place_keys(own)))
        ]
        assert whole == sum(alone), metric
