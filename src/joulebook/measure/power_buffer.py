"""Energy of a board without a counter, from the driver's buffer of its last power readings.

The driver keeps some seconds of readings, many a second. Each time the meter asks, it gets those that are new, so that
between two samples nothing is missed. Source: NVML API Reference, nvmlDeviceGetSamples (NVML_TOTAL_POWER_SAMPLES, times
in microseconds, power in milliwatts).
"""

from types import ModuleType
from typing import Any

MICRO = 1_000_000
"""Microseconds in a second."""

HOLE_US = 2 * MICRO
"""Longer than this between two readings the buffer has run over: what lay between is not known."""

BEGIN_MJ = 1 << 40
"""Where the count begins: higher than it ever gets after a hole, so that a hole is seen as a counter that fell."""


class PowerBuffer:
    """A count of energy [mJ] by the readings in the buffer; each call takes what is new.

    After a hole the count begins anew, which the meter treats as every counter that falls: flagged, and with a range.

    Args:
        nvml: the binding, initialised.
        handle: the board.
    """

    def __init__(self, nvml: ModuleType, handle: Any) -> None:  # noqa: ANN401  (the binding's own pointer)
        self._nvml, self._handle = nvml, handle
        self._mj = float(BEGIN_MJ)
        self._last: tuple[int, int] | None = None

    def __call__(self) -> int | None:
        """The count now; None where the board does not answer."""
        nvml = self._nvml
        since = self._last[0] if self._last is not None else 0
        try:
            kind, found = nvml.nvmlDeviceGetSamples(self._handle, nvml.NVML_TOTAL_POWER_SAMPLES, since)
        except nvml.NVMLError as error:
            is_quiet = getattr(error, "value", None) == nvml.NVML_ERROR_NOT_FOUND and self._last is not None
            return round(self._mj) if is_quiet else None  # nothing is new
        if kind != nvml.NVML_VALUE_TYPE_UNSIGNED_INT:
            return None
        readings = sorted((int(one.timeStamp), int(one.sampleValue.uiVal)) for one in found)
        if self._last is None and readings:
            self._last = readings[-1]
        for at_us, mw in readings:
            self._take(at_us, mw)
        return round(self._mj) if self._last is not None else None

    def _take(self, at_us: int, mw: int) -> None:
        assert self._last is not None
        last_us, last_mw = self._last
        if at_us <= last_us:
            return
        self._last = (at_us, mw)
        if at_us - last_us > HOLE_US:
            self._mj = 0.0
            return
        self._mj += (last_mw + mw) / 2 * (at_us - last_us) / MICRO
