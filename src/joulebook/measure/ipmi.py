"""A server's own meter through its management controller (BMC), by IPMI from inside; only when asked for by name.

The command is DCMI's "Get Power Reading" (network function 2Ch, command 02h, group DCh, mode 01h) over the kernel's
``/dev/ipmi0``. Sources: linux/ipmi.h (the calls and their structures); FreeIPMI, libfreeipmi/cmds/ipmi-dcmi-cmds.c (the
request and the fields of the answer).
"""

import ctypes
import os
import select
import struct
from pathlib import Path

from joulebook.errors import translatable
from joulebook.measure.polled import Ask, Polled
from joulebook.measure.reading import Absence, Channel, Kind, Opened
from joulebook.terms.tier import Tier

SEND_COMMAND, RECEIVE_MESSAGE = 0x8028690D, 0xC030690B
"""Numbers of the two calls, IPMICTL_SEND_COMMAND and IPMICTL_RECEIVE_MSG_TRUNC, on 64-bit systems."""

SYSTEM_INTERFACE, BMC_CHANNEL = 0x0C, 0xF
NETWORK_FUNCTION, COMMAND, GROUP = 0x2C, 0x02, 0xDC
REQUEST = bytes((GROUP, 0x01, 0, 0))
"""Group, mode "system power statistics", two reserved bytes."""

ANSWER = struct.Struct("<BBHHHHIIB")
"""Completion code, group, power now, lowest, highest, mean [W], time, period [ms], state."""

IS_MEASURING = 0x40
"""Bit of the state: power is being measured."""

ANSWER_MS = 2_000
"""How long an answer may take [ms]."""


class _Address(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_int), ("channel", ctypes.c_short), ("data", ctypes.c_char * 32)]


class _Message(ctypes.Structure):
    _fields_ = [
        ("netfn", ctypes.c_ubyte), ("cmd", ctypes.c_ubyte), ("size", ctypes.c_ushort), ("data", ctypes.c_void_p),
    ]  # fmt: skip


class _Request(ctypes.Structure):
    _fields_ = [
        ("address", ctypes.c_void_p), ("address_size", ctypes.c_uint), ("number", ctypes.c_long), ("message", _Message),
    ]  # fmt: skip


class _Received(ctypes.Structure):
    _fields_ = [
        ("kind", ctypes.c_int), ("address", ctypes.c_void_p), ("address_size", ctypes.c_uint),
        ("number", ctypes.c_long), ("message", _Message),
    ]  # fmt: skip


class IpmiReader:
    """Power of the whole server, asked every few seconds.

    Args:
        path: the controller's device.
        ask: asks it [W]; for tests.
    """

    name = "ipmi"

    def __init__(self, path: Path = Path("/dev/ipmi0"), ask: Ask | None = None) -> None:
        self._path = path
        self._polled = Polled(ask or self._ask)

    def _ask(self) -> int | None:
        return power_reading(self._path)

    def open(self) -> Opened:
        """Offer the whole server where its controller tells its power."""
        if self._polled.start() is None:
            return Opened((), (_absent(self._path),))
        return Opened(
            [
                Channel(
                    "server", "ipmi", "node", Kind.AVERAGE, 1.0, "ipmi.dcmi", Tier.DERIVED,
                    contains=("gpu", "cpu", "memory"), label="server",
                )
            ]
        )  # fmt: skip

    def read(self) -> list[int | None]:
        """Power by the last answer [W]."""
        return [self._polled.value()]

    def close(self) -> None:
        """Ask no more."""
        self._polled.stop()


def power_reading(path: Path) -> int | None:
    """Power of the server now [W]; None where the controller is not there, is not ours to ask, or does not tell."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return watts_of(_exchange(descriptor))
    except OSError:
        return None
    finally:
        os.close(descriptor)


def watts_of(answer: bytes) -> int | None:
    """Power in the bytes of an answer [W]; None for an error, another group, a short answer, or no measurement."""
    if len(answer) < ANSWER.size:
        return None
    code, group, now_w, _lowest, _highest, _mean, _time, _period, state = ANSWER.unpack_from(answer)
    return now_w if code == 0 and group == GROUP and state & IS_MEASURING and now_w else None


def _exchange(descriptor: int) -> bytes:
    """Send the request and wait for its answer.

    Raises:
        OSError: the controller or its driver says no, or nothing within the time.
    """
    import fcntl  # noqa: PLC0415  (only where there is such a device)

    data = ctypes.create_string_buffer(REQUEST, len(REQUEST))
    address = _Address(SYSTEM_INTERFACE, BMC_CHANNEL)
    message = _Message(NETWORK_FUNCTION, COMMAND, len(REQUEST), ctypes.addressof(data))
    fcntl.ioctl(descriptor, SEND_COMMAND, bytes(_Request(ctypes.addressof(address), 8, 1, message)))
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    if not waiting.poll(ANSWER_MS):
        raise TimeoutError
    room = ctypes.create_string_buffer(256)
    message = _Message(0, 0, len(room), ctypes.addressof(room))
    received = bytearray(_Received(0, ctypes.addressof(address), ctypes.sizeof(address), 0, message))
    fcntl.ioctl(descriptor, RECEIVE_MESSAGE, received)
    return room.raw[: _Received.from_buffer(received).message.size]


def _absent(path: Path) -> Absence:
    return Absence(
        "node",
        translatable("The management controller does not tell its power through {path}."),
        translatable(
            "load the driver (modprobe ipmi_devintf ipmi_si) and let this user open the device; not every "
            "controller measures power"
        ),
        {"path": str(path)},
        reader="ipmi",
    )
