"""Whatever ends a process, what it used is kept; whatever a machine does, nothing is invented."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from joulebook.measure.journal import JournalWriter, read_journal
from joulebook.measure.recover import close_cut_off
from joulebook.measure.replay import read_run, replay
from joulebook.measure.tally import Tally

SRC = Path(__file__).parents[2] / "src"
INTERVAL_S = 0.03

VICTIM = """
import os, sys, time
from pathlib import Path
import joulebook
def wait(): time.sleep(60)
with joulebook.measure("victim", folder=Path(sys.argv[1]), interval_s={interval}, meters=["nvidia"]) as m:
    {action}
"""


FORKED = """
import os
from joulebook.measure.clock import Stop
stop = Stop()
child = os.fork()
if child == 0:
    stop.set()
    os._exit(0 if stop.wait(60) else 1)
assert os.waitpid(child, 0)[1] == 0
assert not stop.wait(0.001)
stop.set()
assert stop.wait(60)
"""


@pytest.fixture
def victim(tmp_path, fake_nvml_folder):
    """Start a measuring process that does something; it, and the folder of its journal."""
    started = []

    def start(action: str) -> tuple[subprocess.Popen, Path]:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("FAKE_NVML", "CUDA_"))},
            "PYTHONPATH": str(SRC),
            "LD_LIBRARY_PATH": str(fake_nvml_folder),
            "FAKE_NVML_PERIOD_S": "0.01",
        }
        text = VICTIM.format(interval=INTERVAL_S, action=action)
        child = subprocess.Popen(
            [sys.executable, "-c", text, str(tmp_path)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        started.append(child)
        return child, tmp_path

    yield start
    for child in started:
        if child.poll() is None:
            child.kill()
        child.wait()
        child.stdout.close()


def journal_with(folder: Path, samples: int) -> Path:
    """The journal, as soon as it holds so many samples."""
    for _try in range(6000):
        found = [path for path in folder.glob("*/*.journal") if path.read_bytes().count(b'"k":"s"') >= samples]
        if found:
            return found[0]
        time.sleep(0.005)
    pytest.fail("the process wrote no samples")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_killed(victim, number):
    """Signals kill -9, SIGTERM and SIGHUP keep every sample written before, and the next start closes the journal."""
    child, folder = victim("wait()")
    path = journal_with(folder, 4)
    child.send_signal(number)
    assert child.wait() == -number
    before = list(read_journal(path).samples())
    assert len(before) >= 4
    assert close_cut_off(folder) == [path]
    summary = read_run(path.parent)
    used = (before[-1]["v"][0] - before[0]["v"][0]) / 1000
    assert summary.hosts[0].component("gpu").energy_kwh.mid * 3.6e6 == pytest.approx(used)
    assert summary.status == "cut-off"
    assert "cut-off" in {notice.code for notice in summary.notices}
    assert close_cut_off(folder) == []


def test_stopped_and_continued(victim):
    """A process that is stopped for a while (SIGSTOP) loses nothing of a counter, and the pause is told."""
    child, folder = victim("wait()")
    path = journal_with(folder, 3)
    child.send_signal(signal.SIGSTOP)
    stopped = time.monotonic()
    while time.monotonic() < stopped + 20 * INTERVAL_S:
        time.sleep(INTERVAL_S)
    count = path.read_bytes().count(b'"k":"s"')
    child.send_signal(signal.SIGCONT)
    journal_with(folder, count + 2)
    child.kill()
    child.wait()
    close_cut_off(folder)
    samples = list(read_journal(path).samples())
    summary = read_run(path.parent)
    used = (samples[-1]["v"][0] - samples[0]["v"][0]) / 1000
    assert summary.hosts[0].component("gpu").energy_kwh.mid * 3.6e6 == pytest.approx(used)
    assert "gap" in {notice.code for notice in summary.notices}


def test_killed_for_memory(victim):
    """A process that the kernel kills for want of memory (SIGKILL to itself from inside) keeps its samples."""
    child, folder = victim("time.sleep(0.1); os.kill(os.getpid(), 9)")
    assert child.wait() == -9
    (path,) = close_cut_off(folder)
    assert read_run(path.parent).duration_s > 0


def test_interrupted(victim):
    """Ctrl-C closes the journal in order, with the status of an exception."""
    child, folder = victim("wait()")
    path = journal_with(folder, 3)
    child.send_signal(signal.SIGINT)
    assert child.wait() != 0
    assert close_cut_off(folder) == []
    assert read_run(path.parent).status == "exception"


@pytest.mark.parametrize(
    ("action", "code", "status"),
    [
        ("raise ValueError", 1, "exception"),
        ("sys.exit(3)", 3, "exception"),
        ("os._exit(5)", 5, "cut-off"),
        ("pass", 0, "ok"),
    ],
)
def test_ended(victim, action, code, status):
    """An exception, sys.exit, os._exit and the plain end each leave a whole run with the right status."""
    child, folder = victim(action)
    assert child.wait() == code
    closed = close_cut_off(folder)
    assert bool(closed) is (status == "cut-off")
    (run,) = {path.parent for path in folder.glob("*/*.journal")}
    assert read_run(run).status == status


def test_forked(victim):
    """A forked child writes nothing into its parent's journal; the end stands there once."""
    child, folder = victim("pid = os.fork(); pid or sys.exit(0); os.waitpid(pid, 0)")
    assert child.wait() == 0
    (path,) = folder.glob("*/*.journal")
    assert sum(record["k"] == "end" for record in read_journal(path).records) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_stops_alone():
    """What a forked child stops is its own: the parent's meter waits on, and stops when it is told."""
    done = subprocess.run([sys.executable, "-c", FORKED], env={"PYTHONPATH": str(SRC)}, check=False)
    assert done.returncode == 0


def test_nothing_survives(victim):
    """After kill -9 no process of the meter is left and nobody holds the pipe open."""
    child, folder = victim("wait()")
    journal_with(folder, 2)
    child.kill()
    output, _errors = child.communicate(timeout=20)
    assert output == b""


def test_torn_last_line(recorder, clock, list_reader, make_channel):
    """A journal cut in the middle of a record is read up to there, and the energy is that of the whole records."""
    taken = recorder(list_reader([[0], [100_000], [200_000]], [make_channel()]))
    for _second in range(3):
        taken.sample()
        clock.move(1)
    taken.journal.close()
    path = taken.journal.path
    path.write_bytes(path.read_bytes()[:-20])
    journal = read_journal(path)
    assert journal.torn_count == 1
    assert replay(journal).tally.integrators[0].joules == pytest.approx(100)


def test_full_disk(recorder, clock, list_reader, make_channel):
    """On a full disk the program goes on, the energy is right, and the lost records are counted."""
    values = [[mj] for mj in range(0, 1_000_000, 100_000)]
    taken = recorder(list_reader(values, [make_channel()]), path=Path("/dev/full"))
    for _second in range(10):
        taken.sample()
        clock.move(1)
    taken.stop("ok")
    assert taken.tally.integrators[0].joules == pytest.approx(900)
    assert taken.journal.lost_count >= 10


def test_disk_with_room_again(tmp_path, monkeypatch):
    """A write that was cut short does not spoil the next one."""
    writer = JournalWriter(tmp_path / "r" / "a.journal")
    writer.write({"k": "begin"})
    really_write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: really_write(descriptor, data[:5]))
    assert not writer.write({"k": "s", "n": 1})
    monkeypatch.setattr(os, "write", really_write)
    assert writer.write({"k": "s", "n": 2})
    writer.close()
    journal = read_journal(tmp_path / "r" / "a.journal")
    assert [record["n"] for record in journal.records] == [2]
    assert journal.torn_count == 1


def test_every_sample_is_written_at_once(recorder, clock, list_reader, make_channel):
    """Samples that are not counted yet stand in the journal, and whoever asks for totals gets all of them."""
    taken = recorder(list_reader([[1000 * second] for second in range(50)], [make_channel()]))
    for second in range(1, 41):
        taken.sample(is_load_read=False, is_tree_read=False)
        clock.move(1)
        assert len(list(read_journal(taken.journal.path).samples())) == second
        if second in {1, 29, 30, 31, 40}:
            assert taken.tally.integrators[0].joules == pytest.approx(second - 1)
            assert taken.tally.sample_count == second


def test_clock_jump(recorder, clock, list_reader, make_channel):
    """A wall clock set back by an hour changes neither duration nor energy, and is told."""
    taken = recorder(list_reader([[0], [1000], [2000], [3000]], [make_channel()]))
    for second in range(4):
        taken.sample()
        clock.move(1)
        clock.wall_offset_s -= 3600 if second == 1 else 0
    assert taken.tally.duration_s == pytest.approx(3)
    assert taken.tally.integrators[0].joules == pytest.approx(3)
    assert taken.tally.clock_jump_count == 1


def test_suspended_with_a_counter(recorder, clock, list_reader, make_channel):
    """A process stopped for a minute loses no energy of a counter; the pause is flagged."""
    taken = recorder(list_reader([[0], [100_000], [6_100_000], [6_200_000]], [make_channel()]))
    for seconds in (1, 60, 1, 1):
        taken.sample()
        clock.move(seconds)
    one = taken.tally.integrators[0]
    assert one.joules == pytest.approx(6200)
    assert one.gap_s == pytest.approx(60)
    assert one.low_joules == one.high_joules


def test_suspended_with_power_only(recorder, clock, list_reader, make_channel):
    """Across a pause, power is filled in the middle and reaches from nothing to the highest seen: flagged, not zero."""
    power = make_channel(kind="average", scale=1.0, method="hwmon.power")
    taken = recorder(list_reader([[100], [100], [100], [100]], [power]))
    for seconds in (1, 60, 1, 1):
        taken.sample()
        clock.move(seconds)
    one = taken.tally.integrators[0]
    assert one.joules == pytest.approx(6200)
    assert one.low_joules == pytest.approx(200)
    assert one.high_joules >= one.joules
    assert one.gap_s == pytest.approx(60)


def test_fault_of_a_reader(recorder, clock, list_reader, make_channel):
    """A reader that breaks ends the sampling, not the program, and the journal says what broke."""
    reader = list_reader([[0]], [make_channel()])
    taken = recorder(reader)
    taken.sample()
    reader.read = lambda: 1 / 0
    clock.ticks = 3
    taken._run()
    assert isinstance(taken.failure, ZeroDivisionError)
    notes = [record for record in read_journal(taken.journal.path).records if record["k"] == "note"]
    assert notes[0]["error"] == "ZeroDivisionError"


def test_unplugged_is_told(recorder, clock, list_reader, make_channel):
    """Readings that fail are counted, and the energy before is kept."""
    taken = recorder(list_reader([[0], [5000], [None]], [make_channel()]))
    for _second in range(4):
        taken.sample()
        clock.move(1)
    assert isinstance(taken.tally, Tally)
    assert taken.tally.lost_reads == 2
    assert taken.tally.integrators[0].joules == pytest.approx(5)


def test_folder_that_cannot_be_written(tmp_path, list_reader, make_channel):
    """Where no journal can be written the program goes on, its energy is counted, and the summary says what is lost."""
    import joulebook

    (tmp_path / "file").write_text("not a folder")
    reader = list_reader([[0], [1000], [2000]], [make_channel()])
    with joulebook.measure("a", folder=tmp_path / "file" / "journals", interval_s=3600, readers=[reader]) as m:
        pass
    summary = m.summary()
    assert summary.hosts[0].component("gpu").energy_kwh.mid * 3.6e6 == pytest.approx(2)
    assert "lost-records" in {notice.code for notice in summary.notices}


@pytest.mark.parametrize(
    "line", ['{"k":"s","t":"x"}', '{"k":"s","t":1,"w":2,"v":[1,2,3]}', "[]", "{", '{"k":"s","t":1,"w":2,"v":["a"]}']
)
def test_spoilt_sample(recorder, clock, list_reader, make_channel, line):
    """A line that is no sample of this journal is counted as unread; the others count."""
    taken = recorder(list_reader([[0], [1000], [2000]], [make_channel()]))
    for _second in range(3):
        taken.sample()
        clock.move(1)
        taken.journal.write_line(f"{line}\n".encode())
    taken.journal.close()
    replayed = replay(read_journal(taken.journal.path))
    assert replayed.tally.integrators[0].joules == pytest.approx(2)
    assert replayed.journal.torn_count == 3


def test_spoilt_marks(tmp_path):
    """What others left in the folder of open journals does not stop a start."""
    (tmp_path / "open").mkdir()
    for name in ("x", "run@a.journal.open", "run@b.journal.open"):
        (tmp_path / "open" / name).touch()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "a.journal").write_text('{"k":"begin"}\n')
    assert close_cut_off(tmp_path) == []
