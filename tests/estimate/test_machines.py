"""Energy of machines from meters and from use."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joulebook.estimate.machines import MachineUse, Reading, component_energy, microarchitecture
from joulebook.factors.read import read_edition
from joulebook.terms.range import Range
from joulebook.terms.tier import Tier

DAY = date(2026, 11, 22)
MILAN = "cpu:authenticamd/25/1/1"


@pytest.fixture(scope="module")
def edition():
    """The shipped factors."""
    return read_edition()


def use(cpu=MILAN, threads=2.0, load=0.5, seconds=3600.0, memory_gb=2.0, readings=None):
    """An hour at one load."""
    return MachineUse(cpu, threads, [0, seconds], [0, seconds * threads * load], memory_gb, readings or {}, DAY)


def test_slice_is_not_a_socket(edition):
    """Two virtual cores of a shared EPYC are some watts, not the 178.5 W of its socket."""
    (row,) = component_energy(use(load=1.0), edition)
    assert row.component == "node"
    assert row.energy_kwh.mid * 1000 == pytest.approx(2 * 1.78, rel=0.01)
    assert row.energy_kwh.high * 1000 < 6


def test_whole_server_at_rest_and_full(edition):
    """A two-socket EPYC 7763 is within its range of published power at rest (102 W) and under full load (461 W)."""
    for load, watts in ((0.0, 102), (1.0, 461)):
        (row,) = component_energy(use(threads=256.0, load=load, memory_gb=256), edition)
        assert row.energy_kwh.low * 1000 <= watts <= row.energy_kwh.high * 1000
        assert row.energy_kwh.mid * 1000 == pytest.approx(watts, rel=0.12)


def test_idle_is_shown_apart(edition):
    """The idle part is what the same hour costs at load zero."""
    busy, idle = (component_energy(use(load=load), edition)[0] for load in (0.7, 0.0))
    assert busy.idle_energy_kwh == pytest.approx(idle.energy_kwh.mid)


@given(low=st.floats(0, 1), more=st.floats(0, 1))
def test_more_load_is_more_energy(edition, low, more):
    """Energy does not fall when the load rises, and the range holds its middle."""
    first, second = (component_energy(use(load=load), edition)[0].energy_kwh for load in (low, min(1.0, low + more)))
    assert first.low <= first.mid <= first.high
    assert second.mid >= first.mid * (1 - 1e-12)


def test_concave_curve_on_epyc(edition):
    """At half load an EPYC takes more than half of the way from rest to full power, as measured."""
    rest, half, full = (component_energy(use(load=load), edition)[0].energy_kwh.mid for load in (0.0, 0.5, 1.0))
    assert (half - rest) / (full - rest) > 0.6


def test_unknown_processor_is_wide(edition):
    """A processor nobody knows gives a wide range, tier assumed and a hint, never zero and never another's numbers."""
    (known,), (unknown,) = (component_energy(use(cpu=cpu), edition) for cpu in (MILAN, "cpu:acme/1/1/1"))
    assert unknown.tier is Tier.ASSUMED
    assert unknown.energy_kwh.high / unknown.energy_kwh.low > 2 * known.energy_kwh.high / known.energy_kwh.low
    assert all(choice.is_unknown and choice.hint for choice in unknown.choices)


def test_stepping_tells_generations(edition):
    """One model number of Intel is two generations; the stepping tells which."""
    assert microarchitecture("cpu:genuineintel/6/85/4", DAY, edition) == "cpu:skylake"
    assert microarchitecture("cpu:genuineintel/6/85/7", DAY, edition) == "cpu:cascade-lake"
    assert microarchitecture("cpu:genuineintel/6/106/6", DAY, edition) == "cpu:ice-lake"
    assert microarchitecture("cpu:genuineintel/6/85", DAY, edition) is None
    assert microarchitecture("cpu:0x41/3340/1", DAY, edition) == "cpu:neoverse-n1"  # as Linux tells a Graviton2
    assert microarchitecture("cpu:0x6d/3401/0", DAY, edition) == "cpu:neoverse-n2"
    assert microarchitecture(None, DAY, edition) is None


def test_readings_keep_their_place(edition):
    """What a meter read is not estimated again; its range is the meter's accuracy."""
    readings = {
        "gpu": Reading(Range.exact(1.0), "nvml.total_energy", "measured"),
        "cpu": Reading(Range.exact(0.1), "rapl.powercap", "measured"),
        "memory": Reading(Range.exact(0.02), "rapl.powercap", "measured"),
    }
    rows = {row.component: row for row in component_energy(use(readings=readings), edition)}
    assert set(rows) == {"gpu", "cpu", "memory"}
    assert rows["gpu"].energy_kwh == pytest.approx((0.95, 1.0, 1.05))
    assert rows["memory"].energy_kwh == pytest.approx((0.016, 0.02, 0.024))
    assert all(row.tier is Tier.MEASURED for row in rows.values())


def test_memory_without_a_meter(edition):
    """Beside a metered processor, memory is a range by its size."""
    readings = {"cpu": Reading(Range.exact(0.1), "rapl.powercap", "measured")}
    rows = component_energy(use(memory_gb=100, readings=readings), edition)
    assert [row.component for row in rows] == ["cpu", "memory"]
    assert rows[1].energy_kwh == pytest.approx((0.01, 0.039, 0.06))


def test_whole_board_is_not_added_to(edition):
    """Where a meter reads the whole board, nothing is estimated beside it."""
    readings = {"node": Reading(Range.exact(0.2), "jetson.ina3221", "measured")}
    assert [row.component for row in component_energy(use(readings=readings), edition)] == ["node"]


def test_nothing_without_time(edition):
    """A run that had no time has no estimate."""
    assert component_energy(use(seconds=0.0), edition) == []
