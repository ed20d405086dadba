"""Components, life cycle and trends: worked by hand or against a publication."""

import pytest

from joulebook.account.components import Component, Known, component_energy_kwh, machine, memory_energy_kwh
from joulebook.account.lifecycle import LifeCycle, amortised_per_use, break_even_count, break_even_s
from joulebook.account.operational import co2e_operational_location_g, co2e_operational_marginal_g
from joulebook.account.trend import change_ratio, linear_path, yearly_change_ratio
from joulebook.errors import BadValue
from joulebook.terms.range import Range
from joulebook.terms.tier import Tier


def test_components_stay_apart_with_how_they_are_known():
    """A memory constant beside a measured board: the share of what is only assumed is told."""
    found = machine(
        [
            Component("gpu", Range(0.030, 0.0308, 0.032), Known.MEASURED),
            Component("memory", Range.exact(0.0264), Known.CONSTANT),
            Component("cpu", Range.exact(0.0026), Known.MODELLED),
        ]
    )
    assert found.energy.mid == pytest.approx(0.0598)
    assert found.energy.low < found.energy.mid < found.energy.high
    assert found.tier is Tier.ASSUMED
    assert found.share(Known.CONSTANT) == pytest.approx(0.4415, abs=0.001)
    assert sum(found.share(known) for known in Known) == pytest.approx(1)
    assert machine([]).share(Known.MEASURED) == 0


def test_green_algorithms_by_hand():
    """12 h of 12 cores at 12 W and 64 GB at 0.3725 W/GB take 3.36 kWh at a PUE of 1.67."""
    cpu = component_energy_kwh(12, 12, 0.012, 1.0)
    memory = memory_energy_kwh(12, 64, 0.0003725)
    assert (cpu + memory) * 1.67 == pytest.approx(3.3635136)


def test_break_even_has_a_count_and_a_time():
    """BLOOMz-560M: 204.6 million answers, two days at 100 million answers a day (Luccioni et al. 2024, table 5)."""
    assert break_even_count(10505 + 543, 5.4e-5) == pytest.approx(204_592_592, rel=1e-8)
    assert break_even_s(11048, 5.4e-5, 100e6 / 86400) / 86400 == pytest.approx(2.046, rel=1e-3)
    assert amortised_per_use(11048, 204_592_592) == pytest.approx(5.4e-5)


def test_a_life_cycle_carries_its_ranges():
    """Uncertain answers make the break-even count uncertain the other way round; a share stays a share."""
    life = LifeCycle(Range.exact(50), Range(80, 100, 125), Range(0.0005, 0.001, 0.002), Range.exact(2))
    assert life.before_use.mid == 150
    assert life.break_even_count.low < 150_000 < life.break_even_count.high
    assert life.break_even_s.mid == pytest.approx(75_000)
    assert life.inference_ratio(Range.exact(150_000)).mid == pytest.approx(0.5)
    assert life.inference_ratio(Range.exact(1e9)).high <= 1
    assert life.amortised_per_use(Range.exact(1_000_000)).mid == pytest.approx(0.00015)


@pytest.mark.parametrize(
    "call",
    [
        lambda: break_even_count(1, 0),
        lambda: break_even_s(1, 1, 0),
        lambda: amortised_per_use(1, 0),
        lambda: change_ratio(0, 1),
        lambda: yearly_change_ratio(1, 2, 0),
        lambda: linear_path(1, 0, 2020, 2020, 2020),
    ],
)
def test_nothing_is_divided_by_nothing(call):
    """No uses, no base and no years are bad input, not infinity."""
    with pytest.raises(BadValue, match="Next: "):
        call()


def test_average_and_marginal_are_two_columns():
    """Average and marginal have columns of their own; neither formula takes the other's factor."""
    average = co2e_operational_location_g(facility_energy_kwh=10.0, intensity_g_per_kwh=300.0)
    marginal = co2e_operational_marginal_g(facility_energy_kwh=10.0, marginal_intensity_g_per_kwh=550.0)
    assert (average, marginal) == (3000.0, 5500.0)
    with pytest.raises(TypeError):
        co2e_operational_location_g(facility_energy_kwh=10.0, marginal_intensity_g_per_kwh=550.0)
