"""joulebook: the open account book of AI's energy, carbon and water.

The public surface, one name per verb, is re-exported lazily: ``import joulebook`` loads nothing heavy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from joulebook.measure.span import span as measure

__version__ = "0.1.0"

_PUBLIC = {
    "Book": "joulebook.book",
    "JoulebookError": "joulebook.errors",
    "Range": "joulebook.terms.range",
}

__all__ = ["Book", "JoulebookError", "Range", "__version__", "measure"]


def __getattr__(name: str) -> Any:  # noqa: ANN401  (the type depends on the name)
    """Load a public name from its module on first use."""
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    if name == "measure":
        return import_module("joulebook.measure")  # a package that can be called: see its docstring
    msg = f"module 'joulebook' has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted(__all__)
