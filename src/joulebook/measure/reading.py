"""What a reader is, what it can read (a channel) and what it cannot (an absence)."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from joulebook.terms.tier import Tier

NOTHING: Mapping[Any, Any] = MappingProxyType({})
"""No entries: the default of mappings that may be empty."""


class Kind(StrEnum):
    """What a raw value is."""

    COUNTER = "counter"
    """energy since some start; the difference of two values is energy"""
    AVERAGE = "average"
    """power averaged by the device over the time since the last reading"""
    POWER = "power"
    """power at one instant"""


class Channel(NamedTuple):
    """One raw value that a reader gives with every sample.

    Attributes:
        device_uuid: identity of the device, the same in every process that reads it.
        domain: the part of the device that the value covers: board, package, dram, psys, ...
        component: what it counts as: gpu, cpu, memory, node.
        kind: counter, average or power.
        scale: joules (counter) or watts (otherwise) per count.
        method: how it is read, such as ``nvml.total_energy``.
        tier: how well the number is known.
        within: domains of which this one is a part; it is not added where one of them counts for the same component.
        contains: components whose energy is inside this value (a whole board); shown, never added to them.
        range_counts: size of the counter's range where it wraps; None where it does not.
        max_power_w: more than this the device cannot draw [W]; tells a wrap from a reset.
        share: the part of the device that belongs to this process (a MIG slice); 1.0 is all of it.
        share_name: which part that is, so that the parts of several processes are added once each.
        label: name of the device for people.
    """

    device_uuid: str
    domain: str
    component: str
    kind: Kind
    scale: float
    method: str
    tier: Tier = Tier.MEASURED
    within: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    range_counts: int | None = None
    max_power_w: float | None = None
    share: float = 1.0
    share_name: str = ""
    label: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Device and domain: what is counted once, however many processes read it."""
        return self.device_uuid, self.domain

    def as_record(self) -> dict[str, Any]:
        """The channel as the journal keeps it; what is at its default is left out."""
        plain = self._asdict()
        return {name: value for name, value in plain.items() if value != _DEFAULTS.get(name, ...)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Channel":
        """The channel a journal names.

        Raises:
            TypeError, ValueError: the record is not a channel.
        """
        values = dict(record)
        values["kind"] = Kind(values["kind"])
        values["tier"] = Tier(values.get("tier", Tier.MEASURED))
        for name in ("within", "contains"):
            values[name] = tuple(values.get(name, ()))
        return cls(**values)


_DEFAULTS: Mapping[str, Any] = {
    "tier": Tier.MEASURED,
    "within": (),
    "contains": (),
    "range_counts": None,
    "max_power_w": None,
    "share": 1.0,
    "share_name": "",
    "label": "",
}


class Absence(NamedTuple):
    """A component that cannot be read, and what would change that.

    Attributes:
        component: gpu, cpu, memory, node.
        reason: what is wrong, in English; faces translate it.
        remedy: the next step, in English; faces translate it.
        facts: what fills both texts.
        reader: who found out.
    """

    component: str
    reason: str
    remedy: str
    facts: Mapping[str, str] = NOTHING
    reader: str = ""


class Opened(NamedTuple):
    """What opening a reader showed."""

    channels: Sequence[Channel] = ()
    absences: Sequence[Absence] = ()


class Reader(Protocol):
    """Reads one family of meters.

    `open` is called once, `read` with every sample, `close` at the end. `open` never raises for what a machine lacks:
    it gives an `Absence`. `read` gives one integer per channel, in the order of the channels; None where a device
    could not be read this time (it was unplugged, say).
    """

    name: str

    def open(self) -> Opened:
        """Find devices and tell what can be read."""
        ...

    def read(self) -> Sequence[int | None]:
        """Raw values, one per channel."""
        ...

    def close(self) -> None:
        """Let go of the devices."""
        ...
