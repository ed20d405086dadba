"""Compile what is quicker to load than to read: the message catalogs and the shipped factors.

Every fragment ``locale/<language>/*.po`` goes into one ``joulebook.mo`` per language; all factor files go into one
``factors/compiled.json``, which is used as long as their bytes have the hash it names.
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


def compile_factors(root: Path = LOCALE.parents[2]) -> Path:
    """Write the compiled factors into the tree and return their path."""
    sys.path.insert(0, str(root / "src"))
    try:
        from joulebook.factors.read import ship  # noqa: PLC0415  (only where a package is built)
    finally:
        sys.path.pop(0)
    return ship()


class CatalogHook(BuildHookInterface):
    """Runs before a wheel or an editable install is made."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  (the hook's signature)
        """Compile the catalogs and, for a wheel, the factors into the tree."""
        compile_catalogs(Path(self.root) / "src" / "joulebook" / "locale")
        if version == "standard":
            compile_factors(Path(self.root))


if __name__ == "__main__":
    for path in compile_catalogs():
        print(path)  # noqa: T201  (a build step tells what it wrote)
