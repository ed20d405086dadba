"""Which readers a machine may have; each finds out for itself whether it has anything to read."""

from collections.abc import Callable, Mapping, Sequence
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

NAMED: Mapping[str, str] = MappingProxyType({"ipmi": "joulebook.measure.ipmi:IpmiReader"})
"""Readers that are asked by name alone, because asking costs the device or the network something."""

ALL = "all"
"""Stands for every reader that is asked by default."""

Maker = Callable[[], Reader]
"""Makes a reader."""


def reader(name: str, others: Mapping[str, Maker] = MappingProxyType({})) -> Reader:
    """A reader by name.

    Args:
        name: a key of `READERS`, `NAMED` or `others`.
        others: readers from outside this package.

    Raises:
        UnknownName: there is no such reader.
    """
    if name in others:
        return others[name]()
    if name not in READERS and name not in NAMED:
        import difflib  # noqa: PLC0415  (only for the message)

        known = [*READERS, *NAMED, *others, ALL]
        nearest = difflib.get_close_matches(name, known, len(known), 0.0)
        raise UnknownName(kind=translatable("meter"), name=name, nearest=", ".join(nearest))
    module, _colon, class_name = (READERS.get(name) or NAMED[name]).partition(":")
    return getattr(import_module(module), class_name)()


def readers(names: Sequence[str] = (), others: Mapping[str, Maker] = MappingProxyType({})) -> list[Reader]:
    """The named readers, or all that are asked by default; what is asked by name comes first and wins.

    Raises:
        UnknownName: a name is not known.
    """
    wanted = list(dict.fromkeys(one for name in names or (ALL,) for one in (READERS if name == ALL else (name,))))
    return [reader(name, others) for name in sorted(wanted, key=lambda name: name in READERS)]
