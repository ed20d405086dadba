"""What one line of a bill used, told by its SKU, description and unit.

Booked are tokens of hosted models, hours of machines and accelerators, hours of virtual processors, stored data over
time, and data sent over a network. Memory that is billed apart from the processors it stands beside (Google's
``Instance Ram``, Fargate's GB-hours, Oracle's gigabytes per hour) is covered by them: the energy of a virtual processor
holds the memory a server usually has. Functions billed by memory alone are booked by it.

Sources: FOCUS 1.2 (units); AWS price list (units); Azure, "Understand usage details fields"; Google Cloud, "Standard
usage cost data" (``usage.unit``); Oracle, "Cost report schema" and "Compute shapes" (an OCPU of x86 is two threads, of
Arm one).
"""

import re
from collections.abc import Mapping
from typing import Any

from joulebook.ingest.bill_blocks import TOKENS, UNITS, UNTOLD, is_priced, told_in_tokens
from joulebook.ingest.bill_tokens import EMBEDDED, is_of_tokens, model_of, tokens_of, untold_tokens
from joulebook.ingest.bill_words import instance_type
from joulebook.ingest.lines import loaded
from joulebook.ingest.records import whole
from joulebook.terms.units import convert

USED = (None, "usage", "discountedusage", "savingsplancoveredusage", "regular", "ondemand", "usagecorrection")
"""Kinds of lines that tell a use; the others are taxes, fees, credits, purchases, refunds and negations. Of Google's
adjustments those that correct the use do, and no other."""

NO_MACHINE = re.compile(r"mbps|marketplace|software|extended support|defender|licen[cs](?:e|ing)", re.IGNORECASE)
COVERED = re.compile(
    r"\ACommitment(?: v\d+)?:|\bpremium for\b|(?:\A|-)(?:Reservation|DedicatedRes):|CPUCredits:|\bsurcharge\b",
    re.IGNORECASE,
)
"""Lines on machines whose hours other lines count: Google's commitments and its premiums upon cores, AWS's capacity
reservations (the machines in them are ``BoxUsage``, what nobody used ``UnusedBox``) and credits of burstable
processors, and surcharges of Azure Machine Learning."""

NETWORK = re.compile(
    r"data ?transfer|bandwidth|egress|bytes-out|out-bytes|outbound|inter ?region|inter ?zone|\bdownload\b",
    re.IGNORECASE,
)
INBOUND = re.compile(r"\bin-bytes|data transfer in\b|ingress|inbound", re.IGNORECASE)
MEMORY = re.compile(r"\bram\b|\bmemory\b|GB-Hours|gb of memory", re.IGNORECASE)
SCRATCH = re.compile(r"EphemeralStorage", re.IGNORECASE)
FUNCTION = re.compile(r"lambda|cloud (run )?functions?|execution time", re.IGNORECASE)
GOOGLE_GPU = re.compile(
    r"((?:nvidia )?(?:tesla )?(?:[ABHKLTVPG]\d+\w*|GB?\d{3})(?: \d+GB)?)(?: Mega)? (?:GPU|\(1 gpu slice\))",
    re.IGNORECASE,
)
GOOGLE_RTX = re.compile(r"\bRTX 6000 96GB\b", re.IGNORECASE)
"""So Google calls the RTX PRO 6000 of its machines G4."""

GOOGLE_TPU = re.compile(r"\bTPU-?(v\d\w*|\d+x)\b", re.IGNORECASE)
"""``TpuV5e running in Americas``: hours of chips."""

CORES = re.compile(
    r"instance core|core running|cpu allocation|\b(?:services|jobs|worker pools) (?:min instance )?cpu\b|fee on cpu\b",
    re.IGNORECASE,
)
MILLI = re.compile(r"\bpod mcpu\b", re.IGNORECASE)
"""Google's autopilot counts thousandths of a processor."""

VCORES = re.compile(r"(?:\b(\d+) )?\bv(?:Cores?|CPUs?)\b", re.IGNORECASE)
"""Processors of databases: ``2 vCore`` is a size (Azure; Google writes ``2 VCPU``), ``vCore`` counts each."""

MIRRORED = re.compile(r"Multi-AZUsage:")
"""Databases of AWS with a standby: an hour of them is one of two machines, at twice the price."""

DATABASE = re.compile(r"Flexible Server .*Compute")
DATABASE_MACHINE = re.compile(r"[A-Z]+\d+[a-z]*(?: v\d)?\Z")
"""Azure's meters of databases that run on a machine of a size, such as ``D2s v3``."""

ORACLE_GPU = re.compile(r"GPU - ([\w.]+)", re.IGNORECASE)
SSD = re.compile(r"\bssd\b|nvme|premium|gp[23]\b|\bio[12]\b|volumeusage\.(?:gp|io)", re.IGNORECASE)
HDD = re.compile(r"\bhdd\b|magnetic|\bst1\b|\bsc1\b", re.IGNORECASE)
ARM_OCPU = re.compile(r"\bA1\b|\bA2\b|ampere|\barm\b", re.IGNORECASE)

SIZE = r"(?P<number>[\d,.]*)\s*(?P<size>[KMGTP]i?B|(?:kibi|mebi|gibi|tebi|kilo|mega|giga|tera)?bytes?|gbs?)"
TIME = r"(?P<time>mo(?:nths?|s)?|hours?|hrs?|h|seconds?|secs?|s|days?)"
STORED = re.compile(rf"(?:\b|-){SIZE}(?: storage capacity)?(?: per |[-/ ]){TIME}\Z", re.IGNORECASE)
STORED_TURNED = re.compile(rf"(?P<number>)(?P<size>byte)-{TIME}\Z", re.IGNORECASE)
SENT = re.compile(rf"{SIZE}(?: outbound data transfer)?(?: per month)?\Z", re.IGNORECASE)
HOURS = re.compile(
    r"(?:[\d,.]+\s*)?(?P<what>.*?)\s*(?:per )?-?(?P<time>hours?|hrs?|seconds?|minutes?)\Z", re.IGNORECASE
)

DISK = re.compile(r"\bManaged Disks\b.*? ([PES]\d+)\b(?!.*\b(?:Mount|Operations|Snapshots?|Burst)\b)", re.IGNORECASE)
DISKS = re.compile(r"(?:[\d,.]+|Units) ?/ ?Month\Z", re.IGNORECASE)
DISK_GIB: Mapping[str, int] = {
    "1": 4, "2": 8, "3": 16, "4": 32, "6": 64, "10": 128, "15": 256, "20": 512, "30": 1024, "40": 2048, "50": 4096,
    "60": 8192, "70": 16384, "80": 32767,
}  # fmt: skip
"""Gibibytes of Azure's disks by the number in the name of their size, such as P30, E10 or S4. Source: Azure, "Select a
disk type", tables of the sizes of premium SSD, standard SSD and standard HDD."""

MAPPED = re.compile(r"[{ ](\w+)=([^={}]*?)(?=, \w+=|\}\Z)")
"""One entry of a map as text."""

BYTES = {"k": 3, "m": 6, "g": 9, "t": 12, "p": 15}
TIMES = {"mi": "min", "mo": "mo", "h": "h", "s": "s", "d": "d"}


NOTHING_ELSE: Mapping[str, object] = {"uncached_input_tokens": 0, "visible_output_tokens": 0}
"""What a line of tokens has of the other classes: it counts one, and other lines the others."""


def use_of(told: Mapping[str, str | None], quantity: float) -> dict[str, object] | None:
    """What a line used, in fields of usage; empty where another line covers it, None for what has no use of ours.

    Args:
        told: our words of `joulebook.ingest.bill_words` -> cells.
        quantity: how much, in the line's unit; a line that takes back has a negative one.

    >>> use_of({"kind": "Usage", "sku": "BoxUsage:c5.large", "unit": "Hrs"}, 2.0)
    {'device': 'c5.large', 'device_hours': 2.0}
    >>> use_of({"kind": "Usage", "sku": "EBS:VolumeUsage.gp3", "unit": "GB-Mo"}, 2.0)
    {'storage_gb_hours': 1461.0, 'device': 'ssd'}
    """
    if not _is_used(told) or quantity == 0:
        return None
    details = _details(told.get("details"))
    named, text = _words(told, details)
    unit = (told.get("unit") or "").strip()
    tokens = tokens_of(text, unit, quantity)
    if tokens is not None:
        return {
            **({} if EMBEDDED in tokens else NOTHING_ELSE),
            **tokens,
            "model": model_of(told.get("sku") or text, "\n".join(map(str, named))),
        }
    if NO_MACHINE.search(text):
        return None
    if COVERED.search(text):
        return {}
    for find in (_disk, _stored, _machine, _sent):
        found = find(told, details, text, unit, quantity)
        if found is not None:
            return found
    return None


def untold_use(told: Mapping[str, str | None]) -> str | None:
    """The rule of `joulebook.terms.finding` for a line that used a hosted model in a way that it does not count."""
    if not _is_used(told):
        return None
    return untold_tokens(_words(told, _details(told.get("details")))[1], (told.get("unit") or "").strip())


def in_tokens(told: Mapping[str, str | None]) -> tuple[float | None, str] | None:
    """Quantity and unit of a line on tokens whose unit is only called a unit or a token; None for all other lines.

    A line whose unit is a token may count blocks all the same, which its price then says; without one it counts tokens.
    """
    unit = (told.get("unit") or "").strip().lower()
    if unit not in (*UNITS, *TOKENS) or not _is_used(told):
        return None
    text = _words(told, _details(told.get("details")))[1]
    if not is_of_tokens(text, unit if unit in TOKENS else ""):
        return None
    quantity, told_unit = told_in_tokens(told, text)
    if unit in TOKENS and (told_unit == UNTOLD or not is_priced(told)):
        return None
    return quantity, told_unit


def _is_used(told: Mapping[str, str | None]) -> bool:
    return (told.get("kind") or "Usage").replace(" ", "").replace("_", "").lower() in USED


def _words(told: Mapping[str, str | None], details: Mapping[str, Any]) -> tuple[list[object], str]:
    """What names a line beside its SKU, and all its words."""
    named: list[object] = [
        name for name in (told.get("description"), told.get("service"), details.get("product_name")) if name
    ]
    return named, " ".join([told.get("sku") or "", *map(str, named)]).strip()


def _machine(
    told: Mapping[str, str | None], details: Mapping[str, Any], text: str, unit: str, quantity: float
) -> dict[str, object] | None:
    """Hours of machines, accelerators or processors."""
    by_time = HOURS.match(unit)
    if by_time is None:
        return None
    hours = convert(quantity, _time(by_time["time"]), "h")
    what = by_time["what"].lower()
    if "ocpu" in what or "ocpu" in text.lower():
        return {"vcpu_hours": hours * (1 if ARM_OCPU.search(text) else 2)}
    board = _board(text, what)
    if board is not None:
        return {"device": board, "device_hours": hours}
    if CORES.search(text) or what in ("vcpu", "vcpus"):
        return {"vcpu_hours": hours}
    return _rented(told, details, text, hours if what in ("", "instance", "instances", "machine") else 0) or (
        _processors(text, hours)
    )


def _rented(
    told: Mapping[str, str | None], details: Mapping[str, Any], text: str, hours: float
) -> dict[str, object] | None:
    """Hours of a machine that has a name, with its virtual processors where they are told."""
    told_names = (details.get(name) for name in ("InstanceType", "ServiceType", "instance_type"))
    named = next(filter(None, told_names), None) or told.get("machine") or instance_type(text) or _of_database(told)
    cores = next(filter(None, (whole(details.get(name)) for name in ("CoreCount", "VCPUs"))), 0)
    cores = cores or _count(details.get("vcpu")) or _count(told.get("vcpus"))
    if not named or not hours:
        return None
    hours *= 2 if MIRRORED.search(text) else 1
    return {"device": str(named), "device_hours": hours, **({"vcpu_hours": cores * hours} if cores else {})}


def _processors(text: str, hours: float) -> dict[str, object] | None:
    """Hours of the virtual processors that a line names; memory beside them is covered by them."""
    sized = VCORES.search(text)
    threads = int(sized[1] or 1) if sized is not None else int("vcpu" in text.lower())
    if MILLI.search(text):
        return {"vcpu_hours": convert(hours, "1", "1e3")}
    if threads:
        return {"vcpu_hours": hours * threads}
    return {} if MEMORY.search(text) else None


def _board(text: str, what: str) -> str | None:
    """The accelerator that a line is for; what a unit counts is in small letters."""
    if "gpu" in what:
        found = ORACLE_GPU.search(text)
        return found[1] if found else None
    if GOOGLE_RTX.search(text):
        return "RTX PRO 6000"
    found, tpu = GOOGLE_GPU.search(text), GOOGLE_TPU.search(text)
    return found[1] if found else f"TPU {tpu[1].lower().replace('7x', 'v7')}" if tpu else None


def _of_database(told: Mapping[str, str | None]) -> str | None:
    """The machine that a database of Azure runs on, by its meter."""
    meter = told.get("sku") or ""
    return meter if DATABASE.search(told.get("description") or "") and DATABASE_MACHINE.match(meter) else None


def _disk(_told: object, _details: object, text: str, unit: str, quantity: float) -> dict[str, object] | None:
    """Disks that are billed by their size's name and counted by the month."""
    found = DISK.search(text) if DISKS.match(unit) else None
    size = DISK_GIB.get(found[1][1:]) if found else None
    if size is None:
        return None
    hours = quantity * convert(1, "mo", "h")
    return {"storage_gb_hours": size * _gb("GiB") * hours, "device": "hdd" if HDD.search(text) else "ssd"}


def _stored(_told: object, _details: object, text: str, unit: str, quantity: float) -> dict[str, object] | None:
    """Data kept over time; memory over time is of machines or functions."""
    found = STORED.search(unit) or STORED_TURNED.match(unit)
    if found is None:
        return None
    gb_hours = quantity * _gb(found["size"]) * convert(1, _time(found["time"]), "h")
    if FUNCTION.search(text):
        return {"memory_gb_hours": gb_hours}
    if MEMORY.search(text) and not SCRATCH.search(text):
        return {}
    kind = "ssd" if SSD.search(text) else "hdd" if HDD.search(text) else None
    return {"storage_gb_hours": gb_hours, **({"device": kind} if kind else {})}


def _sent(_told: object, _details: object, text: str, unit: str, quantity: float) -> dict[str, object] | None:
    """Data sent; what comes in was sent by somebody else."""
    found = SENT.match(unit)
    if found is None or not NETWORK.search(f"{text} {unit}") or INBOUND.search(text):
        return None
    return {"network_gb": quantity * _gb(found["size"])}


def _gb(size: str) -> float:
    """Gigabytes in a unit of size; a number before it is the block that prices are for, not that quantities count."""
    word = size.lower()
    if word in ("byte", "bytes"):
        return convert(1, "B", "GB")
    power = BYTES[word[0]]
    is_binary = word[1:3] == "ib" or word.endswith(("bibyte", "bibytes"))
    return convert(2.0 ** (power / 3 * 10) if is_binary else 10.0**power, "B", "GB")


def _time(word: str) -> str:
    return next(unit for start, unit in TIMES.items() if word.lower().startswith(start))


def _count(cell: object) -> int:
    return int(cell) if isinstance(cell, str) and cell.isdecimal() else 0


def _details(cell: str | None) -> Mapping[str, Any]:
    """Details as JSON, or as a map that was a column of a Parquet file: ``{vcpu=2, instance_type=c5.large}``."""
    if not cell:
        return {}
    kept = loaded(cell)
    return kept if isinstance(kept, dict) else dict(MAPPED.findall(cell))
