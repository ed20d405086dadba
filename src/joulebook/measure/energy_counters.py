"""The energy counters of all boards of a driver, with as little work as can be: they are read every second.

Addresses are plain numbers, made beforehand, and all values stand in one array: half the cost of calls by pointer
objects. Source: NVML API Reference, nvmlDeviceGetTotalEnergyConsumption (millijoules since the driver was loaded).
"""

import ctypes
from collections.abc import Sequence
from typing import Any


class EnergyCounters:
    """Counters of some boards.

    Args:
        library: the driver's library; one that lacks the counter gives None for every board.
        handles: the boards, as the binding knows them.
    """

    def __init__(self, library: ctypes.CDLL, handles: Sequence[Any]) -> None:
        self._function = getattr(library, "nvmlDeviceGetTotalEnergyConsumption", None)
        if self._function is not None:
            self._function.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
        self._values = (ctypes.c_uint64 * len(handles))()
        first, size = ctypes.addressof(self._values), ctypes.sizeof(ctypes.c_uint64)
        pointers = [ctypes.cast(handle, ctypes.c_void_p).value for handle in handles]
        self._boards, self._places = pointers, [first + size * number for number in range(len(pointers))]

    def read(self) -> list[int | None]:
        """Energy [mJ] of every board; None for one that does not answer."""
        function = self._function
        if function is None:
            return [None] * len(self._boards)
        codes = list(map(function, self._boards, self._places))
        values: list[int | None] = self._values[:]
        if any(codes):
            return [None if code else value for code, value in zip(codes, values, strict=True)]
        return values
