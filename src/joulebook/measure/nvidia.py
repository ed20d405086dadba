"""NVIDIA GPUs through the driver's library (NVML).

Energy comes from the board's own counter (Volta and later). Where a board has none: the driver's average over the last
second (Ampere and later), else the driver's buffer of power readings, else power at an instant, read ten times a
second. A board is one device, by its UUID, however many MIG instances it is cut into. Source: NVML API Reference,
nvmlDeviceGetTotalEnergyConsumption, nvmlDeviceGetFieldValues (NVML_FI_DEV_POWER_AVERAGE; scope "module" on Grace
Hopper), nvmlDeviceGetSamples, nvmlDeviceGetAttributes_v2.
"""

import contextlib
import ctypes
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, NamedTuple

from joulebook.errors import translatable
from joulebook.measure.energy_counters import EnergyCounters
from joulebook.measure.power_buffer import PowerBuffer
from joulebook.measure.reading import Absence, Channel, Kind, Opened
from joulebook.terms.tier import Tier

LIBRARY = "libnvidia-ml.so.1"
"""The driver's library on Linux."""

MILLI = 1e-3
"""NVML counts millijoules and milliwatts."""

Call = Callable[[], int | None]


class _Board(NamedTuple):
    handle: Any
    uuid: str
    name: str
    index: int


class NvidiaReader:
    """Every board that this process may use.

    Args:
        environment: where ``CUDA_VISIBLE_DEVICES`` is looked up; the process's own by default.
    """

    name = "nvidia"

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment
        self._nvml: ModuleType | None = None
        self._calls: list[Call] = []
        self._counters: EnergyCounters | None = None

    def open(self) -> Opened:
        """Load the driver's library and choose, board by board, the best reading it has."""
        if not _library_present():
            return Opened()
        import pynvml  # noqa: PLC0415  (a machine without the driver does not pay for the binding)

        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError as error:
            return Opened((), (_no_driver(str(error)),))
        self._nvml = pynvml
        channels: list[Channel] = []
        absences: list[Absence] = []
        boards = self._boards()
        if self._is_order_open(boards):
            return Opened((), (_order_open(self._environment["CUDA_VISIBLE_DEVICES"]),))
        for board, share in self._visible(boards):
            found = self._channels_of(board, share)
            channels += [channel for channel, _call in found]
            self._calls += [call for _channel, call in found]
            if not any(channel.component == "gpu" for channel, _call in found):
                absences.append(_no_power(board))
        if sys.platform != "win32" and channels and all(one.method == "nvml.total_energy" for one in channels):
            by_uuid = {board.uuid: board.handle for board in boards}
            handles = [by_uuid[channel.device_uuid] for channel in channels]
            self._counters = EnergyCounters(ctypes.CDLL(LIBRARY), handles)
        return Opened(channels, absences)

    def _boards(self) -> list[_Board]:
        nvml = self._library
        boards = []
        for index in range(nvml.nvmlDeviceGetCount()):
            try:
                handle = nvml.nvmlDeviceGetHandleByIndex(index)
                boards.append(_Board(handle, nvml.nvmlDeviceGetUUID(handle), nvml.nvmlDeviceGetName(handle), index))
            except nvml.NVMLError:
                continue  # a lost board has no counter to read; the others have
        return boards

    def _is_order_open(self, boards: Sequence[_Board]) -> bool:
        """Whether CUDA's numbers may mean other boards than the driver's: several models, and no order asked for.

        By default CUDA puts the board that it takes for the fastest first and leaves the order of the others open; the
        driver counts by PCI bus. Source: CUDA C++ Programming Guide, "CUDA Environment Variables", CUDA_DEVICE_ORDER.
        """
        words = [word.strip() for word in self._environment.get("CUDA_VISIBLE_DEVICES", "").split(",")]
        numbers = {word for word in words if word.isdigit()}
        is_mixed = len({board.name for board in boards}) > 1
        is_asked = self._environment.get("CUDA_DEVICE_ORDER", "").strip().upper() == "PCI_BUS_ID"
        return is_mixed and not is_asked and 0 < len(numbers) < len(boards)

    def _visible(self, boards: list[_Board]) -> list[tuple[_Board, float]]:
        """Boards that CUDA shows, each with the share that is ours.

        As in CUDA, the list ends at the first name that is not a device. Source: CUDA C++ Programming Guide,
        "CUDA Environment Variables".
        """
        wanted = self._environment.get("CUDA_VISIBLE_DEVICES")
        if wanted is None:
            return [(board, 1.0) for board in boards]
        shares: dict[str, float] = {}
        for word in (part.strip() for part in wanted.split(",")):
            found = self._named(boards, word)
            if found is None:
                break
            shares[found[0].uuid] = min(1.0, shares.get(found[0].uuid, 0.0) + found[1])
        return [(board, shares[board.uuid]) for board in boards if board.uuid in shares]

    def _named(self, boards: Sequence[_Board], word: str) -> tuple[_Board, float] | None:
        if word.isdigit():
            chosen = [board for board in boards if board.index == int(word)]
            return (chosen[0], 1.0) if chosen else None
        if word.startswith("MIG-"):
            shares = ((board, self._slice_share(board, word)) for board in boards)
            return next(((board, share) for board, share in shares if share), None)
        named = [board for board in boards if word and board.uuid.startswith(word)]
        return (named[0], 1.0) if len(named) == 1 else None

    def _slice_share(self, board: _Board, mig_uuid: str) -> float:
        """Multiprocessors of one MIG instance over those of all instances of the board; 0 where it is not there."""
        nvml = self._library
        sizes: dict[str, int] = {}
        try:
            for number in range(nvml.nvmlDeviceGetMaxMigDeviceCount(board.handle)):
                try:
                    handle = nvml.nvmlDeviceGetMigDeviceHandleByIndex(board.handle, number)
                except nvml.NVMLError:
                    continue  # this slot holds no instance
                sizes[nvml.nvmlDeviceGetUUID(handle)] = nvml.nvmlDeviceGetAttributes(handle).multiprocessorCount
        except nvml.NVMLError:
            return 0.0
        return sizes[mig_uuid] / sum(sizes.values()) if mig_uuid in sizes else 0.0

    @property
    def _library(self) -> ModuleType:
        assert self._nvml is not None, "open() comes first"
        return self._nvml

    def _channels_of(self, board: _Board, share: float) -> list[tuple[Channel, Call]]:
        nvml = self._library
        found: list[tuple[Channel, Call]] = []
        average_id = nvml.NVML_FI_DEV_POWER_AVERAGE
        choices: tuple[tuple[str, Kind, Call], ...] = (
            ("nvml.total_energy", Kind.COUNTER, self._counter(board)),
            ("nvml.power_average", Kind.AVERAGE, self._field(board, average_id, nvml.NVML_POWER_SCOPE_GPU)),
            ("nvml.power_samples", Kind.COUNTER, PowerBuffer(nvml, board.handle)),
            ("nvml.power_usage", Kind.POWER, self._guarded(nvml.nvmlDeviceGetPowerUsage, board)),
        )
        for method, kind, call in choices:
            if call() is not None:
                is_read = kind is not Kind.POWER and method != "nvml.power_samples"
                tier = Tier.MEASURED if share == 1 and is_read else Tier.DERIVED
                found.append((self._channel(board, "board", kind, method, tier, share), call))
                break
        module = self._field(board, average_id, nvml.NVML_POWER_SCOPE_MODULE)
        if "GH200" in board.name.upper() and module() is not None:
            found.append((self._module_channel(board), module))
        return found

    def _channel(self, board: _Board, domain: str, kind: Kind, method: str, tier: Tier, share: float) -> Channel:
        limit = self._guarded(self._library.nvmlDeviceGetPowerManagementLimit, board)()
        return Channel(
            device_uuid=board.uuid,
            domain=domain,
            component="gpu",
            kind=kind,
            scale=MILLI,
            method=method,
            tier=tier,
            max_power_w=2 * limit * MILLI if limit else None,
            share=share,
            share_name="" if share == 1 else self._environment.get("CUDA_VISIBLE_DEVICES", ""),
            label=board.name,
        )

    @staticmethod
    def _module_channel(board: _Board) -> Channel:
        """Grace Hopper: the module's power holds the GPU, the Grace processor and its memory."""
        return Channel(
            device_uuid=board.uuid,
            domain="module",
            component="node",
            kind=Kind.AVERAGE,
            scale=MILLI,
            method="nvml.module_power_average",
            contains=("gpu", "cpu", "memory"),
            label=f"{board.name} module",
        )

    def _guarded(self, function: Callable[[Any], int], board: _Board) -> Call:
        error = self._library.NVMLError

        def call() -> int | None:
            try:
                return function(board.handle)
            except error:
                return None

        return call

    def _counter(self, board: _Board) -> Call:
        """The board's energy counter [mJ]."""
        if sys.platform == "win32":
            return self._guarded(self._library.nvmlDeviceGetTotalEnergyConsumption, board)
        counters = EnergyCounters(ctypes.CDLL(LIBRARY), [board.handle])
        return lambda: counters.read()[0]

    def _field(self, board: _Board, field_id: int, scope: int) -> Call:
        nvml = self._library

        def call() -> int | None:
            try:
                value = nvml.nvmlDeviceGetFieldValues(board.handle, [(field_id, scope)])[0]
            except nvml.NVMLError:
                return None
            return int(value.value.uiVal) if value.nvmlReturn == nvml.NVML_SUCCESS else None

        return call

    def read(self) -> Sequence[int | None]:
        """Counters [mJ] or power [mW]; None for a board that fell off the bus."""
        if self._counters is None:
            return [call() for call in self._calls]
        return self._counters.read()

    def close(self) -> None:
        """Let go of the library."""
        if self._nvml is not None:
            with contextlib.suppress(self._nvml.NVMLError):  # it is gone already
                self._nvml.nvmlShutdown()
            self._nvml = None
            self._calls = []


def _library_present() -> bool:
    """Whether the driver's library loads; a try of some microseconds where it is absent."""
    if sys.platform == "win32":
        return True
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return False
    return True


def _no_driver(reason: str) -> Absence:
    return Absence(
        "gpu",
        translatable("The NVIDIA driver does not answer: {reason}."),
        translatable("check that nvidia-smi works here; in a container, start it with the GPUs passed in"),
        {"reason": reason},
        reader="nvidia",
    )


def _order_open(wanted: str) -> Absence:
    return Absence(
        "gpu",
        translatable("CUDA_VISIBLE_DEVICES={wanted} counts boards of several models in an order that is CUDA's own."),
        translatable("set CUDA_DEVICE_ORDER=PCI_BUS_ID, or name the boards by their UUID (nvidia-smi -L)"),
        {"wanted": wanted},
        reader="nvidia",
    )


def _no_power(board: _Board) -> Absence:
    return Absence(
        "gpu",
        translatable("{device} tells neither energy nor power."),
        translatable("ask the host: a virtual GPU hides its counter; or give the energy from the host's meter"),
        {"device": board.name},
        reader="nvidia",
    )
