"""How busy machine and program are: process trees, control groups, steps of utilisation, the processor's identity."""

import os
import subprocess
import sys
import threading

import pytest

from joulebook.measure.cgroup import allotment, used_us
from joulebook.measure.journal import read_journal
from joulebook.measure.process_tree import ProcessTree, _content
from joulebook.measure.replay import replay
from joulebook.measure.summary import HostSummary, utc
from joulebook.measure.tally import UseTally
from joulebook.measure.utilisation import Machine, Use, UtilisationReader, _cpu_identity

INTEL = """processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 85
model name\t: Intel(R) Xeon(R)
stepping\t: 7
flags\t\t: fpu hypervisor

processor\t: 1
model\t\t: 99
"""


def write(root, files):
    """Make files."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def test_tightest_group_holds(tmp_path):
    """Limits of all groups above count, the tightest wins, and use is read where the limit stands."""
    write(
        tmp_path,
        {
            "own": "1:name=systemd:/x\n0::/pod/container\n",
            "cg/cgroup.controllers": "cpu memory",
            "cg/pod/cgroup.controllers": "cpu memory",
            "cg/pod/cpu.max": "150000 100000\n",
            "cg/pod/cpu.stat": "usage_usec 777\nuser_usec 700\n",
            "cg/pod/memory.max": "max\n",
            "cg/pod/container/cgroup.controllers": "cpu memory",
            "cg/pod/container/cpu.max": "max 100000\n",
            "cg/pod/container/memory.max": "1073741824\n",
        },
    )
    found = allotment(tmp_path / "own", tmp_path / "cg")
    assert found.threads == pytest.approx(1.5)
    assert found.memory_bytes == 2**30
    assert used_us(found.usage_file) == 777


@pytest.mark.parametrize("own", ["", "0::/gone\n", "4:memory:/x\n"])
def test_without_groups(tmp_path, own):
    """Without control groups of version 2 there is no limit, and nothing is guessed."""
    (tmp_path / "own").write_text(own)
    found = allotment(tmp_path / "own", tmp_path / "cg")
    assert (found.threads, found.memory_bytes, found.usage_file) == (None, None, None)
    assert used_us(tmp_path / "nothing") is None


def test_tree_keeps_what_ended():
    """CPU time of a child that has ended stays in the sum, and a wrapper's own time can be left out."""
    burn = "import time\nt = time.process_time()\nwhile time.process_time() - t < 0.15: pass"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"
    tree = ProcessTree(os.getpid(), is_root_counted=False)
    before = tree.use().cpu_us
    subprocess.run([sys.executable, "-c", outer], check=True)
    assert tree.use().cpu_us - before >= 150_000
    assert ProcessTree(os.getpid()).use().cpu_us > tree.use().cpu_us
    assert ProcessTree(os.getpid()).use().memory_bytes > 10_000_000


def test_tree_of_nobody():
    """A process that is gone uses nothing."""
    assert ProcessTree(2**22 - 3).use() == (0, 0)


def test_steps_of_utilisation():
    """Time is kept by load, so that a curve can be applied afterwards; use above the allotment is cut off."""
    tally = UseTally(threads=2.0)
    for at_s, busy_s in ((0, 0.0), (10, 0.0), (20, 10.0), (30, 40.0)):
        tally.add(at_s * 10**9, Use(round(busy_s * 5e5), 1000, round(busy_s * 1e6)))
    assert tally.seconds == pytest.approx(30)
    assert tally.busy_cpu_s == pytest.approx(30)
    assert tally.tree_cpu_s == pytest.approx(20)
    assert (tally.step_s[0], tally.step_s[10], tally.step_s[19]) == (10, 10, 10)
    assert sum(tally.step_busy_s) == pytest.approx(30)
    assert tally.memory_byte_s == pytest.approx(30_000)


def test_load_since_the_last_reading():
    """Up to a later time the load goes on as it was last; the tally stays, and without a load nothing is made."""
    tally = UseTally(threads=2.0)
    tally.add(0, Use(0, 0, 0))
    assert tally.until(5 * 10**9).seconds == 0
    tally.add(10 * 10**9, Use(0, 0, 10_000_000))
    assert tally.until(14 * 10**9).seconds == pytest.approx(14)
    assert tally.until(14 * 10**9).busy_cpu_s == pytest.approx(14)
    assert tally.until(14 * 10**9).step_s[10] == pytest.approx(14)
    assert tally.until(9 * 10**9) == tally.until(10 * 10**9) == tally
    assert tally.seconds == pytest.approx(10)


@pytest.mark.parametrize("component", ["gpu", "cpu"])
@pytest.mark.parametrize("ticks", [1, 4, 18, 75])
def test_cut_off_between_two_readings_of_the_load(recorder, clock, list_reader, make_channel, component, ticks):
    """A run that is cut off at any sample has use for all of its time, with or without a meter of the processor."""
    taken = recorder(list_reader([[0]], [make_channel(component=component)]))
    clock.ticks = ticks
    taken.start()
    for thread in threading.enumerate():
        if thread.name == "joulebook-meter":
            thread.join()
    taken.journal.close()
    journal = read_journal(taken.journal.path)
    assert len(list(journal.samples())) == ticks + 1
    assert replay(journal).tally.use_so_far().seconds == pytest.approx(ticks)
    read = [one["u"] for one in journal.samples() if "u" in one]
    assert len(read) <= 11 + (ticks // 5 if component == "gpu" else 0)
    watched = {0, 1, 2, 4, 8, 16, 32, 60, 64} & {*range(ticks + 1)}
    assert sum(tree is not None for tree, _memory, _busy in read) == len(watched)


def test_part_of_the_program():
    """The program's part is of the time it was watched: what ran after its last reading does not make it look idle."""
    tally = UseTally(threads=2.0)
    for at_s, tree_s, busy_s in ((0, 0, 0), (10, 5, 10), (20, None, 20), (30, None, 40)):
        tree_us = None if tree_s is None else tree_s * 10**6
        tally.add(at_s * 10**9, Use(tree_us, None if tree_us is None else 7, busy_s * 10**6))
    host = HostSummary("h", "b", utc(0), 30.0, (), None, tally)
    assert (tally.tree_cpu_s, tally.watched_busy_cpu_s, tally.busy_cpu_s) == (5, 10, 40)
    assert host.program_ratio == pytest.approx(0.5)
    assert host._replace(use=UseTally(threads=2.0)).program_ratio is None


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_long_file_of_the_kernel(tmp_path):
    """A list of children that is longer than one page is read to its end."""
    (tmp_path / "children").write_bytes(b"12345 " * 2000)
    assert len(_content(str(tmp_path / "children")).split()) == 2000
    assert _content(str(tmp_path / "nothing")) == b""


def test_this_machine():
    """The machine tells its threads, its memory and its processor, and its record gives it back."""
    machine = UtilisationReader(ProcessTree(os.getpid())).machine()
    assert 0 < machine.allotted_threads <= machine.thread_count
    assert 0 < machine.allotted_memory_bytes <= machine.memory_bytes
    assert Machine.from_record(machine.as_record()) == machine


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            INTEL,
            ("GenuineIntel", 6, 85, 7, True),
        ),
        (
            "processor\t: 0\nBogoMIPS\t: 2000.00\nCPU implementer\t: 0x41\nCPU part\t: 0xd4f\nCPU revision\t: 0\n",
            ("0x41", None, 0xD4F, 0, False),
        ),
    ],
)
def test_identity(tmp_path, text, expected):
    """Vendor, family, model and stepping are read on x86 and ARM, from the first processor."""
    (tmp_path / "cpuinfo").write_text(text)
    found = _cpu_identity(tmp_path / "cpuinfo")
    names = ("cpu_vendor", "cpu_family", "cpu_model", "cpu_stepping", "is_virtual")
    assert tuple(found[name] for name in names) == expected
