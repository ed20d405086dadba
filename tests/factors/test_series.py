"""Series beside the factor files: checked on load, honest about what they do not cover."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from joulebook.errors import UnknownName
from joulebook.estimate.instance import find_instance
from joulebook.factors.faults import FactorFault
from joulebook.factors.read import read_edition
from joulebook.factors.series import FOLDER, hourly_profile, instance, read_series, series_faults, series_names

HOURS = 12 * 24


def copied(tmp_path: Path, name: str) -> Path:
    """A copy of one series."""
    for suffix in (".csv", ".yaml"):
        shutil.copy(FOLDER / f"{name}{suffix}", tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", series_names())
def test_a_changed_byte_is_refused(tmp_path: Path, name: str) -> None:
    """A CSV that is not the one its descriptor was written for is refused with the descriptor's line."""
    folder = copied(tmp_path, name)
    path = folder / f"{name}.csv"
    path.write_bytes(path.read_bytes().replace(b"1", b"2", 1))
    with pytest.raises(FactorFault, match=rf"series/{name}\.yaml:\d+: {name}\.csv is not the file"):
        read_series(name, folder)


def test_an_unknown_source_of_a_series_is_a_fault(tmp_path: Path) -> None:
    """A series whose source is not in the bibliography is reported."""
    folder = copied(tmp_path, "instances")
    path = folder / "instances.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("spruce-accelerators", "nowhere"), encoding="utf-8")
    assert [fault.rule for fault in series_faults(read_edition(), folder)] == ["unknown-source"]


def test_an_unknown_series_is_refused() -> None:
    """A name that does not exist gets the list."""
    with pytest.raises(UnknownName, match="hourly-profile"):
        read_series("hourly")


def test_every_profile_is_whole_and_averages_to_one() -> None:
    """Each zone has 12 x 24 hours in order low <= ratio <= high, and their mean is 1 within the days of a month."""
    zones: dict[str, list[float]] = {}
    for row in read_series("hourly-profile").rows:
        zones.setdefault(row["zone"], []).append(float(row["ratio"]))
        assert float(row["low"]) <= float(row["ratio"]) <= float(row["high"])
    assert {len(ratios) for ratios in zones.values()} == {HOURS}
    assert all(sum(ratios) / HOURS == pytest.approx(1, abs=0.02) for ratios in zones.values())


def test_california_is_clean_at_noon() -> None:
    """In April California's grid is cleaner at 20:00 UTC, its noon, than at 04:00 UTC, its evening."""
    profile = hourly_profile(read_edition(), "US-CAMX")
    assert profile is not None
    assert profile[4, 20].mid < 0.7
    assert profile[4, 4].mid > 1.0


def test_profiles_serve_the_contiguous_states() -> None:
    """Every subregion of the contiguous US, the country and Sweden have a profile; steeper in the West."""
    edition = read_edition()
    served = {link.subject for link in edition.links if link.relation == "hourly_profile"}
    subregions = {z.subject for z in edition.factors_for("grid_loss_ratio") if z.subject.startswith("US-")}
    assert {zone for zone in subregions - served if not zone.startswith(("US-AK", "US-HI", "US-PR"))} == set()
    assert {"USA", "SWE"} <= served
    west, east = hourly_profile(edition, "US-RMPA"), hourly_profile(edition, "US-FRCC")
    assert west is not None
    assert east is not None
    assert max(west.values(), key=lambda hour: hour.mid).mid > max(east.values(), key=lambda hour: hour.mid).mid


def test_a_zone_without_profile_says_so() -> None:
    """No profile is None, never a flat one."""
    assert hourly_profile(read_edition(), "KOR") is None


def test_instances() -> None:
    """Instance types know their processors and accelerators; what is unknown is None."""
    found = instance("aws", "p5.48xlarge")
    assert found is not None
    assert (found.vcpus, found.accelerator, found.accelerators) == (192, "nvidia/h100-sxm-80gb", 8)
    assert read_edition().factors_for("memory_gb", found.accelerator)
    assert instance("aws", "p99.huge") is None


@pytest.mark.parametrize(
    ("provider", "name", "accelerator", "count"),
    [
        ("azure", "Standard_NC4as_T4_v3", "nvidia/t4", 1),
        ("azure", "Standard_ND96isr_H200_v5", "nvidia/h200-sxm-141gb", 8),
        ("aws", "p4d.24xlarge", "nvidia/a100-sxm-40gb", 8),
        ("aws", "p6-b300.48xlarge", "nvidia/b300-sxm-288gb", 8),
        ("aws", "ml.trn2.48xlarge", "aws/trainium2", 16),
        ("aws", "g6f.large", "nvidia/l4", 0.125),
        ("gcp", "a3-ultragpu-8g", "nvidia/h200-sxm-141gb", 8),
        ("gcp", "g2-standard-48", "nvidia/l4", 4),
    ],
)
def test_accelerators_of_instances(provider: str, name: str, accelerator: str, count: float) -> None:
    """Each cloud's spelling of a type leads to its accelerators, and the library rates each of them."""
    found = instance(provider, name)
    assert found is not None
    assert (found.accelerator, found.accelerators) == (accelerator, count)


def test_every_accelerator_of_an_instance_is_rated() -> None:
    """An accelerator that an instance type names has a rated power in the library."""
    edition = read_edition()
    named = {row["accelerator"] for row in read_series("instances").rows if row["accelerator"]}
    assert {each for each in named if not edition.factors_for("tdp_w", each)} == set()


def test_machines_with_accelerators_are_the_same_in_both_lists() -> None:
    """The series (for hours of a measured machine) and the library (for bills) agree on boards and their number."""
    at, edition = date(2026, 11, 1), read_edition()
    unlisted = {"g2.2xlarge", "g2.8xlarge", "a2-megagpu-16g"}  # nobody says how many virtual processors they have
    for row in read_series("instances").rows:
        if row["accelerator"] and row["instance"] not in unlisted:
            found = find_instance(edition, row["provider"], row["instance"], at)
            assert found is not None, row["instance"]
            assert (found.accelerator, found.boards) == (row["accelerator"], float(row["accelerators"]))
            assert edition.factors_for("tdp_w", found.accelerator), found.accelerator
