"""Machines that clouds rent by the hour: what an instance type is made of, from the name on a bill.

A name has a family, which decides processor, memory per virtual processor and kind of accelerator, and a size, which
decides how many virtual processors: ``m5`` and ``xlarge``, ``D`` ``4`` ``s_v5``, ``n2-standard`` and ``8``. What is not
regular (bare metal, burstable and accelerated sizes) has a factor of its own under its whole name.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cache

from joulebook.estimate.hardware import model_word, words_of
from joulebook.factors.edition import UNKNOWN, Edition, Factor

PREFIX = "instance:"
VCPUS = "vcpus_per_instance_count"
BOARDS = "accelerators_per_instance_count"
MEMORY = "memory_gb_per_vcpu"

_SERVICE = re.compile(r"^(?:db|cache|ml|search|dms|kernel)\.|\.(?:search|elasticsearch)$")
"""What managed services write before or after the machine they run on."""

_AWS = re.compile(r"^(?P<family>[a-z][a-z0-9-]*)\.(?P<size>[a-z0-9-]+)$")
_AZURE = re.compile(r"^(?:standard_|basic_)?(?P<head>[a-z]+)(?P<count>\d+)(?:-\d+)?(?P<tail>[a-z_0-9]*)$")
_AZURE_RUN_ON = re.compile(r"_?(h\d{3}|a\d{2,3}|t4|mi\d{3}x|gb\d{3})_?(v\d+)$")
_AZURE_VERSION = re.compile(r"^((?:standard_)?[a-z]+\d+(?:-\d+)?[a-z]*)(v\d+)$")
"""Meters write ``ND96isrH200v5`` and ``D4sv3``; types are called ``nd96isr_h200_v5`` and ``d4s_v3``."""

_CONSTRAINED = re.compile(r"(?<=\d)-\d+(?=[a-z_]|$)")
"""``e4-2ads_v5`` is an ``e4ads_v5`` with half its virtual processors switched off."""

_GCP = re.compile(r"^(?P<family>[a-z]\d[a-z]?-[a-z]+)-(?P<count>\d+)(?P<end>g?)(?:-lssd)?$")

_ACCELERATED = re.compile(r"aws/(?:p|gr?|inf|trn|dl|vt|f)\d|azure/n|gcp/(?:a|g|ct|tpu)\d")
"""How clouds begin the names of machines with accelerators."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One type of machine.

    Attributes:
        subject: ``instance:aws/m5.xlarge``.
        vcpus: virtual processors.
        memory_gb: memory [GB].
        microarchitectures: subjects of the processors it may have; none where they are not known.
        boards: accelerators; None where it has some and the library does not know how many.
        accelerator: subject of the accelerator; ``unknown`` where it has none or nobody knows which.
        facts: the factors this was read from.
    """

    subject: str
    vcpus: float
    memory_gb: float
    microarchitectures: tuple[str, ...]
    boards: float | None
    accelerator: str
    facts: tuple[Factor, ...]


MAKERS = ("nvidia", "tesla", "quadro", "rtx", "amd", "instinct")
SOCKETS = frozenset({"sxm", "pcie"})
GEFORCE = re.compile(r"^(?:geforce-)?(rtx|gtx)-?(\d0[5-9]0)")
PARTED = re.compile(r"\d+g\.\d+gb|\bmig\b")


@dataclass(frozen=True, slots=True)
class _Name:
    """A name taken apart: whole, family, size, and the virtual processors that the name itself counts."""

    whole: str
    family: str
    size: str | None = None
    count: float | None = None


def find_instance(edition: Edition, provider: str, name: str, at: date) -> Instance | None:
    """The type of machine that a name on a bill means; None where it is not known.

    Args:
        edition: factors.
        provider: who rents it out, as the record says; empty tries all.
        name: the instance type, as the record says.
        at: day of the use.
    """
    for one in _names(provider.strip().lower(), name):
        found = _built(edition, one, at)
        if found is not None:
            return found
    return None


def is_accelerated(provider: str, name: str) -> bool:
    """Whether the name on a bill is that of a machine with accelerators, known or not.

    >>> is_accelerated("azure", "NC6s v3"), is_accelerated("aws", "p9.48xlarge"), is_accelerated("gcp", "n2-standard-8")
    (True, True, False)
    """
    return any(_ACCELERATED.match(one.whole) for one in _names(provider.strip().lower(), name))


def nearest_instances(edition: Edition, name: str) -> list[str]:
    """Known families with a similar name, to suggest."""
    wanted = name.strip().lower()
    known = sorted({row.subject.partition("/")[-1] for row in edition.factors_for(MEMORY) if PREFIX in row.subject})
    return get_close_matches(wanted.partition(".")[0], known, cutoff=0)  # the nearest, however far


def find_board(edition: Edition, name: str) -> tuple[str, ...]:
    """Subjects of accelerators that a name may mean: ``h100``, ``NVIDIA A100 80GB``; none where none fits.

    A driver's name, which begins with its maker (``nvidia_h100_80gb_hbm3``, ``amd_instinct_mi300x_oam``), means the
    boards of its model that share most words with it. An instance of a board that is parted (MIG) is no board.
    """
    wanted = re.sub(r"[\s_/]+", "-", name.strip().lower()).replace("nvidia-", "").replace("tesla-", "")
    wanted = GEFORCE.sub(r"geforce-\1-\2", wanted)
    known = _boards(edition)
    if not wanted:
        return ()
    exact = [one for one in known if wanted in (one, one.partition("/")[-1])]
    begins = [one for one in known if one.partition("/")[-1].startswith(f"{wanted}-")]
    words = set(wanted.split("-"))
    spoken = [one for one in known if words <= set(one.partition("/")[-1].split("-"))]
    return tuple(exact or begins or spoken or _of_driver(name, known))


def _of_driver(name: str, known: Sequence[str]) -> list[str]:
    words = words_of(name)
    model = model_word(name)
    if not words or words[0] not in MAKERS or model.isdecimal() or PARTED.search(name.lower()):
        return []
    sockets = set(words) & SOCKETS
    fitting = {one: set(words_of(one)) for one in known if model_word(one.partition("/")[-1]) == model}
    fitting = {one: told for one, told in fitting.items() if not sockets or not told & SOCKETS or told & sockets}
    most = max((len(told & set(words)) for told in fitting.values()), default=0)
    return [one for one, told in fitting.items() if len(told & set(words)) == most]


@cache
def _boards_of(factors: tuple[Factor, ...]) -> tuple[str, ...]:
    return tuple(sorted({row.subject for row in factors if row.kind == "hardware" and "/" in row.subject}))


def _boards(edition: Edition) -> tuple[str, ...]:
    return _boards_of(edition.factors_for("tdp_w"))


def _names(provider: str, name: str) -> Iterator[_Name]:
    plain = _SERVICE.sub("", name.strip().lower())
    ways = {"aws": _of_aws, "azure": _of_azure, "gcp": _of_gcp}
    chosen = [ways[one] for one in ways if provider in (one, "")] or list(ways.values())
    for way in chosen:
        yield from way(plain)


def _of_aws(name: str) -> Iterable[_Name]:
    found = _AWS.match(name)
    if found:
        yield _Name(f"aws/{name}", f"aws/{found['family']}", f"aws/size/{found['size']}")


def _of_azure(name: str) -> Iterable[_Name]:
    plain = name.partition("/")[0].strip().replace(" ", "_").replace("_promo", "")
    plain = _AZURE_VERSION.sub(r"\1_\2", _AZURE_RUN_ON.sub(r"_\1_\2", plain))
    found = _AZURE.match(plain)
    if found:
        bare = _CONSTRAINED.sub("", plain.removeprefix("standard_").removeprefix("basic_"))
        family = found["head"] + found["tail"]
        yield _Name(f"azure/{bare}", f"azure/{family}", count=float(found["count"]))


def _of_gcp(name: str) -> Iterable[_Name]:
    found = _GCP.match(name)
    if found:
        count = None if found["end"] else float(found["count"])
        yield _Name(f"gcp/{name.removesuffix('-lssd')}", f"gcp/{found['family']}", count=count)
    else:
        yield _Name(f"gcp/{name}", f"gcp/{name}")


def _built(edition: Edition, name: _Name, at: date) -> Instance | None:
    whole, family = PREFIX + name.whole, PREFIX + name.family
    memory = _fact(edition, MEMORY, whole) or _fact(edition, MEMORY, family)
    vcpus = _fact(edition, VCPUS, whole)
    if vcpus is None and name.size is not None:
        vcpus = _fact(edition, VCPUS, PREFIX + name.size)
    count = vcpus.value if vcpus else name.count
    boards = _fact(edition, BOARDS, whole) or _fact(edition, BOARDS, family)
    if memory is None and boards is not None:
        memory = _fact(edition, MEMORY, UNKNOWN)
    if memory is None or count is None:
        return None
    links = edition.links_for(whole, "microarchitecture", at) or edition.links_for(family, "microarchitecture", at)
    fitted = edition.links_for(whole, "accelerator", at) or edition.links_for(family, "accelerator", at)
    none = None if _ACCELERATED.match(name.whole) else float(0)
    return Instance(
        subject=whole,
        vcpus=count,
        memory_gb=count * memory.value,
        microarchitectures=tuple(link.object for link in links),
        boards=boards.value if boards else none,
        accelerator=fitted[-1].object if fitted else UNKNOWN,
        facts=tuple(row for row in (vcpus, memory, boards) if row is not None),
    )


def _fact(edition: Edition, quantity: str, subject: str) -> Factor | None:
    rows = edition.factors_for(quantity, subject)
    own = [row for row in rows if row.is_user]
    return max(own or rows, key=lambda row: row.known_from, default=None)
