"""`joulebook run` and the commands about runs."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from joulebook.faces.cli.main import run_command
from joulebook.faces.cli.runs import _results

SRC = Path(__file__).parents[2] / "src"

CHILD = """
import sys, joulebook
with joulebook.measure("train") as m:
    m.metric("accuracy", float(sys.argv[1]))
    m.tokens(output=1_234_567)
    m.flops(3.2e15)
print("to stdout")
sys.exit(int(sys.argv[2]))
"""


@pytest.fixture
def environment(tmp_path, fake_nvml_folder, monkeypatch):
    """Environment of a command: a book of its own, one board of 200 W."""
    settings = {
        "PYTHONPATH": str(SRC),
        "JOULEBOOK_BOOK": str(tmp_path / "book"),
        "LD_LIBRARY_PATH": str(fake_nvml_folder),
        "FAKE_NVML_LOW_W": "200",
        "FAKE_NVML_HIGH_W": "200",
        "LANG": "C.UTF-8",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "CUDA_VISIBLE_DEVICES", "JOULEBOOK_JOURNALS", "JOULEBOOK_RUN"):
        monkeypatch.delenv(name, raising=False)
    return dict(os.environ)


@pytest.fixture
def started(environment):
    """Start a command line that goes on; what is left of it ends with the test."""
    running = []

    def start(*arguments, **settings):
        words = [sys.executable, "-m", "joulebook", *arguments]
        running.append(subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, **settings))
        return running[-1]

    yield start
    for one in running:
        if one.poll() is None:
            one.kill()
            one.wait()
        one.stdout.close()


def joulebook(*arguments, **settings):
    """Run a command line."""
    return subprocess.run(
        [sys.executable, "-m", "joulebook", *arguments], capture_output=True, text=True, check=False, **settings
    )


def test_run(environment, tmp_path, capsys):
    """Stdout and exit code pass through, the block on stderr holds the GPU, and runs and pareto know the run."""
    done = joulebook("run", "--name", "first", "--", sys.executable, "-c", CHILD, "0.9", "3", env=environment)
    assert done.returncode == 3
    assert done.stdout == "to stdout\n"
    assert "GPU · nvml.total_energy" in done.stderr
    assert "measured" in done.stderr
    assert "The place is unknown" in done.stderr
    told = [line.split() for line in done.stderr.splitlines()]
    for words in (["accuracy", "0.9"], ["output_tokens", "1,234,567"], ["flops", "3.2e+15"]):
        assert words in told
    assert all(len(line) <= 80 for line in done.stderr.splitlines())
    kept = ["--json", "--output", str(tmp_path / "run.json")]
    again = ["run", *kept, "--region", "KOR", "--no-book", "--", sys.executable, "-c", CHILD, "0.8", "0"]
    assert joulebook(*again, env=environment).stderr == ""
    document = json.loads((tmp_path / "run.json").read_text())
    assert document["schema_version"] == 1
    gpu = next(one for one in document["components"] if one["component"] == "gpu")
    assert gpu["energy_kwh"]["mid"] * 3.6e6 / document["duration_s"] == pytest.approx(200, rel=0.05)
    assert document["results"] == {"accuracy": 0.8}
    assert document["counts"] == {"output_tokens": 1_234_567, "flops": 3.2e15}
    assert document["place"]["zone"] == "KOR"
    assert [span["name"] for span in document["spans"]] == ["train"]
    assert run_command(["runs", "--json"]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert [one["name"] for one in runs] == ["first", Path(sys.executable).name]
    assert run_command(["runs"]) == 0
    assert all(len(line) <= 80 for line in capsys.readouterr().out.splitlines())
    assert run_command(["--lang", "ko", "pareto", "--metric", "accuracy"]) == 0
    shown = capsys.readouterr().out
    assert "프런티어" in shown
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert run_command(["pareto", "--metric", "loss"]) == 2


@pytest.mark.parametrize(
    ("metrics", "width", "expected"),
    [
        ({}, 20, "–"),
        ({"accuracy": 0.9}, 12, "accuracy 0.9"),
        ({"loss": 0.31, "accuracy": 0.9}, 23, "loss 0.31, accuracy 0.9"),
        ({"loss": 0.31, "accuracy": 0.9, "f1": 0.8}, 23, "loss 0.31 (+2)"),
        ({"eval_accuracy_of_all": 0.9, "f1": 0.8}, 12, "eval_a… (+1)"),
    ],
)
def test_results_within_a_line(metrics, width, expected):
    """As many results as fit are shown, with the number of the others; the first is cut where even it does not fit."""
    assert _results(metrics, width) == expected


@pytest.mark.parametrize(
    ("code", "expected"), [("raise SystemExit(0)", 0), ("import os; os.kill(os.getpid(), 9)", 137)]
)
def test_exit_codes(environment, code, expected):
    """The command's own exit code comes back; a killed command gives 128 and the signal, and the run is kept."""
    done = joulebook("run", "--no-book", "--json", "--", sys.executable, "-c", code, env=environment)
    assert done.returncode == expected
    assert json.loads(done.stderr)["exit_code"] == expected


def test_no_such_command(environment):
    """A command that is not there gives 127, as in a shell, and says so."""
    done = joulebook("run", "--no-book", "--", "no-such-command-here", env=environment)
    assert done.returncode == 127
    assert "no-such-command-here" in done.stderr


def test_signal_is_passed_on(started):
    """SIGTERM to the wrapper reaches the command, which ends as it likes."""
    script = (
        "import signal, sys, time; signal.signal(15, lambda *a: sys.exit(7)); print('up', flush=True); time.sleep(60)"
    )
    wrapper = started("run", "--no-book", "--", sys.executable, "-c", script, stderr=subprocess.PIPE)
    assert wrapper.stdout.readline() == b"up\n"
    wrapper.send_signal(signal.SIGTERM)
    _output, errors = wrapper.communicate(timeout=60)
    assert wrapper.returncode == 7
    assert b"exit 7" in errors


def test_until_an_energy(environment):
    """A limit of energy asks the command to end; what no meter reads counts with its estimate."""
    done = joulebook(
        "run", "--no-book", "--interval", "0.05", "--until", "20J", "--", sys.executable, "-c",
        "import time; time.sleep(60)", env=environment,
    )  # fmt: skip
    assert done.returncode == 128 + signal.SIGTERM
    assert "limit is reached" in done.stderr


@pytest.mark.parametrize(
    ("budgets", "code", "expected"),
    [
        (["--budget", "0.001J"], 0, 3),
        (["--budget", "100MWh", "--budget", "0.001mgCO2e"], 0, 3),
        (["--budget", "100MWh", "--budget", "100t"], 0, 0),
        (["--budget", "0.001J"], 5, 5),
    ],
)
def test_budget(environment, budgets, code, expected):
    """A run above its budget of energy or CO2e exits with 3 and says by how much; the command's own failure wins."""
    script = f"import time; time.sleep(0.1); raise SystemExit({code})"
    done = joulebook("run", "--no-book", *budgets, "--", sys.executable, "-c", script, env=environment)
    assert done.returncode == expected
    assert ("above the budget" in done.stderr) == (budgets[-1] != "100t")


@pytest.mark.parametrize(
    "arguments",
    [["--budget", "3h"], ["--until", "soon"], ["--tag", "x"], ["--interval", "0"], ["--meter", "crystal-ball"]],
)
def test_misuse(environment, arguments, capsys):
    """A wrong option says what to write instead, and nothing is run."""
    assert run_command(["run", *arguments, "--", "true"]) in {1, 2}
    assert "Next:" in capsys.readouterr().err


def test_killed_run_is_recovered(started, tmp_path, capsys):
    """What was killed with its wrapper is closed, booked and shown by recover, and not a second time."""
    script = "print('up', flush=True); import time; time.sleep(60)"
    wrapper = started("run", "--interval", "0.02", "--", sys.executable, "-c", script, start_new_session=True)
    assert wrapper.stdout.readline() == b"up\n"
    journal = next((tmp_path / "book" / "journals").glob("*/*.journal"))
    while journal.read_bytes().count(b'"k":"s"') < 5:
        time.sleep(0.005)
    os.killpg(wrapper.pid, signal.SIGKILL)
    wrapper.wait()
    for expected in (1, 0):
        assert run_command(["recover", "--json"]) == 0
        assert len(json.loads(capsys.readouterr().out)["runs"]) == expected


def test_top_and_recover(started, tmp_path, capsys):
    """A running command is one line of top, its board once; killed with its wrapper, it is closed and booked, once."""
    script = (
        "import joulebook, time\nwith joulebook.measure('inner', interval_s=0.02):\n    print('up', flush=True)\n"
        "    time.sleep(60)"
    )
    words = ["run", "--interval", "0.02", "--region", "KOR", "--", sys.executable, "-c", script]
    wrapper = started(*words, start_new_session=True)
    assert wrapper.stdout.readline() == b"up\n"
    journals = list((tmp_path / "book" / "journals").glob("*/*.journal"))
    assert len(journals) == 2
    while min(journal.read_bytes().count(b'"k":"s"') for journal in journals) < 5:
        time.sleep(0.005)
    assert run_command(["top", "--json"]) == 0
    (shown,) = json.loads(capsys.readouterr().out)["runs"]
    assert shown["power_w"] == pytest.approx(200, rel=0.2)
    assert run_command(["top"]) == 0
    assert "power" in capsys.readouterr().out
    os.killpg(wrapper.pid, signal.SIGKILL)
    wrapper.wait()
    assert run_command(["report", "--by", "run", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["total"]["part_count"] >= 2
    assert report["total"]["figures"]["gpu_energy_kwh"]["mid"] > 0
    assert run_command(["runs", "--json"]) == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert run["status"] == "cut-off"
    assert run["place"]["zone"] == "KOR"
    assert run_command(["recover"]) == 0
    assert "Nothing was cut off." in capsys.readouterr().out
