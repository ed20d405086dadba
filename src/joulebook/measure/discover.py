"""Which readers a machine may have; each finds out for itself whether it has anything to read."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType

from joulebook.errors import UnknownName, translatable
from joulebook.measure.reading import Reader

READERS: Mapping[str, str] = MappingProxyType(
    {
        "nvidia": "joulebook.measure.nvidia:NvidiaReader",
        "amdgpu": "joulebook.measure.amdgpu:AmdGpuReader",
        "rapl": "joulebook.measure.rapl:RaplReader",
        "perf": "joulebook.measure.perf_rapl:PerfRaplReader",
        "hwmon": "joulebook.measure.hwmon:HwmonReader",
        "jetson": "joulebook.measure.jetson:JetsonReader",
        "apple": "joulebook.measure.apple:AppleReader",
    }
)
"""Name -> module:class, in the order in which they are asked; earlier ones win where two read the same energy."""


def reader(name: str) -> Reader:
    """A reader by name.

    Raises:
        UnknownName: there is no such reader.
    """
    if name not in READERS:
        raise UnknownName(kind=translatable("meter"), name=name, nearest=", ".join(READERS))
    module, _colon, class_name = READERS[name].partition(":")
    return getattr(import_module(module), class_name)()


def readers(names: Sequence[str] = ()) -> list[Reader]:
    """The named readers, or all that are asked by default.

    Raises:
        UnknownName: a name is not in `READERS`.
    """
    return [reader(name) for name in names or READERS]
