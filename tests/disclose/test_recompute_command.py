"""`joulebook recompute`: a published figure again, with a verdict and an exit code."""

import json

import pytest

from joulebook.faces.cli.main import run_command

LLAMA = "co2e_operational_location_g(device_energy_kwh(h, w, 1), ci)"
INPUTS = ["--with", "h=7000000 h", "--with", "w=700 W", "--with", "ci=0.411..0.4187 kg/kWh"]


def test_a_published_figure_that_follows_exits_zero(capsys):
    """8 V100 for 36 hours at 129.5 W are 37.3 kWh to the last digit."""
    assert run_command(["recompute", "8 * 36 h * 129.5 W", "--unit", "kWh", "--published", "37.3"]) == 0
    assert "37.3" in capsys.readouterr().out


def test_a_published_figure_that_does_not_follow_exits_one(capsys):
    """The card of Llama 3.3 says 12.9 t where its inputs give 2,033 t: reported with the factor between."""
    assert run_command(["--lang", "en", "recompute", LLAMA, *INPUTS, "--unit", "t", "--published", "12.9"]) == 1
    out = capsys.readouterr().out
    assert "inconsistent" in out
    assert "157.6×" in out


def test_json_has_range_and_verdict(capsys):
    """--json gives low, mid, high, the formula in numbers and the agreement."""
    assert run_command(["recompute", LLAMA, *INPUTS, "--unit", "t", "--published", "2040", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["low"] < document["mid"] < document["high"]
    assert document["agreement"] == "consistent"
    assert "7e+06 h" in document["in_numbers"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["1 kWh + 1 kg", "--unit", "kWh"], 1),
        (["1 kWh +", "--unit", "kWh"], 1),
        (["x * 2", "--with", "x"], 2),
        (["x * 2", "--with", "x=many"], 1),
        (["1 kWh", "--unit", "parsec"], 2),
    ],
)
def test_what_cannot_be_computed_is_an_error(arguments, code, capsys):
    """Wrong units, wrong syntax and wrong inputs end with an error and the next step."""
    assert run_command(["--lang", "en", "recompute", *arguments]) == code
    assert "Next: " in capsys.readouterr().err
