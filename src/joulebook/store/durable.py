"""Writing that survives a power cut: fsync of files and folders, exclusive publication, hashes."""

import hashlib
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from joulebook.errors import StoreUnwritable


@contextmanager
def writing(place: Path) -> Generator[None, None, None]:
    """Turn a refusal of the operating system into an error that says what to do.

    Raises:
        StoreUnwritable: no space, no permission, read-only, or not a folder.
    """
    try:
        yield
    except OSError as fault:
        raise StoreUnwritable(path=str(place), reason=fault.strerror or str(fault)) from fault


def sync_file(path: Path) -> None:
    """Force the content of a file to the disk."""
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(path: Path) -> None:
    """Force the names in a folder to the disk; Windows keeps them safe by itself and has no call for it."""
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(path: Path) -> None:
    """Make a folder with its parents and force each new name to the disk."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in missing:
        sync_folder(folder.parent)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, as 64 hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def publish(draft: Path, target: Path) -> bool:
    """Give a finished draft its final name, whole or not at all; False where the name is taken.

    The draft is removed either way. Both names must be on one file system, which must know hard links: a link is
    atomic and never replaces, also between machines that share the folder.
    """
    sync_file(draft)
    try:
        os.link(draft, target)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    sync_folder(target.parent)
    return True


def remove_older(folder: Path, pattern: str, before: float, keep: frozenset[str] = frozenset()) -> list[str]:
    """Remove what matches the pattern and was last written before an instant [s since 1970]; return the names."""
    removed = []
    for path in sorted(folder.glob(pattern)):
        try:
            if path.name in keep or path.stat().st_mtime >= before:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        except FileNotFoundError:  # another writer was tidying too
            continue
        removed.append(path.name)
    return removed
