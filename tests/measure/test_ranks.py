"""Many processes, one node: every rank is kept, every device is counted once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from joulebook.measure.identity import Rank, rank_of, run_of
from joulebook.measure.replay import read_run

SRC = Path(__file__).parents[2] / "src"

RANK = """
import sys
from pathlib import Path
import joulebook, time
with joulebook.measure("train", folder=Path(sys.argv[1]), interval_s=0.05, meters=["nvidia"]):
    sys.stdin.read()
"""


def watts(summary, component="gpu"):
    """Mean power of a component over all hosts."""
    joules = sum(host.component(component).energy_kwh.mid for host in summary.hosts) * 3.6e6
    return joules / summary.duration_s


def test_eight_ranks_stopping_together(tmp_path, fake_nvml_folder):
    """Eight ranks that end at once keep eight journals, and eight boards of 200 W are 1,600 W, not 12,800."""
    common = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("FAKE_NVML", "CUDA_"))},
        "PYTHONPATH": str(SRC),
        "LD_LIBRARY_PATH": str(fake_nvml_folder),
        "FAKE_NVML_BOARDS": "8",
        "FAKE_NVML_LOW_W": "200",
        "FAKE_NVML_HIGH_W": "200",
        "WORLD_SIZE": "8",
        "TORCHELASTIC_RUN_ID": "job",
    }
    ranks = [
        subprocess.Popen(
            [sys.executable, "-c", RANK, str(tmp_path)], env={**common, "RANK": str(rank)}, stdin=subprocess.PIPE
        )
        for rank in range(8)
    ]
    while len(list(tmp_path.glob("torchrun-job/*.journal"))) < 8:
        assert all(rank.poll() is None for rank in ranks)
    for rank in ranks:
        rank.stdin.close()
    assert [rank.wait() for rank in ranks] == [0] * 8
    summary = read_run(tmp_path / "torchrun-job")
    assert summary.hosts[0].process_count == 8
    assert watts(summary) == pytest.approx(1600, rel=0.1)


def test_sixty_four_ranks_on_eight_nodes(tmp_path, recorder, clock, list_reader, make_channel):
    """64 ranks on 8 nodes, started and ended at different times, give each node's energy once and their sum."""
    channels = [make_channel(device_uuid=f"GPU-{board}") for board in range(8)]
    taken = []
    for node in range(8):
        for local in range(8):
            rank = {"launcher": "slurm", "rank": node * 8 + local, "world_size": 64}
            path = tmp_path / "r" / f"{node}-{local}.journal"
            own = [make_channel(device_uuid=f"n{node}-{one.device_uuid}") for one in channels]
            taken.append((local, recorder(list_reader([[0] * 8], own), path=path, host=f"n{node}", rank=rank)))
    for second in range(21):
        for local, one in taken:
            if local <= second <= 20 - local:
                one._readers[0].values = [[second * 100_000] * 8]
                one.sample()
        clock.move(1)
    for _local, one in taken:
        one.journal.close()
    summary = read_run(tmp_path / "r")
    assert len(summary.hosts) == 8
    assert all(host.process_count == 8 for host in summary.hosts)
    joules = [host.component("gpu").energy_kwh.mid * 3.6e6 for host in summary.hosts]
    assert joules == pytest.approx([8 * 100 * 20] * 8)


def test_ranks_that_follow_each_other(tmp_path, recorder, clock, list_reader, make_channel):
    """Two processes of a run that overlap in part are joined without counting the overlap twice."""
    first, second = (
        recorder(list_reader([[0]], [make_channel()]), path=tmp_path / "r" / f"{name}.journal") for name in "ab"
    )
    for now in range(31):
        for one, start, end in ((first, 0, 20), (second, 10, 30)):
            if start <= now <= end:
                one._readers[0].values = [[now * 50_000]]
                one.sample()
        clock.move(1)
    for one in (first, second):
        one.journal.close()
    assert read_run(tmp_path / "r").hosts[0].component("gpu").energy_kwh.mid * 3.6e6 == pytest.approx(1500)


def test_two_slices_of_one_board(tmp_path, recorder, clock, list_reader, make_channel):
    """Two ranks on two MIG instances of one board have two sevenths of it; the same instance twice counts once."""
    for name, share_name in (("a", "MIG-1"), ("b", "MIG-2"), ("c", "MIG-2")):
        board = make_channel(share=1 / 7, share_name=share_name)
        one = recorder(list_reader([[0], [700_000]], [board]), path=tmp_path / "r" / f"{name}.journal")
        start = clock.seconds
        one.sample()
        clock.move(1)
        one.sample()
        clock.seconds = start
        one.journal.close()
    energy = read_run(tmp_path / "r").hosts[0].component("gpu").energy_kwh
    assert energy.mid * 3.6e6 == pytest.approx(200)
    assert energy.high * 3.6e6 == pytest.approx(700)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (
            {"SLURM_PROCID": "5", "SLURM_STEP_NUM_TASKS": "8", "SLURM_JOB_ID": "77", "SLURM_STEP_ID": "0"},
            ("slurm", 5, 8),
        ),
        ({"RANK": "3", "WORLD_SIZE": "4", "MASTER_PORT": "29500"}, ("torchrun", 3, 4)),
        ({"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2", "PMIX_NAMESPACE": "x@1"}, ("openmpi", 1, 2)),
        ({"PMI_RANK": "1", "PMI_SIZE": "2"}, ("mpich", 1, 2)),
        ({"RANK": "x", "WORLD_SIZE": "4"}, ("alone", 0, 1)),
    ],
)
def test_launchers(environment, expected):
    """Slurm, torchrun, Open MPI and MPICH are recognised by their variables; nonsense is a process alone."""
    rank = rank_of(environment)
    assert (rank.launcher, rank.rank, rank.world_size) == expected


def test_name_of_a_run():
    """Ranks of one job share a name, a wrapper's name wins, processes alone have names of their own."""
    job = {"SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "2", "SLURM_JOB_ID": "77", "SLURM_STEP_ID": "0"}
    assert run_of(job, rank_of(job)) == "slurm-77.0"
    assert run_of({**job, "JOULEBOOK_RUN": "abc"}, rank_of(job)) == "abc"
    assert run_of({}, Rank()) != run_of({}, Rank())
