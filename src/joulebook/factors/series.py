"""Large series beside the factor files: a CSV and a descriptor that states its SHA-256, checked on every load.

A series is read only when it is asked for. Its rows are texts; the functions below give them meaning.
"""

import csv
import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from joulebook.errors import UnknownName, translatable
from joulebook.factors.edition import Edition
from joulebook.factors.faults import FactorFault
from joulebook.factors.read import HERE
from joulebook.factors.rows import FileReader
from joulebook.factors.tree import Entries, Items, Text, read_tree
from joulebook.terms.range import Range

FOLDER = HERE / "series"
KEYS = ("title", "sources", "licence", "method", "known_from", "rows", "sha256", "columns")
HOURLY = "hourly-profile"
INSTANCES = "instances"

TIER_WORD = re.compile(r"^(?:standard|basic)[_ ]")
"""What Azure's bills and interfaces write before the size."""

SERVICE_WORD = re.compile(r"^(?:ml|db|cache)\.")
"""What SageMaker, RDS and ElastiCache write before an EC2 type."""


@dataclass(frozen=True)
class Series:
    """A table of texts with its descriptor.

    Attributes:
        name: name of its files.
        title: what it is.
        sources: keys of the bibliography.
        licence: licence of the facts.
        method: how it was made.
        known_from: first day it was known, ISO 8601.
        columns: column -> meaning.
        rows: the rows, column -> text; an empty text is unknown.
    """

    name: str
    title: str
    sources: tuple[str, ...]
    licence: str
    method: str
    known_from: str
    columns: Mapping[str, str]
    rows: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class Instance:
    """An instance type of a cloud; None is unknown.

    Attributes:
        provider: aws, azure or gcp.
        instance: name of the type.
        vcpus: virtual processors.
        memory_gib: memory [GiB].
        cpu: name or microarchitecture of the processor.
        accelerator: subject of the accelerator's factors.
        accelerators: accelerators of one instance.
        platform_embodied_kg: making the whole platform [kg CO2e].
    """

    provider: str
    instance: str
    vcpus: float | None
    memory_gib: float | None
    cpu: str | None
    accelerator: str | None
    accelerators: float | None
    platform_embodied_kg: float | None


def series_names(folder: Path = FOLDER) -> list[str]:
    """Names of all series of a folder."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


@cache
def read_series(name: str, folder: Path = FOLDER) -> Series:
    """One series, checked against its descriptor.

    Raises:
        UnknownName: there is no such series.
        FactorFault: the descriptor breaks a rule, or the CSV is not the one it describes.
    """
    if name not in series_names(folder):
        raise UnknownName(kind=translatable("series"), name=name, nearest=", ".join(series_names(folder)))
    file = f"series/{name}.yaml"
    reader = FileReader("", file, "series", is_user=False)
    tree = read_tree((folder / f"{name}.yaml").read_text(encoding="utf-8"), file, reader.faults)
    top = reader.entries_of(tree or Entries(1), "the descriptor", KEYS)
    words = {key: reader.word(top, key) or "" for key in ("title", "licence", "method", "known_from", "rows", "sha256")}
    for key in [key for key in KEYS if key not in top]:
        reader.fault("missing-key", 1, subject=name, key=key)
    content = (folder / f"{name}.csv").read_bytes()
    if hashlib.sha256(content).hexdigest() != words["sha256"]:
        reader.fault("series-changed", top["sha256"][1] if "sha256" in top else 1, data=f"{name}.csv")
    if reader.faults:
        raise reader.faults[0].with_all(tuple(reader.faults))
    meanings = top["columns"][0]
    columns = (
        {key: node.text for key, node in meanings.entries.items() if isinstance(node, Text)}
        if isinstance(meanings, Entries)
        else {}
    )
    rows = tuple(csv.DictReader(content.decode("utf-8").splitlines()))
    if str(len(rows)) != words["rows"] or (rows and list(rows[0]) != list(columns)):
        raise FactorFault("series-changed", file=file, line=top["rows"][1], data=f"{name}.csv")
    sources = top["sources"][0]
    keys = tuple(node.text for node in sources.items if isinstance(node, Text)) if isinstance(sources, Items) else ()
    return Series(name, words["title"], keys, words["licence"], words["method"], words["known_from"], columns, rows)


def series_sources(folder: Path = FOLDER) -> frozenset[str]:
    """Sources that the series of a folder name; those of a series that cannot be read are left out."""
    found: set[str] = set()
    for name in series_names(folder):
        with suppress(FactorFault):
            found.update(read_series(name, folder).sources)
    return frozenset(found)


def series_faults(edition: Edition, folder: Path = FOLDER) -> list[FactorFault]:
    """What is wrong with the series of a folder: form, hash, sources that are not in the bibliography."""
    faults: list[FactorFault] = []
    for name in series_names(folder):
        try:
            series = read_series(name, folder)
        except FactorFault as fault:
            faults.extend(fault.faults)
            continue
        for source in series.sources:
            if source not in edition.sources:
                nearest = ", ".join(sorted(edition.sources)[:3])
                file = f"series/{name}.yaml"
                faults.append(FactorFault("unknown-source", file=file, line=1, source=source, nearest=nearest))
    return faults


@cache
def _profiles() -> Mapping[str, Mapping[tuple[int, int], Range]]:
    found: dict[str, dict[tuple[int, int], Range]] = {}
    for row in read_series(HOURLY).rows:
        hour = (int(row["month"]), int(row["hour_utc"]))
        spread = Range.checked(float(row["low"]), float(row["ratio"]), float(row["high"]))
        found.setdefault(row["zone"], {})[hour] = spread
    return found


def hourly_profile(edition: Edition, zone: str) -> Mapping[tuple[int, int], Range] | None:
    """How the intensity of a zone runs through the hours, for use where no hourly series is given.

    Args:
        edition: factors with links of relation ``hourly_profile``.
        zone: subject of grid factors, such as ``US-CAMX``.

    Returns:
        (month 1..12, hour 0..23 in UTC) -> ratio to the mean of the year, with the spread over the days of the month;
        None where no profile stands for the zone, which is not a flat profile.
    """
    links = edition.links_for(zone, "hourly_profile")
    return _profiles().get(links[-1].object) if links else None


@cache
def _instances() -> Mapping[tuple[str, str], Instance]:
    def number(text: str) -> float | None:
        return float(text) if text else None

    return {
        (row["provider"], row["instance"].lower()): Instance(
            row["provider"],
            row["instance"],
            number(row["vcpus"]),
            number(row["memory_gib"]),
            row["cpu"] or None,
            row["accelerator"] or None,
            number(row["accelerators"]),
            number(row["platform_embodied_kg"]),
        )
        for row in read_series(INSTANCES).rows
    }


def instance(provider: str, name: str) -> Instance | None:
    """An instance type of aws, azure or gcp; None where it is not known.

    Azure's ``Standard_NC4as_T4_v3`` and ``NC4as T4 v3`` are one type, as are ``p5.48xlarge`` and SageMaker's
    ``ml.p5.48xlarge``.
    """
    written = name.strip().lower()
    plain = TIER_WORD.sub("", written).replace("_", " ") if provider == "azure" else SERVICE_WORD.sub("", written)
    known = _instances()
    return known.get((provider, written)) or known.get((provider, plain))
