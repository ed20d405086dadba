"""Read the library: the shipped data and folders of the user's own, strictly.

A folder holds ``<kind>/<name>.yaml`` (or ``<name>.yaml`` with a ``kind:``) and its bibliography in ``sources.yaml`` or
``sources/*.yaml``. All faults of all files are found in one run; the error that is raised carries them in ``faults``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

from joulebook.factors import compiled
from joulebook.factors.edition import Edition, Factor, Link, Source
from joulebook.factors.faults import FactorFault
from joulebook.factors.rows import FileReader, read_sources

HERE = Path(str(files("joulebook.factors")))
NOT_FACTORS = ("policy", "series", "sources")
"""Folders of a library that hold something else than factor files."""


@dataclass(frozen=True)
class Reading:
    """What one run of reading found.

    Attributes:
        edition: the rows that could be read.
        faults: everything that is wrong, in the order of files and lines.
    """

    edition: Edition
    faults: tuple[FactorFault, ...]


def read_edition(*extra_folders: Path) -> Edition:
    """The shipped factors, extended and overridden by folders of the same form.

    Args:
        extra_folders: folders of the user's own factors; their rows are marked ``is_user`` and win over shipped ones.

    Returns:
        the edition. What was parsed once is kept under the XDG cache home by the hash of every byte that went in;
        without a writable cache the files are parsed again.

    Raises:
        FactorFault: a file breaks a rule (a `FactorFileError`); all faults are in its ``faults``.
    """
    return _edition(tuple(extra_folders), _fingerprint(HERE, *extra_folders))


@cache
def _edition(extra_folders: tuple[Path, ...], fingerprint: str) -> Edition:
    kept = compiled.load(fingerprint)
    if kept is not None:
        return kept
    reading = read_with_faults(*extra_folders)
    if reading.faults:
        raise reading.faults[0].with_all(reading.faults)
    compiled.save(fingerprint, reading.edition)
    return reading.edition


def read_with_faults(*extra_folders: Path, library: Path = HERE) -> Reading:
    """Everything that can be read and everything that is wrong, without the cache.

    Args:
        extra_folders: folders of the user's own.
        library: the folder that holds ``data/`` and the bibliography of the shipped factors.
    """
    sources, faults = _bibliography([library, *extra_folders], library)
    readers = [
        FileReader(path.read_text(encoding="utf-8"), name, path.parent.name, is_user=folder is not library)
        for folder in (library, *extra_folders)
        for path, name in _factor_files(folder, library)
    ]
    for reader in readers:
        faults.extend(reader.faults)
    factors = tuple(row for reader in readers for row in reader.factors)
    links = tuple(link for reader in readers for link in reader.links)
    faults.extend(_unknown_sources(factors, sources))
    faults.extend(_unknown_sources(links, sources))
    faults.extend(_overlaps(factors))
    names = {subject: name for reader in readers for subject, name in reader.names.items()}
    name = _name(library) + (" + user" if extra_folders else "")
    return Reading(Edition(name, factors, links, sources, names), tuple(sorted(faults, key=lambda x: (x.file, x.line))))


def _name(library: Path) -> str:
    path = library / "edition.txt"
    return path.read_text(encoding="utf-8").strip() if path.is_file() else library.name


def _factor_files(folder: Path, library: Path) -> list[tuple[Path, str]]:
    root = folder / "data" if folder == library else folder
    found = []
    for path in sorted(root.glob("**/*.yaml")):
        inside = path.relative_to(root)
        if inside.parts[0] not in (*NOT_FACTORS, "sources.yaml"):
            found.append((path, inside.as_posix() if folder == library else str(path)))
    return found


def _source_files(folder: Path) -> list[Path]:
    return [path for path in (folder / "sources.yaml",) if path.is_file()] + sorted(folder.glob("sources/*.yaml"))


def _bibliography(folders: Iterable[Path], library: Path) -> tuple[Mapping[str, Source], list[FactorFault]]:
    known: dict[str, Source] = {}
    faults: list[FactorFault] = []
    for folder in folders:
        for path in _source_files(folder):
            name = path.relative_to(folder).as_posix() if folder == library else str(path)
            entries, wrong = read_sources(path.read_text(encoding="utf-8"), name)
            faults.extend(wrong)
            for entry in entries:
                other = known.setdefault(entry.source, entry)
                if other is not entry:
                    faults.append(
                        FactorFault(
                            "duplicate-source",
                            file=name,
                            line=entry.line,
                            source=entry.source,
                            other_file=other.file,
                            other_line=other.line,
                        )
                    )
    return known, faults


def _unknown_sources(rows: Iterable[Factor | Link], sources: Mapping[str, Source]) -> Iterable[FactorFault]:
    for row in rows:
        if row.source not in sources:
            nearest = ", ".join(get_close_matches(row.source, sources, n=3) or sorted(sources)[:3])
            yield FactorFault("unknown-source", file=row.file, line=row.line, source=row.source, nearest=nearest)


def _overlaps(factors: Iterable[Factor]) -> Iterable[FactorFault]:
    groups: dict[tuple[object, ...], list[Factor]] = {}
    for row in factors:
        groups.setdefault((*row.identity, row.known_from), []).append(row)
    for rows in groups.values():
        ordered = sorted(rows, key=lambda row: (row.valid_from, row.line))
        for earlier, later in pairwise(ordered):
            if earlier.valid_to is None or later.valid_from < earlier.valid_to:
                yield FactorFault(
                    "overlap",
                    file=later.file,
                    line=later.line,
                    subject=later.subject,
                    quantity=later.quantity,
                    other_file=earlier.file,
                    other_line=earlier.line,
                )


def _fingerprint(library: Path, *extra_folders: Path) -> str:
    paths = [library / name for name in ("edition.txt", "edition.py", "rows.py", "tree.py", "read.py", "compiled.py")]
    paths.append(library.parent / "terms" / "columns.yaml")
    for folder in (library, *extra_folders):
        paths.extend(path for path, _name in _factor_files(folder, library))
        paths.extend(_source_files(folder))
    return compiled.fingerprint((str(path), path.read_bytes()) for path in paths if path.is_file())
