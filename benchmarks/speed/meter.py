"""The meter beside CodeCarbon, Zeus, carbontracker and eco2AI: what each costs, and what each makes of known energy.

    python benchmarks/speed/meter.py --peers /path/to/python-with-the-peers

Every tool runs in a process of its own against the same stand-in for the NVIDIA driver (8 boards, a square wave of
50 and 350 W), built here with the C compiler. CPU time is that of the process and its children, so that a busy machine
does not matter; but caches that other work has emptied cost too, so that the figures of one run go together. The first
row is a thread that waits a second, again and again, and does nothing: less than that no meter can use that looks every
second. Peers are installed apart:
``pip install codecarbon zeus carbontracker eco2ai nvidia-ml-py 'pandas<3'``.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]
BOARDS = 8
LOW_W, HIGH_W, PERIOD_S = 50.0, 350.0, 1.7

PRELUDE = """
import json, os, resource, sys, time
SECONDS, FOLDER = float(sys.argv[1]), sys.argv[2]
def children():
    found, waiting = [], [os.getpid()]
    while waiting:
        pid = waiting.pop()
        for task in os.listdir(f"/proc/{pid}/task"):
            below = [int(word) for word in open(f"/proc/{pid}/task/{task}/children").read().split()]
            found += below
            waiting += below
    return found
def cpu():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    live = [open(f"/proc/{pid}/schedstat").read().split()[0] for pid in children()]
    return sum(one.ru_utime + one.ru_stime for one in used) + sum(map(int, live)) / 1e9
def now():
    return time.clock_gettime(time.CLOCK_BOOTTIME)
def memory():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024
out = {}
m0, c0 = memory(), cpu()
"""

AFTER_IMPORT = """
out["import_ms"], out["import_mib"] = (cpu() - c0) * 1000, memory() - m0
c0 = cpu()
"""

AFTER_START = """
out["begin_s"] = now()
out["start_ms"] = (cpu() - c0) * 1000
print("started", flush=True)
c0, t0 = cpu(), time.monotonic()
time.sleep(SECONDS)
out["idle_cpu_ratio"] = (cpu() - c0) / (time.monotonic() - t0)
out["end_s"] = now()
"""

AFTER_END = """
print("result " + json.dumps(out), flush=True)
"""

WAITING = "a thread that waits"

TOOLS = {
    WAITING: (
        "import threading",
        "threading.Thread(target=lambda: [time.sleep(1) for _ in iter(int, 1)], daemon=True).start()",
        "",
    ),
    "joulebook": (
        "import joulebook, joulebook.measure.span\nfrom pathlib import Path",
        'm = joulebook.measure("bench", folder=Path(FOLDER)); m.__enter__()',
        'm.__exit__(None, None, None)\nout["gpu_j"] = m.summary().hosts[0].component("gpu").energy_kwh.mid * 3.6e6',
    ),
    "CodeCarbon": (
        "from codecarbon import OfflineEmissionsTracker",
        (
            'm = OfflineEmissionsTracker(country_iso_code="KOR", measure_power_secs=1, output_dir=FOLDER, '
            'log_level="critical", allow_multiple_runs=True)\nm.start()'
        ),
        'm.stop(); out["gpu_j"] = m._total_gpu_energy.kWh * 3.6e6',
    ),
    "Zeus": (
        "from zeus.monitor import ZeusMonitor",
        'm = ZeusMonitor(approx_instant_energy=False); m.begin_window("w", sync_execution=False)',
        'out["gpu_j"] = sum(m.end_window("w", sync_execution=False).gpu_energy.values())',
    ),
    "carbontracker": (
        "from carbontracker.tracker import CarbonTracker",
        (
            'm = CarbonTracker(epochs=2, monitor_epochs=2, epochs_before_pred=0, update_interval=1, components="gpu", '
            "verbose=0, log_dir=FOLDER)\nm.epoch_start()"
        ),
        (
            "m.epoch_end()\nfrom carbontracker import constants\n"
            'out["gpu_j"] = float(sum(m.tracker.total_energy_per_epoch())) / constants.PUE_2023 * 3.6e6'
        ),
    ),
    "eco2AI": (
        "import eco2ai",
        (
            'm = eco2ai.Tracker(project_name="p", experiment_description="d", measure_period=1, '
            'file_name=os.path.join(FOLDER, "e.csv"), alpha_2_code="KR", ignore_warnings=True)\nm.start()'
        ),
        'g = m._gpu; m.stop(); out["gpu_j"] = float(g._consumption) * 3.6e6',
    ),
}
"""Tool -> import, start, end with the energy of the boards."""


def true_joules(at_s: float) -> float:
    """Energy of one board's square wave from time 0 [J]; high for the first half of every period."""
    whole, rest = divmod(at_s, PERIOD_S)
    half = PERIOD_S / 2
    return whole * half * (LOW_W + HIGH_W) + min(rest, half) * HIGH_W + max(0.0, rest - half) * LOW_W


def environment(library: Path, boards: int) -> dict[str, str]:
    """Environment of a measured process: the stand-in, byte code allowed, nothing of this one's settings."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "PATH": f"{library}:{os.environ['PATH']}",
        "LD_LIBRARY_PATH": str(library),
        "FAKE_NVML_BOARDS": str(boards),
        "FAKE_NVML_LOW_W": str(LOW_W),
        "FAKE_NVML_HIGH_W": str(HIGH_W),
        "FAKE_NVML_PERIOD_S": str(PERIOD_S),
    }


def build(folder: Path) -> Path:
    """Build the stand-in for the driver's library."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        sys.exit("a C compiler is needed for the stand-in of the driver")
    target = folder / "libnvidia-ml.so.1"
    source = ROOT / "tests" / "measure" / "fake_nvml.c"
    words = [compiler, "-O1", "-shared", "-fPIC", f"-Wl,-soname,{target.name}", "-o", target, source, "-lm"]
    subprocess.run(words, check=True)
    program = folder / "nvidia-smi"  # one tool looks for this program before it asks the library
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    return folder


def script(tool: str) -> str:
    """The program that measures one tool."""
    first, start, end = TOOLS[tool]
    return f"{PRELUDE}\n{first}\n{AFTER_IMPORT}\n{start}\n{AFTER_START}\n{end}\n{AFTER_END}"


def started(
    tool: str, python: str, seconds: float, folder: Path, library: Path, boards: int = BOARDS
) -> subprocess.Popen[str]:
    """Start the program of one tool."""
    path = {"PYTHONPATH": str(ROOT / "src")} if tool == "joulebook" else {}
    return subprocess.Popen(
        [python, "-c", script(tool), str(seconds), str(folder)],
        env={**environment(library, boards), **path},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def cost(tool: str, python: str, seconds: float, library: Path, boards: int) -> dict[str, float | str]:
    """Import, start, CPU while idle, and the error of the energy."""
    for is_warm in (False, True):  # the first round writes the byte code
        with tempfile.TemporaryDirectory() as folder:
            child = started(tool, python, seconds if is_warm else 1.0, Path(folder), library, boards)
            try:
                output, errors = child.communicate(timeout=seconds * 4 + 180)
            except subprocess.TimeoutExpired:
                child.kill()
                child.communicate()
                return {"fault": "did not end"}
    lines = [line for line in output.splitlines() if line.startswith("result ")]
    if not lines:
        return {"fault": (errors.strip().splitlines() or ["no result"])[-1][:100]}
    found = json.loads(lines[-1].removeprefix("result "))
    if "gpu_j" in found:
        truth = boards * (true_joules(found["end_s"]) - true_joules(found["begin_s"]))
        found["energy_error"] = found["gpu_j"] / truth - 1
    return found


def kept_after_kill(tool: str, python: str, library: Path) -> str:
    """What is left on the disk of a run that is killed after five seconds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        child = started(tool, python, 120, folder, library)
        assert child.stdout is not None
        for line in child.stdout:
            if line.startswith("started"):
                break
        time.sleep(5)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        if tool == "joulebook":
            return joulebook_kept(python, folder)
        rows = sum(max(0, len(path.read_text().splitlines()) - 1) for path in folder.rglob("*.csv"))
        return f"{rows} rows" if rows else "nothing"


def joulebook_kept(python: str, folder: Path) -> str:
    """Seconds that the journal of a killed run holds."""
    text = (
        "import sys; from pathlib import Path; from joulebook.measure.recover import close_cut_off; "
        "from joulebook.measure.replay import read_run; p = Path(sys.argv[1]); c = close_cut_off(p); "
        "print(f'{read_run(c[0].parent).duration_s:.1f} s')"
    )
    words = [python, "-c", text, str(folder)]
    return subprocess.run(
        words, env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, check=True
    ).stdout.strip()


def shown(results: dict[str, dict[str, float | str]], seconds: float, boards: int) -> str:
    """The results as a table of Markdown."""
    head = (
        f"### Meter ({datetime.now(UTC):%Y-%m-%d})\n\n"
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; "
        f"`python benchmarks/speed/meter.py --seconds {seconds:g} --boards {boards}`; {boards} boards, square wave "
        f"{LOW_W:g} to {HIGH_W:g} W, period {PERIOD_S} s, 1 Hz\n\n"
        "| tool | import ms | import MiB | start ms | CPU at 1 Hz | energy error | kept after kill -9 at 5 s |\n"
        "|---|---|---|---|---|---|---|\n"
    )
    lines = []
    for tool, one in results.items():
        if "fault" in one:
            lines.append(f"| {tool} | did not run: {one['fault']} | | | | | {one['kept']} |")
            continue
        if "energy_error" not in one:
            lines.append(f"| {tool} | | | | {one['idle_cpu_ratio']:.4%} | | |")
            continue
        lines.append(
            f"| {tool} | {one['import_ms']:.0f} | {one['import_mib']:.1f} | {one['start_ms']:.0f} "
            f"| {one['idle_cpu_ratio']:.4%} | {one['energy_error']:+.2%} | {one['kept']} |"
        )
    return head + "\n".join(lines)


def main() -> None:
    """Run all tools and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default=sys.executable, help="Python with the peers installed")
    parser.add_argument("--python", default=sys.executable, help="Python with joulebook's dependencies")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--boards", type=int, default=BOARDS, help="boards of the stand-in")
    parser.add_argument("--only", nargs="*", default=list(TOOLS))
    arguments = parser.parse_args()
    results = {}
    with tempfile.TemporaryDirectory() as name:
        library = build(Path(name))
        for tool in arguments.only:
            python = arguments.python if tool in {"joulebook", WAITING} else arguments.peers
            results[tool] = cost(tool, python, arguments.seconds, library, arguments.boards)
            is_meter = "gpu_j" in results[tool]
            results[tool]["kept"] = kept_after_kill(tool, python, library) if is_meter else "–"
            print(tool, results[tool], file=sys.stderr, flush=True)
    print(shown(results, arguments.seconds, arguments.boards))


if __name__ == "__main__":
    main()
