"""The column dictionary: name, type, unit, dimension, grain, meaning in both languages, standard."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from joulebook.errors import UnknownName, translatable

COMPILED = Path(__file__).with_name("columns.json")
"""The dictionary in a form that is quicker to read, written when the package is built; a source tree has none."""

DIMENSIONS = ("energy", "mass", "volume", "time", "count", "money", "distance")


@dataclass(frozen=True, slots=True)
class Column:
    """One word of the dictionary.

    Attributes:
        name: the name, its unit last.
        type: int64, float64, string, bool, date or timestamp (UTC microseconds).
        unit: the unit, or None for what has none.
        dimension: exponents of the base dimensions.
        grain: size of one integer step when the column is summed [unit]; None where it is not a summed measure.
        meaning: one sentence per language, keys ``en`` and ``ko``.
        standard: where the word comes from, or None.
    """

    name: str
    type: str
    meaning: Mapping[str, str]
    unit: str | None = None
    dimension: Mapping[str, int] = field(default_factory=dict)
    grain: float | None = None
    standard: str | None = None

    @property
    def grains_per_unit(self) -> float:
        """How many integer steps one unit has: 1e12 for a grain of 1e-12.

        Raises:
            UnknownName: the column is not a summed measure.
        """
        if self.grain is None:
            raise UnknownName(kind=translatable("measure"), name=self.name, nearest=", ".join(METRICS))
        return float(round(1 / self.grain))


METRICS = (
    "gpu_energy_kwh",
    "it_energy_kwh",
    "facility_energy_kwh",
    "co2e_operational_location_g",
    "co2e_operational_market_g",
    "co2e_grid_losses_g",
    "co2e_upstream_g",
    "co2e_embodied_amortised_g",
    "co2e_embodied_purchase_year_g",
    "water_onsite_l",
    "water_offsite_without_hydro_l",
    "water_offsite_hydro_l",
)
"""Measures that are posted; separate views, never summed by accident."""


@cache
def columns() -> Mapping[str, Column]:
    """The whole dictionary, in its order."""
    text = _text()
    known = {name: Column(name=name, **entry) for name, entry in (_compiled(text) or _parsed(text)).items()}
    return known | {f"{name}_q": _in_grains(known[name]) for name in (*METRICS, "cost_usd")}


def _text() -> bytes:
    return Path(__file__).with_name("columns.yaml").read_bytes()


def _parsed(text: bytes) -> dict[str, Any]:
    import yaml  # noqa: PLC0415  (keeps `import joulebook` light)

    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506


def _compiled(text: bytes) -> dict[str, Any] | None:
    """The compiled entries, or None where there are none, they are damaged, or they were made of another text."""
    import json  # noqa: PLC0415  (keeps `import joulebook` light)

    try:
        head, _, payload = COMPILED.read_bytes().partition(b"\n")
    except OSError:
        return None
    return json.loads(payload) if head == _seal(text, payload) else None


def _seal(text: bytes, payload: bytes) -> bytes:
    import hashlib  # noqa: PLC0415  (keeps `import joulebook` light)

    return f"{hashlib.sha256(payload).hexdigest()} {hashlib.sha256(text).hexdigest()}".encode()


def ship() -> Path:
    """Write the dictionary to where it is shipped compiled, and return its path."""
    import json  # noqa: PLC0415  (keeps `import joulebook` light)

    text = _text()
    payload = json.dumps(_parsed(text), ensure_ascii=False, separators=(",", ":")).encode()
    COMPILED.write_bytes(_seal(text, payload) + b"\n" + payload)
    return COMPILED


def _in_grains(measure: Column) -> Column:
    meaning = {"en": f"{measure.meaning['en']} In whole grains.", "ko": f"{measure.meaning['ko']} 최소 단위의 정수."}
    return Column(f"{measure.name}_q", "int64", meaning, measure.unit, measure.dimension, None, measure.standard)


def column(name: str) -> Column:
    """One column of the dictionary.

    Raises:
        UnknownName: there is no such column.
    """
    known = columns()
    if name not in known:
        from difflib import get_close_matches  # noqa: PLC0415

        near = get_close_matches(name, known, n=3) or sorted(known)[:3]
        raise UnknownName(kind=translatable("column"), name=name, nearest=", ".join(near))
    return known[name]
