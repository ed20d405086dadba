"""Compile what is quicker to load than to read: the message catalogs, the shipped factors, the column dictionary.

Every fragment ``locale/<language>/*.po`` goes into one ``joulebook.mo`` per language; all factor files go into one
``factors/compiled.json`` and the columns into ``terms/columns.json``, which are used as long as the bytes that they
were made of have the hash they name.
"""

import sys
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LOCALE = Path(__file__).parent / "src" / "joulebook" / "locale"


def compile_catalogs(locale: Path = LOCALE) -> list[Path]:
    """Write one catalog per language and return their paths.

    Raises:
        ValueError: the same message stands in two fragments with different translations.
    """
    written = []
    for folder in sorted(path for path in locale.iterdir() if path.is_dir()):
        whole = Catalog(locale=folder.name, charset="utf-8")
        for fragment in sorted(folder.glob("*.po")):
            with fragment.open("rb") as stream:
                for message in read_po(stream, locale=folder.name, abort_invalid=True):
                    known = whole.get(message.id)
                    if message.id and known is not None and known.string != message.string:
                        msg = f"{fragment}: {message.id!r} is translated elsewhere in another way"
                        raise ValueError(msg)
                    if message.id:
                        whole.add(message.id, message.string)
        target = folder / "LC_MESSAGES" / "joulebook.mo"
        target.parent.mkdir(exist_ok=True)
        with target.open("wb") as stream:
            write_mo(stream, whole)
        written.append(target)
    return written


def compile_data(root: Path = LOCALE.parents[2]) -> list[Path]:
    """Write the compiled columns and factors into the tree and return their paths."""
    sys.path.insert(0, str(root / "src"))
    try:
        from joulebook.factors import read  # noqa: PLC0415  (only where a package is built)
        from joulebook.terms import columns  # noqa: PLC0415  (only where a package is built)
    finally:
        sys.path.pop(0)
    return [columns.ship(), read.ship()]


class CatalogHook(BuildHookInterface):
    """Runs before a wheel or an editable install is made."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  (the hook's signature)
        """Compile the catalogs and, for a wheel, the columns and factors into the tree."""
        compile_catalogs(Path(self.root) / "src" / "joulebook" / "locale")
        if version == "standard":
            compile_data(Path(self.root))


if __name__ == "__main__":
    for path in compile_catalogs():
        print(path)  # noqa: T201  (a build step tells what it wrote)
