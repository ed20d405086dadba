"""Row formulas: each on floats, against a figure worked out by hand or published."""

import pytest

from joulebook.account.allocate import allocate, shares
from joulebook.account.embodied import (
    co2e_embodied_amortised_g,
    embodied_per_hour,
    embodied_per_kwh,
    embodied_purchase_year_g,
    embodied_sci_g,
)
from joulebook.account.operational import (
    co2e_grid_losses_g,
    co2e_operational_location_g,
    co2e_upstream_g,
    lost_per_delivered,
)
from joulebook.account.overhead import facility_energy_kwh
from joulebook.account.rate import co2e_sci_g, printed_per, rate_in, ratio_of_sums
from joulebook.account.water import water_offsite_hydro_l, water_offsite_without_hydro_l, water_onsite_l
from joulebook.errors import BadValue, UnknownName, UsageError


def test_water_usage_effectiveness_applies_to_it_energy():
    """On-site water is WUE times IT energy, so a high PUE does not raise it."""
    it, pue, wue = 100.0, 1.5, 1.8
    assert water_onsite_l(it, wue) == pytest.approx(180.0)
    assert water_onsite_l(it, wue) != pytest.approx(facility_energy_kwh(it, pue) * wue)


def test_grid_losses_are_a_column_of_their_own():
    """Losses are Scope 3 category 3: the operational figure is the same with and without them."""
    energy, intensity = 100.0, 400.0
    assert co2e_operational_location_g(energy, intensity) == pytest.approx(40_000.0)
    assert co2e_grid_losses_g(energy, intensity, lost_per_delivered(0.06)) == pytest.approx(2553.191489)
    assert co2e_upstream_g(energy, 50.0) == pytest.approx(5000.0)


@pytest.mark.parametrize("share", [-0.1, 1.0, 6.0, float("nan")])
def test_a_loss_share_outside_zero_to_one_is_refused(share):
    """A percentage, or losing everything, is an error with a next step."""
    with pytest.raises(BadValue, match="not percent"):
        lost_per_delivered(share)


def test_embodied_carbon_stays_apart_from_energy():
    """Cloud Carbon Footprint's case: the energy stays 0.463 kWh, it does not become 5.973; embodied is grams apart."""
    energy = facility_energy_kwh(0.463, 1.0)
    embodied = embodied_sci_g(1_000_000.0, 24 / 35_040, 0.5)
    assert energy == pytest.approx(0.463)
    assert embodied == pytest.approx(342.465753)
    assert co2e_sci_g(co2e_operational_location_g(energy, 400.0), embodied) == pytest.approx(185.2 + 342.465753)


def test_two_water_views_use_facility_energy():
    """Off-site water is the grid's water intensity times facility energy, in two views (Li et al. 2023, Washington)."""
    facility = facility_energy_kwh(0.004, 1.15)
    assert water_offsite_hydro_l(facility, 9.501) == pytest.approx(0.043706, rel=1e-4)
    assert water_offsite_without_hydro_l(facility, 1.0) == pytest.approx(0.0046)


def test_embodied_by_hour_and_by_energy_agree():
    """An hour at mean power gives the same grams by hours and by kWh."""
    per_hour = embodied_per_hour(150_000.0, 2_500_000.0, 8, 6 * 8760.0, 0.85)
    assert co2e_embodied_amortised_g(0.4, embodied_per_kwh(per_hour, 0.4), 0) == pytest.approx(per_hour)


def test_purchase_year_view_books_all_or_nothing():
    """Capital goods are booked whole in the year of purchase and not depreciated."""
    assert sum(embodied_purchase_year_g(5.0, 2024, year) for year in range(2020, 2030)) == 5.0


@pytest.mark.parametrize("wrong", [{"life_h": 0.0}, {"used": -1.0}, {"devices_per_server": 0}])
def test_embodied_refuses_a_life_of_nothing(wrong):
    """A divisor of zero is bad input, not an infinite footprint."""
    facts = {"device_g": 1.0, "server_g": 1.0, "devices_per_server": 8, "life_h": 10.0, "used": 0.5} | wrong
    with pytest.raises(BadValue, match="above zero"):
        embodied_per_hour(**facts)


def test_parts_of_an_allocation_sum_to_the_whole():
    """Largest remainder: 100 by thirds is 34, 33, 33; a zero weight gets nothing."""
    assert allocate(100, {"a": 1, "b": 1, "c": 1, "d": 0}) == {"a": 34, "b": 33, "c": 33, "d": 0}
    large = 10**30 + 1
    assert sum(allocate(large, {"a": 0.1, "b": 0.2}).values()) == large
    assert sum(shares({"a": 0.1, "b": 0.7}).values()) == 1


@pytest.mark.parametrize("weights", [{}, {"a": 0}, {"a": -1, "b": 2}, {"a": float("nan")}, {"a": float("inf")}])
def test_an_allocation_without_a_key_is_refused(weights):
    """Nothing is split evenly in silence when the weights are missing, negative or not numbers."""
    with pytest.raises(UsageError):
        allocate(1, weights)


def test_rates_are_ratios_of_sums():
    """The case of the Impact Framework: 0.01998, not the mean of ratios 5.005."""
    rows = [(10.0, 1.0), (10.0, 1000.0)]
    rate = ratio_of_sums(rows)
    assert rate.per_unit == pytest.approx(0.01998, abs=5e-6)
    assert sum(amount / units for amount, units in rows) / len(rows) == pytest.approx(5.005)


def test_unknown_rows_lower_the_coverage_and_not_the_rate():
    """A row without an amount is left out of both sums and shows in the coverage."""
    rate = ratio_of_sums([(2.0, 4.0), (None, 4.0), (2.0, None)])
    assert (rate.per_unit, rate.coverage_ratio) == (0.5, pytest.approx(1 / 3))
    with pytest.raises(BadValue):
        _ = ratio_of_sums([]).per_unit


def test_units_of_rates_convert_on_both_sides():
    """130 kg per 1e9 tokens is 130 g per million; 75 t over 2.5 billion parameters is 30,000 kg per billion."""
    assert rate_in(130, "kg/1e9", printed := "g/" + printed_per("token")) == pytest.approx(130.0), printed
    assert rate_in(75 / 2.5, "t/1e9", "kg/" + printed_per("parameter")) == pytest.approx(30_000.0)
    with pytest.raises(UnknownName, match="parameter"):
        printed_per("thought")
