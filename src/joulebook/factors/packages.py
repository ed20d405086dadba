"""Factors that come as installed packages: a folder of the same form, named by an entry point.

A package declares ``[project.entry-points."joulebook.factors"]`` with ``name = "its_module"``; the folder of that
module holds the factor files. The module is found but not run.
"""

from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from joulebook.errors import UnknownName

GROUP = "joulebook.factors"


@dataclass(frozen=True, slots=True)
class FactorPackage:
    """An installed package of factors.

    Attributes:
        name: name of the entry point, which `factors show` prints.
        folder: where its files are.
    """

    name: str
    folder: Path


def factor_packages() -> tuple[FactorPackage, ...]:
    """The installed packages, in the order of their names.

    Raises:
        UnknownName: an entry point names a module that is not there.
    """
    found = {point.name: point.value.partition(":")[0] for point in entry_points(group=GROUP)}
    return tuple(FactorPackage(name, _folder(name, module)) for name, module in sorted(found.items()))


def _folder(name: str, module: str) -> Path:
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:
        spec = None
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    if not places:
        raise UnknownName(kind="module", name=module, nearest=f"{GROUP}: {name}")
    return Path(places[0])
