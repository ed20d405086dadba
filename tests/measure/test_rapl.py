"""RAPL through powercap, in the layouts machines really have; every test looks at joules."""

import os

import pytest

from joulebook.measure.rapl import RaplReader
from joulebook.measure.summary import ChannelEnergy, components

KWH = 3.6e6


def spend(root, folder, joules):
    """Let a zone use energy."""
    path = root / folder / "energy_uj"
    top = int((root / folder / "max_energy_range_uj").read_text())
    path.write_text(f"{(int(path.read_text()) + round(joules * 1e6)) % top}\n")


def joules(recorder, reader, clock, root, spent, seconds=10.0):
    """Component -> joules of one interval in which the zones use what is said."""
    taken = recorder(reader, interval_s=seconds)
    taken.sample()
    for folder, amount in spent.items():
        spend(root, folder, amount)
    clock.move(seconds)
    taken.sample()
    energies = [
        ChannelEnergy(one.channel, one.low_joules, one.joules, one.high_joules) for one in taken.tally.integrators
    ]
    return {one.component: one.energy_kwh.mid * KWH for one in components(energies, taken.absences) if one.energy_kwh}


def test_two_sockets_with_dram(recorder, layout, clock):
    """Packages are the processor, their nested dram zones are the memory and are not part of them."""
    root = layout("rapl_xeon_two_sockets")
    spent = {"intel-rapl:0": 1500, "intel-rapl:0:0": 200, "intel-rapl:1": 700, "intel-rapl:1:0": 100}
    assert joules(recorder, RaplReader(root), clock, root, spent) == pytest.approx({"cpu": 2200, "memory": 300})


def test_laptop_counts_package_once(recorder, layout, clock):
    """The mmio mirror, core and uncore are not added to the package; psys keeps only what is left beside it."""
    root = layout("rapl_laptop")
    spent = {
        "intel-rapl:0": 100,
        "intel-rapl-mmio:0": 100,
        "intel-rapl:0:0": 60,
        "intel-rapl:0:1": 5,
        "intel-rapl:1": 180,
    }
    assert joules(recorder, RaplReader(root), clock, root, spent) == pytest.approx({"cpu": 100, "node": 80})


def test_mirrored_dies_count_once(recorder, layout, clock):
    """Two dies that show one register are counted once, two real dies are added."""
    root = layout("rapl_dies_mirrored")
    spent = {"intel-rapl:0": 100, "intel-rapl:1": 100, "intel-rapl:2": 30, "intel-rapl:3": 40}
    assert joules(recorder, RaplReader(root), clock, root, spent) == pytest.approx({"cpu": 170})


def test_amd_packages(recorder, layout, clock):
    """On EPYC packages are added and the core zone inside is not."""
    root = layout("rapl_amd")
    spent = {"intel-rapl:0": 500, "intel-rapl:0:0": 300, "intel-rapl:1": 400}
    assert joules(recorder, RaplReader(root), clock, root, spent) == pytest.approx({"cpu": 900})


def test_wrap_adds_the_range(recorder, layout, clock):
    """A counter that comes to its end and begins anew loses nothing."""
    root = layout("rapl_xeon_two_sockets")
    assert joules(recorder, RaplReader(root), clock, root, {"intel-rapl:0": 1500}, seconds=10)["cpu"] == pytest.approx(
        1500
    )


def test_reset_is_flagged_and_not_negative(recorder, layout, clock):
    """A counter that falls without having been near its end is a reset: filled from before, flagged, never negative."""
    root = layout("rapl_xeon_two_sockets")
    taken = recorder(RaplReader(root))
    taken.sample()
    for _second in range(10):
        spend(root, "intel-rapl:1", 100)
        clock.move(1)
        taken.sample()
    (root / "intel-rapl:1" / "energy_uj").write_text("40000000\n")
    clock.move(1)
    taken.sample()
    package = next(one for one in taken.tally.integrators if one.channel.domain == "package-1")
    assert package.reset_count == 1
    assert package.low_joules == pytest.approx(1040)
    assert package.joules == pytest.approx(1100)
    assert package.low_joules <= package.joules <= package.high_joules
    assert package.gap_s == pytest.approx(1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything; see the next test")
def test_denied_by_mode(layout):
    """A counter that only root may read is an absence with the exact command that opens it."""
    root = layout("rapl_xeon_two_sockets")
    for path in root.glob("*/energy_uj"):
        path.chmod(0)
    opened = RaplReader(root).open()
    assert {one.component for one in opened.absences} == {"cpu", "memory"}


def test_denied_says_how_to_mend(layout, monkeypatch):
    """EACCES gives missing processor and memory, each with the exact command, and no channel."""
    root = layout("rapl_xeon_two_sockets")
    really_open = os.open

    def denied(path, *args, **kwargs):
        if str(path).endswith("energy_uj"):
            raise PermissionError(13, "Permission denied", str(path))
        return really_open(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", denied)
    opened = RaplReader(root).open()
    assert not opened.channels
    assert {one.component for one in opened.absences} == {"cpu", "memory"}
    assert all("chmod a+r /sys/class/powercap/*/energy_uj" in one.remedy for one in opened.absences)


def test_nothing_there(tmp_path):
    """A virtual machine without counters says so; nothing is zero."""
    opened = RaplReader(tmp_path / "absent").open()
    assert [one.component for one in opened.absences] == ["cpu"]
