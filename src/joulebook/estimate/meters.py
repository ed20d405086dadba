"""How far another meter's reading may be from the energy that was used."""

from joulebook.factors.choose import Choice, choose
from joulebook.factors.edition import UNKNOWN, Edition
from joulebook.terms.energy import Energy


def rated(row: Energy, edition: Edition) -> tuple[Energy, Choice]:
    """A reading with its meter's accuracy, and the factor behind it: true energy = read energy x error ratio.

    Args:
        row: as a reader gives it; the word before the first dot of its method names the meter.
        edition: factors; the accuracy of ``meter:NAME``, and of an unknown meter where it has none.

    Raises:
        FactorMissing: the edition has not even a range for unknown meters.
    """
    accuracy = _accuracy(row, edition)
    error = accuracy.factor.range
    rated_row: Energy = {
        **row,
        "it_energy_kwh": row["it_energy_kwh"] * error.mid,
        "it_energy_low_kwh": row.get("it_energy_low_kwh", row["it_energy_kwh"]) * error.low,
        "it_energy_high_kwh": row.get("it_energy_high_kwh", row["it_energy_kwh"]) * error.high,
        "factor_ids": accuracy.factor.factor_id,
    }
    return rated_row, accuracy


def _accuracy(row: Energy, edition: Edition) -> Choice:
    subject = f"meter:{row['method'].partition('.')[0]}"
    known = edition.factors_for("meter_error_ratio", subject)
    return choose(edition, "meter_error_ratio", subject if known else UNKNOWN, row["started_at"].date())
