"""A driver that plays known energy, a clock that does as it is told, meter trees in real layouts."""

import ctypes
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from joulebook.measure.cgroup import Allotment
from joulebook.measure.clock import NANOSECONDS
from joulebook.measure.process_tree import TreeUse
from joulebook.measure.reading import Absence, Channel, Kind, Opened
from joulebook.measure.recorder import Recorder
from joulebook.measure.utilisation import UtilisationReader

HERE = Path(__file__).parent


@dataclass
class ManualClock:
    """Time that moves only when told; `wait` moves it and says stop after `ticks` waits."""

    seconds: float = 10_000.0
    wall_offset_s: float = 1_795_000_000.0
    ticks: int = 0
    followers: list = field(default_factory=list)

    def elapsed_ns(self) -> int:
        """Monotonic time."""
        return round(self.seconds * NANOSECONDS)

    def wall_ns(self) -> int:
        """Wall time."""
        return round((self.seconds + self.wall_offset_s) * NANOSECONDS)

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds
        for follow in self.followers:
            follow(self.seconds)

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Move on, or stop."""
        if stop.is_set() or self.ticks <= 0:
            return True
        self.ticks -= 1
        self.move(seconds)
        return False


class StillTree:
    """A process tree that does nothing."""

    def use(self) -> TreeUse:
        """Nothing was used."""
        return TreeUse(0, 0)


@dataclass
class ListReader:
    """A reader that gives prepared values, one list per reading; the last is repeated."""

    values: list
    channels: list = field(default_factory=list)
    absences: list = field(default_factory=list)
    name: str = "list"

    def open(self) -> Opened:
        """The prepared channels."""
        return Opened(self.channels, self.absences)

    def read(self):
        """The next values."""
        return self.values.pop(0) if len(self.values) > 1 else self.values[0]

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


def channel(**changes) -> Channel:
    """A channel of one GPU's energy counter in mJ."""
    return Channel(
        **{
            "device_uuid": "GPU-a",
            "domain": "board",
            "component": "gpu",
            "kind": Kind.COUNTER,
            "scale": 1e-3,
            "method": "nvml.total_energy",
            **changes,
        }
    )


@pytest.fixture
def clock() -> ManualClock:
    """A manual clock."""
    return ManualClock()


@pytest.fixture
def make_channel():
    """Make a channel."""
    return channel


@pytest.fixture
def list_reader():
    """The class of a reader with prepared values."""
    return ListReader


@pytest.fixture
def absence():
    """A missing processor."""
    return Absence("cpu", "The counter is hidden.", "show it", reader="test")


@pytest.fixture
def recorder(tmp_path, clock):
    """Make a recorder over readers, with the manual clock and a still process tree."""

    def make(*readers, interval_s=1.0, path=None, **begin) -> Recorder:
        rank = {"launcher": "alone", "rank": 0, "world_size": 1}
        first = {"format": 1, "run": "r", "host": "h", "boot": "b", "pid": 1, "start": 1, "rank": rank, **begin}
        return Recorder(
            path or tmp_path / "r" / "one.journal",
            first,
            readers,
            UtilisationReader(StillTree(), Allotment()),
            clock,
            interval_s,
        )

    return make


@pytest.fixture(scope="session")
def fake_nvml_folder(tmp_path_factory) -> Path:
    """Folder with a libnvidia-ml.so.1 built here; tests are skipped where there is no C compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("no C compiler for the stand-in of the driver")
    folder = tmp_path_factory.mktemp("nvml")
    subprocess.run(
        [compiler, "-O1", "-shared", "-fPIC", "-Wl,-soname,libnvidia-ml.so.1", "-o", folder / "libnvidia-ml.so.1",
         HERE / "fake_nvml.c", "-lm"],
        check=True,
    )  # fmt: skip
    return folder


@dataclass
class FakeNvml:
    """The stand-in, loaded into this process."""

    library: ctypes.CDLL

    def set_time(self, seconds: float) -> None:
        """Set the driver's clock."""
        self.library.fake_set_time(ctypes.c_double(seconds))

    def joules(self, start_s: float, end_s: float) -> float:
        """True energy between two times."""
        return self.library.fake_energy(ctypes.c_double(end_s)) - self.library.fake_energy(ctypes.c_double(start_s))


@pytest.fixture
def fake_nvml(fake_nvml_folder, clock, monkeypatch):
    """The stand-in in this process, on the manual clock; settings as keywords, such as HAS="instant"."""
    library = ctypes.CDLL(str(fake_nvml_folder / "libnvidia-ml.so.1"))
    library.fake_energy.restype = ctypes.c_double
    fake = FakeNvml(library)
    clock.followers.append(fake.set_time)
    for name in [name for name in os.environ if name.startswith("FAKE_NVML_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def make(**settings) -> FakeNvml:
        for name, value in settings.items():
            monkeypatch.setenv(f"FAKE_NVML_{name}", str(value))
        fake.set_time(clock.seconds)
        return fake

    yield make
    fake.set_time(-1)


@pytest.fixture
def layout(tmp_path):
    """Make a tree of files from a layout: lines `path = content`, `path !` for a file nobody may read."""

    def make(name: str) -> Path:
        root = tmp_path / name
        for line in (HERE / "layouts" / f"{name}.txt").read_text(encoding="utf-8").splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            path, _equals, content = line.partition(" = ")
            target = root / path.strip()
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content.strip() + "\n", encoding="utf-8")
        return root

    return make
