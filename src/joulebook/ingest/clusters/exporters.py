"""Energy that exporters of a cluster count: DCGM's boards, Kepler's nodes.

Save the series with ``GET /api/v1/query_range`` (or as text with times) and read them here; whole hours are booked, so
that overlapping exports book nothing twice. A counter that falls began anew: what it had counted since is kept.

- DCGM: millijoules since boot per board. With MIG every instance repeats its board's counter, and an exporter that
  restarts begins a new series: all of them are one board, known by its UUID. Where only power is exported, it is
  integrated.
- Kepler, old and new names: packages and memory of a node; where the platform is metered as well it holds both and is
  taken alone. Core and uncore lie inside the package. Containers, pods and processes are shares of their node and are
  passed over. What Kepler models instead of reading is estimated. Since 0.10 it has gauges in watts beside its
  counters: they are integrated where the counter of the same zone is not in the file. Of the power controls of a
  board controller (``kepler_platform_watts``) the highest is the whole server, for the others lie inside it.

Power is integrated by trapezoids; gaps are told and widen the range of their hours.

Checked against: the exporter's ``default-counters.csv`` and Kepler's ``docs/user/metrics.md``. Not read: the active and
idle watts of Kepler, which are parts of ``kepler_node_cpu_watts``.
Sources: NVIDIA DCGM exporter, default counters (``DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION``, in mJ); Kepler
documentation, "Metrics" of releases before and since 0.10.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.clusters.series import HOUR_S, Counter, Sample, Span, power_hours, samples_of
from joulebook.ingest.energy import CPU, GPU, MEMORY, NODE, EnergyMaker
from joulebook.ingest.prometheus import COUNTERS
from joulebook.ingest.reader import Entry, ReadOptions
from joulebook.terms.finding import Finding
from joulebook.terms.tier import Tier

ENERGY = "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"
POWER = "DCGM_FI_DEV_POWER_USAGE"

KEPLER: Mapping[str, str] = {
    "kepler_node_package_joules_total": "package",
    "kepler_node_dram_joules_total": "dram",
    "kepler_node_gpu_joules_total": "gpu",
    "kepler_node_platform_joules_total": "platform",
    "kepler_node_cpu_joules_total": "zone",
}
"""Metric -> domain; ``zone`` stands in a label since release 0.10."""

KEPLER_POWER: Mapping[str, str] = {"kepler_node_cpu_watts": "zone", "kepler_platform_watts": "platform"}
SUBSYSTEM = re.compile(r"cpu|memory|dram|gpu|accelerator|fan|storage|sub-?system", re.IGNORECASE)
"""Power controls of a board controller that are a part of the server."""

ZONES = {"package": "package", "dram": "dram", "psys": "platform"}
DOMAINS: Mapping[str, Mapping[str, object]] = {"package": CPU, "dram": MEMORY, "gpu": GPU, "platform": NODE}
INSIDE_PLATFORM = ("package", "dram")
HOSTS = ("Hostname", "node_name", "exported_node", "node", "exported_instance", "instance")
MODELLED = ("model", "estimat", "tdp")
"""Words in Kepler's label ``source`` that say that nobody read a counter."""

WANTED = frozenset({ENERGY, POWER, *KEPLER, *KEPLER_POWER})


@dataclass(frozen=True, slots=True)
class _Device:
    """One counter of one machine."""

    family: str
    host: str
    domain: str
    unit: str


class PrometheusEnergy:
    """Reader of saved energy series."""

    name = "prometheus-energy"
    signs = translatable("series of DCGM or Kepler with their times, as Prometheus answers or dumps them")
    tables = ("energy",)

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the name of a metric."""
        return 0.93 if any(metric.encode() in head for metric in WANTED) else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Entry | Finding]:
        """One row per device and whole hour."""
        maker = EnergyMaker(self.name, options)
        counters: dict[_Device, dict[str, Counter]] = {}
        has_tokens = False
        for item in samples_of(stream, options.file, WANTED | COUNTERS.keys()):
            if isinstance(item, Finding):
                yield item
            elif item.labels["__name__"] in COUNTERS:
                has_tokens = True
            elif (device := _device(item)) is not None:
                counters.setdefault(device, {}).setdefault(_part(item), Counter()).add(item)
        yield from _rows(maker, _chosen(counters))
        yield from maker.warnings()
        if has_tokens:
            yield Finding(options.file, None, "tokens-and-energy", {}, is_error=False)


def _device(sample: Sample) -> _Device | None:
    labels, name = sample.labels, sample.labels["__name__"]
    host = next((labels[label] for label in HOSTS if labels.get(label)), "")
    if name in (ENERGY, POWER):
        board = labels.get("UUID") or labels.get("gpu_uuid") or f"{host}/{labels.get('gpu', '')}"
        return _Device("dcgm", host, board, "mJ" if name == ENERGY else "W")
    domain = KEPLER.get(name) or KEPLER_POWER[name]
    if SUBSYSTEM.search(labels.get("power_control_name", "")):
        return None
    if domain == "zone":
        domain = ZONES.get(labels.get("zone", "").rstrip("-0123456789"), "")
    if not domain or (labels.get("mode") or "total") not in ("idle", "dynamic", "total", ""):
        return None
    return _Device("kepler", host, domain, "J" if name in KEPLER else "W")


def _part(sample: Sample) -> str:
    """What tells apart counters that are added up within a device: packages, modes, sources. MIG instances are not."""
    labels = sample.labels
    if labels["__name__"] in (ENERGY, POWER):
        return ""
    names = ("mode", "zone", "path", "package", "source", "index", "gpu_id", "uuid")
    return "/".join(labels.get(name, "") for name in names)


def _chosen(counters: Mapping[_Device, dict[str, Counter]]) -> Iterator[tuple[_Device, dict[str, Counter]]]:
    """Devices without those that another one holds: power beside a counter, parts beside the platform."""
    for device, parts in sorted(counters.items(), key=lambda one: str(one[0])):
        has_counter = any(replace(device, unit=unit) in counters for unit in ("J", "mJ"))
        has_platform = any(replace(device, domain="platform", unit=unit) in counters for unit in ("J", "W"))
        if device.unit == "W" and has_counter:
            continue
        if device.domain in INSIDE_PLATFORM and has_platform:
            continue
        yield device, parts


def _rows(maker: EnergyMaker, devices: Iterator[tuple[_Device, dict[str, Counter]]]) -> Iterator[Entry | Finding]:
    repeated = resets = partial = lost = 0
    gaps: list[float] = []
    for device, parts in devices:
        hours: dict[float, Span] = {}
        labels: Mapping[str, str] = {}
        for counter in parts.values():
            if device.unit == "W":
                grown, left_open, unread = power_hours(counter)
                gaps.extend(left_open)
                lost = max(lost, unread)
            else:
                read, anew = counter.hours()
                grown = {hour: Span(energy, energy, energy) for hour, energy in read.items()}
                resets += anew
            partial = max(partial, counter.partial())
            repeated += device.family == "dcgm" and counter.is_repeated
            labels = counter.labels
            for hour, span in grown.items():
                hours[hour] = span + hours.get(hour, Span(0.0, 0.0, 0.0))
        told = {**_meter(device, labels), "host": device.host or None, "is_bucket": True, "is_whole": True}
        unit = "mJ" if device.unit == "mJ" else "J"
        for hour, span in sorted(hours.items()):
            started, ended = (datetime.fromtimestamp(at, tz=UTC) for at in (hour, hour + HOUR_S))
            told |= {"started_at": started, "ended_at": ended, "low_ratio": span.ratio(span.low)}
            yield maker.row({**told, "high_ratio": span.ratio(span.high)}, span.mid, unit, None)
    for rule, count in (
        ("counters-repeated", repeated),
        ("counters-began-anew", resets),
        ("partial-hours", partial + lost),
    ):
        if count:
            yield Finding(maker.options.file, None, rule, {"count": count}, is_error=False)
    if gaps:
        facts = {"count": len(gaps), "seconds": f"{sum(gaps):,.0f}"}
        yield Finding(maker.options.file, None, "power-gaps", facts, is_error=False)


def _meter(device: _Device, labels: Mapping[str, str]) -> dict[str, object]:
    if device.family == "dcgm":
        method = "polling.dcgm" if device.unit == "W" else "nvml.dcgm"
        model = " ".join(filter(None, (labels.get("modelName"), device.domain)))
        project = labels.get("exported_namespace") or labels.get("namespace")
        tier = Tier.DERIVED if device.unit == "W" else Tier.MEASURED
        return {**GPU, "method": method, "device": model, "project": project, "tier": tier}
    is_modelled = any(word in labels.get("source", "") for word in MODELLED)
    meter = {"package": "rapl", "dram": "rapl-dram", "gpu": "nvml", "platform": "platform"}[device.domain]
    meter, tier = ("polling", Tier.DERIVED) if device.unit == "W" else (meter, Tier.MEASURED)
    return {
        **DOMAINS[device.domain],
        "method": "kepler-model.kepler" if is_modelled else f"{meter}.kepler",
        "tier": Tier.ESTIMATED if is_modelled else tier,
        "device": device.domain,
    }
