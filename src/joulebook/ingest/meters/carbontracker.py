"""carbontracker's log: mean power per component and epoch, times the epoch's duration.

The log (``…_carbontracker.log``) holds what was read, component by component, without a PUE. The output file
(``…_carbontracker_output.log``) holds its sums times a PUE of its own: these are kept as a statement and are not booked
as energy. Predictions are never read. A component whose power is ``None`` was not read: unknown.

Since version 2.2 a processor without RAPL counts as half its design power all the time, and later versions simulate
devices on request; the log does not say so. A power that stays the same to the last digit over all epochs is taken for
one, and is estimated; so is that of a single epoch, which cannot be told apart.

Checked against: logs that carbontracker 2.4.7 wrote, and its components of 1.2.5 to 2.4.7. Source: carbontracker
documentation, "Aggregating log files"; the line in its log that says which of its figures are multiplied by a PUE.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.cells import CellFaultError, amount, key_text
from joulebook.ingest.energy import CPU, GPU, EnergyMaker
from joulebook.ingest.lines import Lines
from joulebook.ingest.reader import Entry, ReadOptions
from joulebook.terms.finding import Finding
from joulebook.terms.tier import Tier

STAMP = re.compile(r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)(?:,\d+)? - (?:.* - )?(.*)\Z")
DURATION = re.compile(r"\s*Duration:\s*(?:(\d+) days?, )?(\d+):(\d\d):(\d\d(?:\.\d+)?)")
POWER = re.compile(r"Average power usage \(W\) for (gpu|cpu): (?:\[([^\]]*)\]|([\d.eE+-]+)|(None))")
FOUND = re.compile(r" (GPU|CPU) with device\(s\) (.*?)\.(?= |\Z)")
ACTUAL = re.compile(r"\s*(?:CarbonTracker:\s*)?Actual consumption for \d+ epoch")
PREDICTED = re.compile(r"\s*(?:CarbonTracker:\s*)?Predicted consumption")
FIGURE = re.compile(r"\s*(Time|Energy|CO2eq):\s*([\d.:eE+-]+)")
VERSION = re.compile(r"carbontracker version (\d+)\.(\d+)")
WITHOUT_METER_SINCE = (2, 2)
PARTS = {"gpu": {**GPU, "method": "polling.carbontracker"}, "cpu": {**CPU, "method": "rapl.carbontracker"}}
CONSTANT = {"method": "carbontracker-constant", "tier": Tier.ESTIMATED}
LONGEST_S = timedelta(days=3660).total_seconds()
"""No training is longer; a longer time is a damaged line."""


class CarbonTracker:
    """Runs that carbontracker followed."""

    name = "carbontracker"
    signs = translatable("lines of carbontracker: mean power per epoch, or its actual consumption")
    tables = ("energy", "statement")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By what its lines say."""
        marks = (b"Average power usage (W) for", b"Actual consumption for", b"carbontracker version")
        return 0.95 if any(mark in head for mark in marks) and b"arbon" in head else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Entry | Finding]:
        """One row per component of the run, or the statement of an output file."""
        maker = EnergyMaker(self.name, options)
        log = _Log(maker)
        for number, line in enumerate(Lines(stream, options.file, options.encoding), start=1):
            yield from log.read(number, line.rstrip("\r\n"))
        yield from log.rows()
        yield from maker.warnings()


class _Log:
    """What was read of a log so far."""

    def __init__(self, maker: EnergyMaker) -> None:
        self.maker = maker
        self.at: datetime | None = None
        self.begun: datetime | None = None
        self.ended: datetime | None = None
        self.duration_s: float | None = None
        self.run_s = 0.0
        self.joules: dict[str, float] = {}
        self.devices: dict[str, str] = {}
        self.silent: set[str] = set()
        self.version = (0, 0)
        self.powers: dict[str, set[float]] = {}
        self.stated: dict[str, str] | None = None
        self.statements: list[tuple[int, datetime | None, dict[str, str]]] = []

    def read(self, number: int, line: str) -> Iterator[Finding]:
        """Take in one line."""
        stamp = STAMP.match(line)
        if stamp:
            try:
                self.at = self.maker.at(stamp[1], number, "timestamp")
            except CellFaultError as fault:
                yield self.maker.finding(number, fault.rule, "timestamp")
            self.begun = self.begun or self.at
        message = stamp[2] if stamp else line
        for component, devices in FOUND.findall(message) if "components were found" in message else ():
            self.devices[component.lower()] = devices
        version = VERSION.match(message)
        if version:
            self.version = (int(version[1]), int(version[2]))
        duration, power = DURATION.match(message), POWER.search(message)
        if duration:
            days, hours, minutes, seconds = (float(part or 0) for part in duration.groups())
            self.duration_s = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()
            self.run_s += self.duration_s
            self.ended = self.at
        elif power:
            yield from self._power(number, power)
        else:
            self._stated(number, message)

    def _power(self, number: int, power: re.Match[str]) -> Iterator[Finding]:
        component = power[1]
        if self.duration_s is None or power[4]:
            self.silent.add(component)
            return
        try:
            watts = sum(amount(part) for part in (power[2] or power[3] or "").replace(",", " ").split())
        except CellFaultError as fault:
            yield self.maker.finding(number, fault.rule, f"power {component}")
            return
        self.joules[component] = self.joules.get(component, 0.0) + watts * self.duration_s
        self.powers.setdefault(component, set()).add(watts)

    def _stated(self, number: int, message: str) -> None:
        if ACTUAL.match(message):
            self.stated = {}
            self.statements.append((number, self.at, self.stated))
        elif PREDICTED.match(message):
            self.stated = None
        elif self.stated is not None and (figure := FIGURE.match(message)):
            self.stated[figure[1]] = figure[2]

    def rows(self) -> Iterator[Entry | Finding]:
        """What came of the whole log."""
        if self.begun is not None and self.ended is not None and self.run_s > 0:
            started = min(self.begun, self.ended - timedelta(seconds=self.run_s))
            run = f"carbontracker@{key_text(self.begun)}"
            for component in sorted(self.joules.keys() | self.silent):
                how = CONSTANT if self._is_constant(component) else {}
                told = {**PARTS[component], **how, "device": self.devices.get(component), "run": run}
                joules = self.joules.get(component, 0.0)
                yield self.maker.row({**told, "started_at": started, "ended_at": self.ended}, joules, "J", None)
        for component in sorted(self.silent & self.joules.keys()):
            yield Finding(self.maker.options.file, None, "part-unread", {"component": component}, is_error=False)
        for number, at, told in self.statements[-1:]:
            yield from self._statement(number, at, told)

    def _is_constant(self, component: str) -> bool:
        """Whether a power may be one that nobody read."""
        return self.version >= WITHOUT_METER_SINCE and len(self.powers.get(component, ())) == 1

    def _statement(self, number: int, at: datetime | None, told: dict[str, str]) -> Iterator[Entry | Finding]:
        if at is None:
            yield self.maker.finding(number, "missing-value", "timestamp")
            return
        parts = [float(part) for part in told.get("Time", "0").split(":") if re.fullmatch(r"\d+(\.\d+)?", part)]
        seconds = sum(part * 60**place for place, part in enumerate(reversed(parts)))
        period = {"period_start": at - timedelta(seconds=min(seconds, LONGEST_S)), "period_end": at}
        figures = {"stated_energy_kwh": told.get("Energy"), "stated_co2e_location_g": told.get("CO2eq")}
        yield self.maker.statement({"stated_by": "carbontracker", **period, "basis": "PUE included"}, figures, number)
        if not self.joules:
            yield Finding(self.maker.options.file, number, "only-with-pue", {}, is_error=False)
