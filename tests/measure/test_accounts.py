"""A measured run in the words of the book."""

from datetime import UTC, datetime

import pytest

from joulebook.factors.choose import choose
from joulebook.factors.read import read_edition
from joulebook.measure.summary import ComponentEnergy, HostSummary, RunSummary
from joulebook.measure.tally import UseTally
from joulebook.measure.utilisation import Machine
from joulebook.runs import account_run, book_run, cpu_subject
from joulebook.store.store import Store
from joulebook.terms.range import Range
from joulebook.terms.tables import table
from joulebook.terms.tier import Tier

UNKNOWN_HERE = {"co2e_operational_market_g", "co2e_embodied_purchase_year_g"}
START = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
MACHINE = Machine("AuthenticAMD", 25, 1, 1, "AMD EPYC", 2, 2.0, 2 * 10**9, 2 * 10**9, is_virtual=True)


@pytest.fixture(scope="module")
def edition():
    """The shipped factors."""
    return read_edition()


def run(*components, hours=1.0):
    """A run of one host."""
    seconds = hours * 3600
    use = UseTally(threads=2.0, seconds=seconds, step_s=[seconds, 0.0], step_busy_s=[seconds, 0.0])
    host = HostSummary("h", "b", START, seconds, components, MACHINE, use)
    return RunSummary("r1", "train", "p", "t", {}, "ok", 0, START, seconds, (host,))


GPU = ComponentEnergy("gpu", Range.exact(1.0), Tier.MEASURED, "nvml.total_energy", ("H100",))
NO_CPU = ComponentEnergy("cpu", None, None, "", reason="hidden", remedy="show it")


def test_unknown_place_keeps_the_energy(edition):
    """Without a place the energy stands, and CO2e spans the world's grids: wide, unknown, never a default country."""
    account = account_run(run(GPU, NO_CPU), edition)
    korea = account_run(run(GPU, NO_CPU), edition, region="KOR")
    assert account.place.is_unknown
    assert account.it_energy_kwh == korea.it_energy_kwh
    wide, narrow = (one.metrics["co2e_operational_location_g"] for one in (account, korea))
    assert wide.high / wide.low > 2 * narrow.high / narrow.low
    assert 1.0 * 350 < narrow.mid < 1.3 * 1.8 * 500
    assert any(part.is_unknown for part, _ratio in account.amounts["co2e_operational_location_g"].drivers)
    assert account_run(run(GPU, NO_CPU)._replace(region="KOR"), edition).metrics == korea.metrics


def test_components_sum_to_the_total(edition):
    """The energy of a run is the sum of its components', and facility energy is that times PUE."""
    account = account_run(run(GPU, NO_CPU), edition, "aws", "us-east-1")
    assert sum(one.row.energy_kwh.mid for one in account.rows) == pytest.approx(account.it_energy_kwh.mid, rel=1e-12)
    pue = choose(edition, "pue_ratio", account.place.site, START.date()).factor.value
    assert account.metrics["facility_energy_kwh"].mid == pytest.approx(account.it_energy_kwh.mid * pue, rel=1e-12)
    assert account.tier is Tier.ESTIMATED


def test_twice_the_energy_is_twice_the_footprint(edition):
    """Every metric scales with the energy."""
    once, twice = (
        account_run(run(GPU._replace(energy_kwh=Range.exact(k)), hours=k), edition, region="FRA") for k in (1.0, 2.0)
    )
    for name, value in once.metrics.items():
        if value is not None:
            assert twice.metrics[name].mid == pytest.approx(2 * value.mid), name
    assert {name for name, value in once.metrics.items() if value is None} >= UNKNOWN_HERE


def test_nothing_measured_is_unknown(edition):
    """A run of which nothing is known has unknown figures, not zeros."""
    bare = run(NO_CPU)
    account = account_run(bare._replace(hosts=(bare.hosts[0]._replace(machine=None),)), edition)
    assert set(account.metrics.values()) == {None}
    assert [(row["component"], row["it_energy_kwh"]) for row in account.energy] == [("cpu", None)]


def test_booked_once(edition, tmp_path):
    """Rows have the columns of the energy table, and booking a run again books nothing again."""
    account = account_run(run(GPU, NO_CPU), edition, "aws", "us-east-1")
    rows = account.energy
    assert all(tuple(row) == table("energy").columns for row in rows)
    assert {row["component"] for row in rows} == {"gpu", "node"}
    store = Store(tmp_path / "book")
    for _time in range(2):
        book_run(store, account)
    kept = store.rows(store.table("energy"))
    assert len(kept) == 2
    assert sum(row["it_energy_kwh"] for row in kept) == pytest.approx(account.it_energy_kwh.mid)


def test_processor_as_a_subject():
    """The processor's subject is vendor, family, model and stepping; what does not tell is None."""
    assert cpu_subject(MACHINE) == "cpu:authenticamd/25/1/1"
    assert cpu_subject(MACHINE._replace(cpu_model=None)) is None
