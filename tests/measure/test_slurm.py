"""A real Slurm on this machine: two tasks, one run, the node counted once."""

import getpass
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from joulebook.measure.replay import read_run

SRC = Path(__file__).parents[2] / "src"

CONFIGURATION = """
ClusterName=one
SlurmctldHost={host}
AuthType=auth/none
CredType=cred/none
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={port}
SlurmdPort={next_port}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
ReturnToService=2
NodeName={host} CPUs={cpus} State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""

TASK = """
import time
import joulebook
with joulebook.measure("train", interval_s=0.1, meters=["nvidia"]) as m:
    time.sleep(2)
print(m.run)
"""


@pytest.fixture
def slurm(tmp_path):
    """A controller and a node of our own; the environment that finds them."""
    programs = ("slurmctld", "slurmd", "srun", "sinfo")
    missing = [name for name in programs if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (apt-get install slurmctld slurmd slurm-client)")
    if os.geteuid() != 0:
        pytest.skip("slurmd needs root")
    for name in ("state", "spool"):
        (tmp_path / name).mkdir()
    text = CONFIGURATION.format(
        host=os.uname().nodename,
        user=getpass.getuser(),
        folder=tmp_path,
        port=26817,
        next_port=26818,
        cpus=os.cpu_count(),
    )
    (tmp_path / "slurm.conf").write_text(text)
    environment = {**os.environ, "SLURM_CONF": str(tmp_path / "slurm.conf"), "PATH": f"{os.environ['PATH']}:/usr/sbin"}
    with (tmp_path / "log").open("w") as log:
        daemons = [
            subprocess.Popen(words, env=environment, stdout=log, stderr=log)
            for words in (["slurmctld", "-D", "-i"], ["slurmd", "-D"])
        ]
        try:
            wait_for_node(environment, tmp_path / "log")
            yield environment
        finally:
            for daemon in reversed(daemons):
                daemon.terminate()
                daemon.wait(timeout=30)


def wait_for_node(environment, log):
    """Until the node is ready."""
    for _try in range(120):
        words = ["sinfo", "-h", "-o", "%T"]
        state = subprocess.run(words, env=environment, capture_output=True, text=True, check=False).stdout.strip()
        if state in {"idle", "mixed", "allocated"}:
            return
        time.sleep(0.5)
    pytest.fail(f"the node did not come up: {state}\n{log.read_text()[-2000:]}")


@pytest.mark.nightly
def test_two_tasks(slurm, tmp_path, fake_nvml_folder):
    """Two tasks of a step are one run with two journals, and a board of 200 W is 200 W."""
    environment = {
        **slurm,
        "PYTHONPATH": str(SRC),
        "JOULEBOOK_JOURNALS": str(tmp_path / "journals"),
        "LD_LIBRARY_PATH": str(fake_nvml_folder),
        "FAKE_NVML_BOARDS": "1",
        "FAKE_NVML_LOW_W": "200",
        "FAKE_NVML_HIGH_W": "200",
    }
    words = ["srun", "-n", "2", "--overcommit", sys.executable, "-c", TASK]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    (run,) = set(done.stdout.split())
    assert run.startswith("slurm-")
    summary = read_run(tmp_path / "journals" / run)
    assert summary.hosts[0].process_count == 2
    joules = summary.hosts[0].component("gpu").energy_kwh.mid * 3.6e6
    assert joules / summary.duration_s == pytest.approx(200, rel=0.02)
