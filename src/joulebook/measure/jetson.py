"""Rails of NVIDIA Jetson boards, from their INA3221 sensors.

Sources: NVIDIA Jetson Linux Developer Guide, "Clock Frequency and Power Management" (rails by board); Linux kernel,
Documentation/hwmon/ina3221.rst (inN_input in mV, currN_input in mA); older releases show in_powerN_input in mW.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from joulebook.measure.reading import Channel, Kind, Opened
from joulebook.measure.sysfs import number_of, text_of
from joulebook.terms.tier import Tier

INPUT_RAILS = ("VDD_IN", "5V_IN", "POM_5V_IN", "VIN")
"""Rails that feed the whole module."""

BOARD_RAILS = ("VDD_MUX", "VDD_5V_IO_SYS", "VDD_3V3_SYS", "VIN_SYS_5V0", "SYS5V")
"""Rails of the carrier board or of what is neither processor nor GPU."""

Call = Callable[[], int | None]
MILLI, MICRO = 1e-3, 1e-6


class JetsonReader:
    """Every rail that belongs to a component.

    Args:
        root: folder of the I2C drivers.
    """

    name = "jetson"

    def __init__(self, root: Path = Path("/sys/bus/i2c/drivers")) -> None:
        self._root = root
        self._calls: list[Call] = []

    def open(self) -> Opened:
        """Find sensors of both generations of the driver."""
        if not self._root.is_dir():
            return Opened()
        channels = []
        rails = [*_old_rails(self._root), *_new_rails(self._root)]
        for rail, scale, call in rails:
            component = _component(rail)
            if component is None:
                continue
            contains = ("gpu", "cpu", "memory") if component == "node" and rail in INPUT_RAILS else ()
            channel = Channel("jetson", rail, component, Kind.POWER, scale, "jetson.ina3221", Tier.DERIVED, label=rail)
            channels.append(channel._replace(contains=contains))
            self._calls.append(call)
        return Opened(channels)

    def read(self) -> Sequence[int | None]:
        """Power of each rail [mW or uW]."""
        return [call() for call in self._calls]

    def close(self) -> None:
        """Nothing is kept open."""
        self._calls = []


def _old_rails(root: Path) -> Iterator[tuple[str, float, Call]]:
    for name in sorted(root.glob("ina3221x/*/iio*/rail_name_*")):
        rail = text_of(name)
        path = name.parent / f"in_power{name.name.rpartition('_')[2]}_input"
        if rail and number_of(path) is not None:
            yield rail, MILLI, lambda path=path: number_of(path)


def _new_rails(root: Path) -> Iterator[tuple[str, float, Call]]:
    for label in sorted(root.glob("ina3221/*/hwmon/hwmon*/in*_label")):
        rail, number = text_of(label), label.name.removeprefix("in").removesuffix("_label")
        volts, amperes = label.parent / f"in{number}_input", label.parent / f"curr{number}_input"
        if rail and number_of(volts) is not None and number_of(amperes) is not None:
            yield rail, MICRO, lambda volts=volts, amperes=amperes: _product(volts, amperes)


def _product(volts: Path, amperes: Path) -> int | None:
    """Millivolts times milliamperes: microwatts."""
    volt, ampere = number_of(volts), number_of(amperes)
    return None if volt is None or ampere is None else volt * ampere


def _component(rail: str) -> str | None:
    """What a rail feeds; None for rails inside another rail that counts already.

    >>> _component("VDD_GPU_SOC"), _component("VDD_CPU_CV"), _component("VDD_IN"), _component("NC")
    ('gpu', 'cpu', 'node', None)
    """
    if rail in INPUT_RAILS:
        return "node"
    if rail in BOARD_RAILS:
        return None
    words = set(rail.upper().replace("POM_5V", "").split("_"))
    if "GPU" in words and "CPU" not in words:
        return "gpu"
    if "CPU" in words:
        return "cpu"
    if words & {"DDR", "VDDRQ", "DDRQ", "MEM"}:
        return "memory"
    return None
