"""Read the library: the shipped data and folders of the user's own, strictly.

A folder holds ``<kind>/<name>.yaml`` (or ``<name>.yaml`` with a ``kind:``) and its bibliography in ``sources.yaml`` or
``sources/*.yaml``. All faults of all files are found in one run; the error that is raised carries them in ``faults``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from joulebook.factors import compiled
from joulebook.factors.edition import Edition, Factor, Link, Source
from joulebook.factors.faults import FactorFault
from joulebook.factors.packages import FactorPackage

if TYPE_CHECKING:
    from joulebook.factors.rows import FileReader

HERE = Path(__file__).parent
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


Folder = Path | FactorPackage
"""Where a user's own factors are: a folder, or an installed package."""


def read_edition(*extra_folders: Folder) -> Edition:
    """The shipped factors, extended and overridden by folders and packages of the same form.

    Args:
        extra_folders: where the user's own factors are; their rows are marked ``is_user`` and win over shipped ones,
            and those of a folder win over those of a package.

    Returns:
        the edition. The shipped factors come compiled; where files were changed since, or the source tree is used as it
        is, what was parsed once is kept under the XDG cache home by the hash of every byte that went in. Without a
        writable cache the files are parsed again.

    Raises:
        FactorFault: a file breaks a rule (a `FactorFileError`); all faults are in its ``faults``.
    """
    return _edition(tuple(extra_folders), _fingerprint(HERE, *extra_folders))


@cache
def _edition(extra_folders: tuple[Folder, ...], fingerprint: str) -> Edition:
    kept = compiled.load(fingerprint)
    if kept is not None:
        return kept
    reading = _extended(Reading(read_edition(), ()), extra_folders) if extra_folders else _library(HERE)
    if reading.faults:
        raise reading.faults[0].with_all(reading.faults)
    compiled.save(fingerprint, reading.edition)
    return reading.edition


def read_with_faults(*extra_folders: Folder, library: Path = HERE) -> Reading:
    """Everything that can be read and everything that is wrong, without the cache.

    Args:
        extra_folders: where the user's own factors are.
        library: the folder that holds ``data/`` and the bibliography of the shipped factors.
    """
    return _extended(_library(library), extra_folders)


def ship(library: Path = HERE) -> Path:
    """Write the compiled form of the shipped factors beside them; a step of building the package.

    Raises:
        FactorFault: a file breaks a rule.
    """
    reading = _library(library)
    if reading.faults:
        raise reading.faults[0].with_all(reading.faults)
    return compiled.ship(_fingerprint(library), reading.edition)


def _library(library: Path) -> Reading:
    from joulebook.factors.rows import FileReader  # noqa: PLC0415  (an edition that is compiled is not parsed)

    sources: dict[str, Source] = {}
    faults = _bibliography(sources, [(path, path.relative_to(library).as_posix()) for path in _source_files(library)])
    readers = [
        FileReader(path.read_text(encoding="utf-8"), name, path.parent.name, is_user=False)
        for path, name in _factor_files(library, is_library=True)
    ]
    return _joined(Edition(_name(library), (), (), sources), readers, faults)


def _extended(base: Reading, extra_folders: Iterable[Folder]) -> Reading:
    from joulebook.factors.rows import FileReader  # noqa: PLC0415  (an edition that is compiled is not parsed)

    folders = list(extra_folders)
    if not folders:
        return base
    sources, faults = dict(base.edition.sources), list(base.faults)
    readers: list[FileReader] = []
    for folder in folders:
        path, package = (folder.folder, folder.name) if isinstance(folder, FactorPackage) else (folder, "")
        faults += _bibliography(sources, [(found, str(found)) for found in _source_files(path)])
        readers += [
            FileReader(found.read_text(encoding="utf-8"), name, found.parent.name, is_user=True, package=package)
            for found, name in _factor_files(path, is_library=False)
        ]
    old = base.edition
    return _joined(Edition(f"{old.name} + user", old.factors, old.links, sources, old.names), readers, faults)


def _joined(base: Edition, readers: "Iterable[FileReader]", faults: list[FactorFault]) -> Reading:
    """An edition with the rows of some files behind its own."""
    read = list(readers)
    factors = tuple(row for reader in read for row in reader.factors)
    links = tuple(link for reader in read for link in reader.links)
    faults = [
        *faults,
        *(fault for reader in read for fault in reader.faults),
        *_unknown_sources(factors, base.sources),
        *_unknown_sources(links, base.sources),
        *_overlaps(factors),
    ]
    names = dict(base.names) | {subject: name for reader in read for subject, name in reader.names.items()}
    edition = Edition(base.name, base.factors + factors, base.links + links, base.sources, names)
    return Reading(edition, tuple(sorted(faults, key=lambda fault: (fault.file, fault.line))))


def _name(library: Path) -> str:
    path = library / "edition.txt"
    return path.read_text(encoding="utf-8").strip() if path.is_file() else library.name


def _factor_files(folder: Path, *, is_library: bool) -> list[tuple[Path, str]]:
    root = folder / "data" if is_library else folder
    found = []
    for path in sorted(root.glob("**/*.yaml")):
        inside = path.relative_to(root)
        if inside.parts[0] not in (*NOT_FACTORS, "sources.yaml"):
            found.append((path, inside.as_posix() if is_library else str(path)))
    return found


def _source_files(folder: Path) -> list[Path]:
    return [path for path in (folder / "sources.yaml",) if path.is_file()] + sorted(folder.glob("sources/*.yaml"))


def _bibliography(known: dict[str, Source], found: Iterable[tuple[Path, str]]) -> list[FactorFault]:
    """Add the entries of some files to those known; what is wrong with them."""
    from joulebook.factors.rows import read_sources  # noqa: PLC0415  (an edition that is compiled is not parsed)

    faults: list[FactorFault] = []
    for path, name in found:
        entries, wrong = read_sources(path.read_text(encoding="utf-8"), name)
        faults.extend(wrong)
        for entry in entries:
            other = known.setdefault(entry.source, entry)
            if other is not entry:
                facts = {"source": entry.source, "other_file": other.file, "other_line": other.line}
                faults.append(FactorFault("duplicate-source", file=name, line=entry.line, **facts))
    return faults


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


def _fingerprint(library: Path, *extra_folders: Folder) -> str:
    """A hash of every byte that makes the edition; the library's files by where they lie in it, so that it can move."""
    own = [library / name for name in ("edition.txt", "edition.py", "rows.py", "tree.py", "read.py", "compiled.py")]
    own += [path for path, _name in _factor_files(library, is_library=True)] + _source_files(library)
    parts = [(path.relative_to(library).as_posix(), path) for path in own]
    parts.append(("columns.yaml", library.parent / "terms" / "columns.yaml"))
    for folder in extra_folders:
        path, package = (folder.folder, folder.name) if isinstance(folder, FactorPackage) else (folder, "")
        files_of = [found for found, _name in _factor_files(path, is_library=False)] + _source_files(path)
        parts += [(f"{package} {found}", found) for found in files_of]
    return compiled.fingerprint((name, path.read_bytes()) for name, path in parts if path.is_file())
