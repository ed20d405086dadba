"""Who is measuring: host, boot, process, rank, run; and where journals are kept."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from joulebook.config import PLACE, read_config

RUN_VARIABLE = "JOULEBOOK_RUN"
"""Environment variable by which a wrapper tells its children which run they are part of."""

FOLDER_VARIABLE = "JOULEBOOK_JOURNALS"
"""Environment variable that names the folder of the journals."""


class Rank(NamedTuple):
    """Place of a process in a parallel job.

    Attributes:
        launcher: slurm, torchrun, openmpi, mpich or alone.
        rank: number of the process in the whole job, from 0.
        world_size: how many processes there are.
        job: what all of them share, or "".
    """

    launcher: str = "alone"
    rank: int = 0
    world_size: int = 1
    job: str = ""


_LAUNCHERS = (
    ("torchrun", "RANK", "WORLD_SIZE", ("TORCHELASTIC_RUN_ID", "MASTER_PORT")),
    ("openmpi", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", ("PMIX_NAMESPACE", "OMPI_MCA_ess_base_jobid")),
    ("slurm", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", ("SLURM_JOB_ID", "SLURM_STEP_ID")),
    ("mpich", "PMI_RANK", "PMI_SIZE", ("PMI_ID", "HYDI_CONTROL_FD")),
)
"""Launcher, variable of the rank, of the size, and the variables that name the job (all that are set are joined)."""


def rank_of(environment: Mapping[str, str]) -> Rank:
    """Rank by the launcher's variables.

    >>> rank_of({"RANK": "3", "WORLD_SIZE": "8", "TORCHELASTIC_RUN_ID": "abc"})
    Rank(launcher='torchrun', rank=3, world_size=8, job='abc')
    >>> rank_of({}).launcher
    'alone'

    Sources: torchrun, "Environment Variables"; Slurm srun(1), "OUTPUT ENVIRONMENT VARIABLES"; Open MPI FAQ 7.5.
    """
    for launcher, rank, size, job in _LAUNCHERS:
        if environment.get(rank, "").isdigit() and environment.get(size, "").isdigit():
            named = [environment[name] for name in job if environment.get(name)]
            if "SLURM_JOB_ID" in environment and launcher != "slurm":
                named.append(environment["SLURM_JOB_ID"])
            return Rank(launcher, int(environment[rank]), int(environment[size]), ".".join(named))
    return Rank()


def run_of(environment: Mapping[str, str], rank: Rank) -> str:
    """Name of the run: the wrapper's, else the parallel job's, else a fresh one."""
    given = environment.get(RUN_VARIABLE)
    if given:
        return given
    if rank.world_size > 1 and rank.job:
        return _safe(f"{rank.launcher}-{rank.job}")
    return new_run()


def new_run() -> str:
    """A fresh name of a run: 12 hex digits.

    >>> len(new_run())
    12
    """
    return os.urandom(6).hex()


def _safe(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in name)[:100]


def host_name() -> str:
    """Name of this machine."""
    if hasattr(os, "uname"):
        return os.uname().nodename
    import platform  # noqa: PLC0415  (only where the system has no uname)

    return platform.node()


def boot_id() -> str:
    """Identity of this start of the machine; counters begin anew with each.

    Source: random(4), /proc/sys/kernel/random/boot_id. Elsewhere the time of the start stands in.
    """
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        import psutil  # noqa: PLC0415  (only where there is no /proc)

        return f"boot-{int(psutil.boot_time())}"


def process_start(pid: int) -> int | None:
    """When a process started [clock ticks since boot], or None where there is no such process.

    With the pid it tells one process from a later one of the same number. Source: proc_pid_stat(5), field 22.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return _process_start_elsewhere(pid)
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else int(fields[19])


def _process_start_elsewhere(pid: int) -> int | None:
    if sys.platform == "linux":
        return None
    import psutil  # noqa: PLC0415  (only where there is no /proc)

    try:
        return int(psutil.Process(pid).create_time() * 100)
    except psutil.Error:
        return None


def journal_folder(given: Path | None = None) -> Path:
    """Folder of the journals: given, else `JOULEBOOK_JOURNALS`, else beside the book that is named or settled.

    Raises:
        ConfigFault: a file of settings cannot be used.
    """
    if given is not None:
        return given
    if os.environ.get(FOLDER_VARIABLE):
        return Path(os.environ[FOLDER_VARIABLE])
    if os.environ.get("JOULEBOOK_BOOK"):
        return Path(os.environ["JOULEBOOK_BOOK"]) / "journals"
    settled = read_config().book()
    if settled is not None:
        return settled / "journals"
    home = os.environ.get("XDG_DATA_HOME")
    return (Path(home) if home else Path.home() / ".local" / "share") / "joulebook" / "journals"


def settled_place(provider: str | None, region: str | None) -> tuple[str | None, str | None]:
    """Provider and region of this machine: given, else of the environment, else of a file; None is unknown.

    Raises:
        ConfigFault: a file of settings cannot be used.
    """
    config = read_config()
    return (
        provider or os.environ.get("JOULEBOOK_PROVIDER") or config.text(PLACE, "provider"),
        region or os.environ.get("JOULEBOOK_REGION") or config.text(PLACE, "region"),
    )
