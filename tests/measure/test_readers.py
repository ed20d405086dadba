"""All other readers, in the layouts machines really have; every test looks at joules or says what is missing."""

import os
import plistlib
import struct
import sys

import pytest

from joulebook.errors import UnknownName
from joulebook.measure.amdgpu import AmdGpuReader, energy_counts
from joulebook.measure.apple import AppleReader
from joulebook.measure.discover import READERS, reader, readers
from joulebook.measure.hwmon import HwmonReader
from joulebook.measure.jetson import JetsonReader
from joulebook.measure.perf_rapl import PerfRaplReader, open_event, read_event
from joulebook.measure.reading import Absence, Channel
from joulebook.measure.summary import ChannelEnergy, components
from joulebook.terms.tier import Tier


@pytest.fixture
def joules(recorder, clock):
    """Component -> joules of ten seconds; between the two ends something is done."""

    def measure(*found, between=lambda: None):
        taken = recorder(*found, interval_s=10.0)
        taken.sample()
        between()
        clock.move(10)
        taken.sample()
        energies = [
            ChannelEnergy(one.channel, one.low_joules, one.joules, one.high_joules) for one in taken.tally.integrators
        ]
        rows = components(energies, taken.absences)
        return {one.component: one.energy_kwh.mid * 3.6e6 for one in rows if one.energy_kwh is not None}

    return measure


def add(path, amount):
    """Raise a counter."""
    path.write_text(f"{int(path.read_text()) + amount}\n")


def test_amd_sockets(layout, joules):
    """The amd_energy driver gives its sockets, not its cores."""
    root = layout("amd_energy")

    def spend():
        add(root / "hwmon1" / "energy65_input", 900_000_000)
        add(root / "hwmon1" / "energy66_input", 800_000_000)
        add(root / "hwmon1" / "energy1_input", 5_000_000)

    assert joules(HwmonReader(root), between=spend) == pytest.approx({"cpu": 1700})


def test_amd_sockets_beside_powercap(layout, joules):
    """Where powercap shows the same packages, amd_energy is not added to them."""
    from joulebook.measure.rapl import RaplReader

    powercap, chips = layout("rapl_amd"), layout("amd_energy")

    def spend():
        add(powercap / "intel-rapl:0" / "energy_uj", 900_000_000)
        add(chips / "hwmon1" / "energy65_input", 900_000_000)

    assert joules(RaplReader(powercap), HwmonReader(chips), between=spend) == pytest.approx({"cpu": 900})


def test_grace(layout, joules):
    """Grace counts once: CPU and SysIO are inside it, and the module keeps what is neither Grace nor a read GPU."""
    assert joules(HwmonReader(layout("grace_hopper"))) == pytest.approx({"cpu": 900, "node": 1000})


def test_server_power_meter(layout, joules):
    """The management controller's meter is the whole server."""
    assert joules(HwmonReader(layout("server_power_meter"))) == pytest.approx({"node": 4120})


def test_two_meters_of_the_whole(layout, joules, list_reader, make_channel):
    """Two meters of the whole board are not added; the first asked counts."""
    psys = make_channel(device_uuid="rapl", domain="psys", component="node", method="rapl.powercap", scale=1e-3)
    first = list_reader([[0], [500_000]], [psys])
    assert joules(first, HwmonReader(layout("server_power_meter"))) == pytest.approx({"node": 500})


def test_intel_gpu(layout, joules):
    """A discrete Intel GPU counts by its card; the package is inside."""
    root = layout("intel_gpu")

    def spend():
        add(root / "hwmon6" / "energy1_input", 1_500_000_000)
        add(root / "hwmon6" / "energy2_input", 1_200_000_000)

    assert joules(HwmonReader(root), between=spend) == pytest.approx({"gpu": 1500})


def test_jetson_orin(layout, joules):
    """On an Orin the input rail is the whole module, less its processors' rail."""
    assert joules(JetsonReader(layout("jetson_orin"))) == pytest.approx({"cpu": 40, "node": 60})


def test_jetson_xavier(layout, joules):
    """On a Xavier without an input rail, GPU, CPU and memory have rails of their own."""
    assert joules(JetsonReader(layout("jetson_xavier"))) == pytest.approx({"gpu": 60, "cpu": 30, "memory": 9})


def test_perf_events(layout, joules, tmp_path):
    """One event per package and domain; cores are inside the package; the unit comes from the scale file."""
    root = layout("perf_power")
    opened, counts = [], {}

    def opener(unit, config, processor):
        opened.append((unit, config, processor))
        file = (tmp_path / f"event-{len(opened)}").open("w")
        descriptor = __import__("os").dup(file.fileno())
        file.close()
        counts[descriptor] = 0
        return descriptor

    def spend():
        for descriptor in counts:
            counts[descriptor] += round(100 / 2.3283064365386962890625e-10)

    found = PerfRaplReader(root / "power", root / "cpu", opener, lambda descriptor: counts[descriptor])
    assert joules(found, between=spend) == pytest.approx({"cpu": 200, "memory": 200})
    assert opened == [(22, 2, 0), (22, 2, 28), (22, 3, 0), (22, 3, 28)]
    found.close()


@pytest.mark.skipif(sys.platform != "linux", reason="perf events are Linux'")
def test_perf_event_of_the_kernel():
    """The system call is laid out as the kernel wants it: a clock of its own, per processor like RAPL's, counts up."""
    software, clock = 1, 0
    try:
        descriptor = open_event(software, clock, 0)
    except OSError as error:
        pytest.skip(f"no perf events for this user: {error}")
    first = read_event(descriptor)
    assert read_event(descriptor) > first > 0
    os.close(descriptor)


def test_perf_events_denied(layout):
    """Events that the kernel refuses are an absence with the setting that opens them."""

    def opener(unit, config, processor):
        raise PermissionError(13, "Permission denied")

    root = layout("perf_power")
    opened = PerfRaplReader(root / "power", root / "cpu", opener).open()
    assert not opened.channels
    assert "perf_event_paranoid" in opened.absences[0].remedy


def metrics(form, content, counts):
    """A gpu_metrics table with an energy accumulator."""
    offset = {(1, 0): 40, (1, 5): 88, (1, 6): 16}.get((form, content), 24)
    table = bytearray(struct.pack("<HBB", 360, form, content).ljust(360, b"\0"))
    struct.pack_into("<Q", table, offset, counts)
    return bytes(table)


@pytest.mark.parametrize("content", [0, 1, 3, 4, 5, 6, 7, 8])
def test_amdgpu_tables(tmp_path, content):
    """Every revision of the table has its accumulator where the kernel puts it."""
    path = tmp_path / "gpu_metrics"
    path.write_bytes(metrics(1, content, 123_456))
    assert energy_counts(path) == 123_456


@pytest.mark.parametrize(
    "data", [b"", b"\x00", metrics(2, 0, 5), metrics(1, 9, 5), metrics(1, 4, 2**64 - 1), metrics(1, 4, 0)]
)
def test_amdgpu_tables_without(tmp_path, data):
    """A table that is empty, of another kind, or says "not known" gives nothing, not zero joules."""
    path = tmp_path / "gpu_metrics"
    path.write_bytes(data)
    assert energy_counts(path) is None


def test_amdgpu(layout, joules):
    """Cards with an accumulator use it, others their power; a card of another maker is left alone."""
    root = layout("amdgpu")
    table = root / "card0" / "device" / "gpu_metrics"
    table.write_bytes(metrics(1, 4, 1_000_000))
    found = AmdGpuReader(root, {})
    used = joules(found, between=lambda: table.write_bytes(metrics(1, 4, 1_000_000 + 5000 * 2**16)))
    assert used == pytest.approx({"gpu": 5000 + 1200 + 300})
    labels = [(one.device_uuid, one.label, one.method) for one in AmdGpuReader(root, {}).open().channels]
    assert labels[0] == ("8f2a", "Instinct MI300X", "amdgpu.energy")
    assert len(AmdGpuReader(root, {"HIP_VISIBLE_DEVICES": "1"}).open().channels) == 1


def test_amdgpu_partitions(layout):
    """Partitions of one board, each shown as a card, are one board."""
    root = layout("amdgpu")
    (root / "card1" / "device" / "unique_id").write_text("8f2a\n")
    for card in ("card0", "card1"):
        (root / card / "device" / "gpu_metrics").write_bytes(metrics(1, 6, 1_000_000))
    assert [one.device_uuid for one in AmdGpuReader(root, {}).open().channels].count("8f2a") == 1


def test_apple(tmp_path, joules):
    """What powermetrics appends is summed; a list still being written waits for the next reading."""
    path = tmp_path / "power.plist"
    one = plistlib.dumps({"elapsed_ns": 10**9, "processor": {"cpu_energy": 5000, "gpu_energy": 2000, "ane_energy": 0}})
    path.write_bytes(one + b"\0")

    def write():
        with path.open("ab") as stream:
            stream.write(one + b"\0" + one + b"\0" + one[:40])

    assert joules(AppleReader(path), between=write) == pytest.approx({"cpu": 10, "gpu": 4})
    assert AppleReader(path).open().channels[0].tier is Tier.DERIVED


def test_apple_without_a_file():
    """A Mac without the file gets the exact command; another system hears nothing."""
    assert "sudo powermetrics" in AppleReader(None, "darwin").open().absences[0].remedy
    assert AppleReader(None, "linux").open() == AppleReader(None, "linux").open()
    assert not AppleReader(None, "linux").open().absences


@pytest.mark.parametrize("name", list(READERS))
def test_absent_hardware(name, tmp_path, monkeypatch):
    """Every reader opens on this machine, whatever it lacks, reads as many values as it has channels, and closes."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    found = reader(name)
    opened = found.open()
    assert len(found.read()) == len(opened.channels)
    assert all(isinstance(one, Absence) and one.reason and one.remedy for one in opened.absences)
    found.close()


def test_names():
    """Readers are found by name; a wrong name says which there are."""
    assert [one.name for one in readers()] == list(READERS)
    with pytest.raises(UnknownName, match="nvidia"):
        readers(["crystal ball"])


def test_channel_in_the_journal(make_channel):
    """A channel comes back from its record as it was."""
    one = make_channel(within=("package-0",), range_counts=2**32, share=0.5, share_name="MIG-1", tier=Tier.DERIVED)
    assert Channel.from_record(one.as_record()) == one
