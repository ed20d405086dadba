"""How the columns of any table become rows of usage: a declaration, not code.

The same declaration drives the row-by-row parse (`joulebook.ingest.table`) and the bulk path of the store, so that both
book the same rows with the same keys.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from joulebook.errors import FieldTwice, FieldUnmapped, NotAMapping, UnknownName, translatable
from joulebook.terms.usage import CONSUMPTION, INCLUSIVE, REQUEST_ID, TOKEN_CLASSES, USAGE_COLUMNS, USER_ID

COUNT_FIELDS = (
    "request_count",
    *TOKEN_CLASSES,
    "image_count",
    "embedding_tokens",
    *INCLUSIVE,
    "image_width_px",
    "image_height_px",
)
AMOUNT_FIELDS = (
    "audio_s",
    "video_s",
    "device_hours",
    "vcpu_hours",
    "output_tokens_per_s",
    "time_to_first_token_s",
    "batch_requests",
    "cost_usd",
    "image_steps",
    "video_frames_per_s",
    "memory_gb_hours",
    "storage_gb_hours",
    "network_gb",
    "metered_energy_kwh",
    "metered_low_ratio",
    "metered_high_ratio",
)
TIME_FIELDS = ("started_at", "ended_at")
TEXT_FIELDS = (
    "provider",
    "model",
    "region",
    "service_tier",
    "team",
    "project",
    "run",
    "tool",
    "device",
    "task",
    "boundary",
)
MAPPABLE = (*TIME_FIELDS, *COUNT_FIELDS, *AMOUNT_FIELDS, *TEXT_FIELDS, REQUEST_ID, USER_ID)
CONSTANT_FIELDS = (*TEXT_FIELDS, "is_synthetic")


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """Field -> column of the source, with what else is needed to read the table.

    Attributes:
        columns: field (see `MAPPABLE`) -> name of the column; dots lead into nested JSON.
        constants: fields with one value for all rows, used where the column is absent or empty.
        timezone: zone of times without one; None = UTC, with a warning.
        source_id: first part of every key, and the value of ``source``.
        tier: how the counts are known.
        is_bucket: whether a row stands for many requests; then an untold number of them is unknown, else it is one.
    """

    columns: Mapping[str, str]
    source_id: str
    constants: Mapping[str, str] = field(default_factory=dict)
    timezone: str | None = None
    tier: str = "measured"
    is_bucket: bool = False

    @property
    def key_fields(self) -> tuple[str, ...]:
        """Fields whose text, in this order, identifies a row (after ``source_id``).

        The request id alone where it is mapped; else every mapped field in the order of `MAPPABLE`, and the parse adds
        how many equal rows came before in the file.
        """
        if REQUEST_ID in self.columns:
            return (REQUEST_ID,)
        return tuple(name for name in MAPPABLE if name in self.columns)

    def checked(self) -> "FieldMapping":
        """This mapping, if a table can be read with it.

        Raises:
            FieldUnmapped: no time, or no consumption.
            FieldTwice: one class is given twice.
            UnknownName: a field or constant that does not exist.
        """
        for name in self.columns:
            _known(name, MAPPABLE, translatable("field"))
        for name in self.constants:
            _known(name, CONSTANT_FIELDS, translatable("constant"))
        if "started_at" not in self.columns:
            raise FieldUnmapped(fields="started_at")
        provided = {INCLUSIVE[name][0] if name in INCLUSIVE else name for name in self.columns}
        if not provided & set(CONSUMPTION):
            raise FieldUnmapped(fields=", ".join((*INCLUSIVE, *CONSUMPTION)))
        for whole, (rest, _parts) in INCLUSIVE.items():
            if whole in self.columns and rest in self.columns:
                raise FieldTwice(field=rest, whole=whole)
        return self


def mapping_from(pairs: Iterable[str]) -> dict[str, str]:
    """Read ``FIELD=COLUMN`` arguments.

    >>> mapping_from(["started_at=Time", "input_tokens=usage.prompt_tokens"])
    {'started_at': 'Time', 'input_tokens': 'usage.prompt_tokens'}

    Raises:
        NotAMapping: an argument has no ``=``.
        FieldTwice: a field is named twice.
        UnknownName: a field that does not exist.
    """
    columns: dict[str, str] = {}
    for pair in pairs:
        name, equals, column = pair.partition("=")
        if not equals or not column:
            raise NotAMapping(argument=pair)
        _known(name, MAPPABLE, translatable("field"))
        if name in columns:
            raise FieldTwice(field=name, whole=name)
        columns[name] = column
    return columns


def same_names(header: Iterable[str]) -> dict[str, str]:
    """The mapping of a table whose columns are already named like ours."""
    return {name: name for name in header if name in MAPPABLE}


def _known(name: str, allowed: tuple[str, ...], kind: str) -> None:
    if name not in allowed:
        near = get_close_matches(name, allowed, n=3) or allowed
        raise UnknownName(kind=kind, name=name, nearest=", ".join(near))


assert set(MAPPABLE) - {REQUEST_ID, USER_ID, *INCLUSIVE} <= set(USAGE_COLUMNS)
