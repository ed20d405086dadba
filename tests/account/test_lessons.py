"""Faults of other tools in accounting, each kept here as a test of ours."""

import inspect
from datetime import date

import narwhals as nw
import polars as pl
import pytest

from joulebook.account.embodied import embodied_sci_g
from joulebook.account.operational import (
    co2e_grid_losses_g,
    co2e_operational_location_g,
    co2e_operational_marginal_g,
)
from joulebook.account.overhead import facility_energy_kwh
from joulebook.account.rate import printed_per, rate_in, ratio_of_sums
from joulebook.account.train_estimate import estimate_training
from joulebook.account.train_inputs import TrainingPlan
from joulebook.account.water import water_offsite_hydro_l, water_offsite_without_hydro_l, water_onsite_l
from joulebook.disclose.equivalents import check_stated, read_amount
from joulebook.factors.choose import choose
from joulebook.factors.policy import POLICIES, policy
from joulebook.factors.read import read_edition
from joulebook.terms.columns import METRICS, columns


def test_embodied_carbon_is_never_turned_into_energy():
    """Cloud Carbon Footprint, issue 1038: 0.463 kWh stay 0.463 kWh, not 5.973; embodied grams stand apart."""
    energy, intensity = facility_energy_kwh(0.463, 1.0), 415.0
    embodied = embodied_sci_g(2_286_650.0, 0.001, 1.0)
    assert energy == 0.463
    assert energy + embodied / intensity == pytest.approx(5.973, abs=0.001)
    assert "co2e_embodied_amortised_g" in METRICS


def test_water_usage_effectiveness_is_of_it_energy():
    """SPRUCE multiplies WUE by facility energy; ours is WUE times IT energy, whatever the PUE."""
    assert water_onsite_l(it_energy_kwh=100.0, wue_l_per_kwh=1.8) == pytest.approx(180.0)
    with pytest.raises(TypeError):
        water_onsite_l(facility_energy_kwh=150.0, wue_l_per_kwh=1.8)


def test_transmission_losses_are_scope_3():
    """SPRUCE puts grid losses into Scope 2; ours are Scope 3 category 3, a column of their own."""
    with_losses = co2e_grid_losses_g(100.0, 400.0, 0.06)
    assert co2e_operational_location_g(100.0, 400.0) == pytest.approx(40_000.0)
    assert with_losses == pytest.approx(2400.0)
    assert "Scope 3 category 3" in (columns()["co2e_grid_losses_g"].standard or "")


def test_rates_are_not_averaged_over_time():
    """Impact Framework averages ratios to 5.005; the ratio of sums is 0.01998."""
    assert ratio_of_sums([(10.0, 1.0), (10.0, 1000.0)]).per_unit == pytest.approx(0.01998, abs=5e-6)


def test_functional_units_of_the_sci_for_ai_draft():
    """The draft's own examples are off by 10 to 1,000: 130 kg per 1e9 tokens is 130 g per million; 75 t over 2.5 B."""
    assert rate_in(130, "kg/1e9", f"g/{printed_per('token')}") == pytest.approx(130)
    assert rate_in(75 / 2.5, "t/1e9", f"kg/{printed_per('parameter')}") == pytest.approx(30_000)


def test_missing_is_not_zero():
    """A missing energy gives a missing footprint, in tables and in rates, and coverage says how much was known."""
    frame = nw.from_native(pl.DataFrame({"it_energy_kwh": [1.0, None], "pue_ratio": [1.2, 1.2]}))
    found = frame.with_columns(facility_energy_kwh(nw.col("it_energy_kwh"), nw.col("pue_ratio")).alias("facility"))
    assert found["facility"].to_list() == [1.2, None]
    rate = ratio_of_sums([(1.0, 2.0), (None, 2.0)])
    assert (rate.per_unit, rate.coverage_ratio) == (0.5, 0.5)


def test_hydropower_decides_the_ranking_so_both_views_are_kept():
    """The order of two places turns around with the view; both views are columns and none stands for water alone."""
    edition = read_edition()

    def views(region):
        plan = TrainingPlan(date(2024, 7, 1), device="h100-sxm-80gb", device_count=8.0, run_h=100.0, region=region)
        found = estimate_training(edition, plan)
        return found.figure("water_offsite_without_hydro_l").mid, found.figure("water_offsite_hydro_l").mid

    norway, korea = views("NOR"), views("KOR")
    assert norway[0] < korea[0]
    assert norway[1] > korea[1]
    assert water_offsite_without_hydro_l is not water_offsite_hydro_l
    assert not [name for name in METRICS if name in ("water_l", "water_offsite_l")]


def test_an_hour_of_television_is_not_three_thousand_kwh():
    """CodeCarbon tells 3103 kWh as one hour of television; the check of equivalences says no."""
    assert not check_stated(read_edition(), read_amount("3103 kWh"), 1, "tv-hour").is_plausible


def test_average_and_marginal_signals_are_never_mixed():
    """A later start may save a quarter by the mean of the grid and nearly nothing by the plant that answers.

    Each policy names the signal its intensities must have, and no factor of one signal answers for the other.
    """
    average = [co2e_operational_location_g(1.0, intensity) for intensity in (400.0, 302.0)]
    marginal = [co2e_operational_marginal_g(1.0, intensity) for intensity in (500.0, 499.0)]
    assert 1 - average[1] / average[0] == pytest.approx(0.245)
    assert 1 - marginal[1] / marginal[0] == pytest.approx(0.002)
    assert "intensity_g_per_kwh" in inspect.signature(co2e_operational_location_g).parameters
    assert "intensity_g_per_kwh" not in inspect.signature(co2e_operational_marginal_g).parameters
    edition = read_edition()
    for name in POLICIES:
        rule = policy(name).rule("intensity_g_per_kwh")
        assert rule.bases
        assert all(basis.get("signal") for basis in rule.bases)
        found = choose(edition, "intensity_g_per_kwh", "KOR", date(2024, 7, 1), name)
        assert found.factor.basis["signal"] in {basis["signal"] for basis in rule.bases}
