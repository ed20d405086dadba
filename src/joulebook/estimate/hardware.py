"""Accelerators: rated power, memory bandwidth, arithmetic and memory, under any name people use."""

from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from re import findall, fullmatch, sub

from joulebook.errors import UnknownName, translatable
from joulebook.factors.choose import choose
from joulebook.factors.edition import UNKNOWN, Edition
from joulebook.terms.units import convert

HARDWARE = (
    "accelerator_power_w",
    "accelerator_bandwidth_bytes_per_s",
    "accelerator_flop_per_s",
    "accelerator_memory_bytes",
)
"""What the serving model needs of an accelerator."""

LIBRARY = {
    "accelerator_power_w": "tdp_w",
    "accelerator_bandwidth_bytes_per_s": "memory_bandwidth_gb_per_s",
    "accelerator_flop_per_s": "peak_tflop_per_s",
    "accelerator_memory_bytes": "memory_gb",
}
"""Where the serving factors lack an accelerator, the quantity of the hardware library that stands for each."""

PRECISIONS = ("bf16", "fp16")
"""Precisions of the library's rates that count as 16 bits, the better first."""


SOCKET = "sxm"

SPEED_LIMIT = "compute_speed_limit_ratio"
"""Quantity: the most that arithmetic gains from narrow weights on an accelerator; absent where nothing limits it."""
WIDENED = 1.0
"""Speed of arithmetic on weights that an accelerator has to widen to 16 bits first."""


def known_accelerators(edition: Edition) -> list[str]:
    """Subjects of which everything in `HARDWARE` is known."""
    candidates = {row.subject for name in (*LIBRARY, *LIBRARY.values()) for row in edition.factors_for(name)}
    return sorted(
        subject
        for subject in candidates
        if "/" in subject and subject != "serving/hosted" and all(_has(edition, name, subject) for name in HARDWARE)
    )


def find_accelerator(edition: Edition, name: str) -> str:
    """Subject of an accelerator from a name people or drivers use: ``h100``, ``NVIDIA A100-SXM4-80GB``, ``mi300x``.

    The full name wins, then a name on its socket (SXM), then one that begins so, then one that contains it, then the
    one that shares most words with it; where several fit, the one with the most memory.

    Raises:
        UnknownName: none fits.
    """
    known, wanted = known_accelerators(edition), name.lower().strip().replace(" ", "-")
    bare = {subject: subject.partition("/")[-1] for subject in known}
    words = {subject: words_of(short) for subject, short in bare.items()}
    asked = [*words_of(name), *words_of(name.replace(" ", ""))]
    sharing = [subject for subject in known if model_word(bare[subject]) in asked]
    most = max((len(set(words[subject]) & set(asked)) for subject in sharing), default=0)
    closest = [subject for subject in sharing if len(set(words[subject]) & set(asked)) == most]
    ladder = (
        [subject for subject in known if wanted in (subject, bare[subject])],
        [subject for subject in known if bare[subject].startswith(f"{wanted}-sxm")],
        [subject for subject in known if bare[subject].startswith(f"{wanted}-")],
        [subject for subject in known if f"-{wanted}-" in f"-{bare[subject]}-"],
        [subject for subject in closest if SOCKET in words[subject]] or closest,
    )
    for fitting in ladder:
        if fitting:
            return max(fitting, key=lambda subject: _largest(edition, subject))
    short = sorted({model_word(one) for one in bare.values()})
    raise UnknownName(
        kind=translatable("accelerator"),
        name=name,
        nearest=", ".join(get_close_matches(model_word(wanted), short) or short),
    )


def words_of(name: str) -> list[str]:
    """The words of a name, each with its digits: ``NVIDIA A100-SXM4-80GB`` gives nvidia, a100, sxm, 80gb."""
    apart = sub(r"rtx(?=\d)", "rtx ", sub(r"sxm\d", SOCKET, name.lower()))
    return findall(r"[a-z]*\d+[a-z]*|[a-z]+", apart)


def model_word(name: str) -> str:
    """The word that tells the model: the first with a digit (``h100``, ``4090``, ``v5e``), else the whole name."""
    telling = (word for word in words_of(name) if not word.isalpha() and not fullmatch(r"\d+gb", word))
    return next(telling, name)


def find_board(edition: Edition, label: str) -> str:
    """Subject of a board whose making is known, from the name its driver gives; ``unknown`` where none fits.

    A board fits where its generation (``a100`` of ``nvidia/a100-sxm-80gb``) is a word of the name; of several, those
    whose memory (``80gb``) is one, too. Boards that fit and differ leave it unknown.
    """
    words = set("".join(letter if letter.isalnum() else " " for letter in label.lower()).split())
    known = {row.subject: row.value for row in edition.factors_for("embodied_g") if "/" in row.subject}
    named = {subject: subject.partition("/")[-1].split("-") for subject in sorted(known)}
    fitting = [subject for subject, parts in named.items() if parts[0] in words]
    fitting = [subject for subject in fitting if named[subject][-1] in words] or fitting
    return fitting[0] if len({known[subject] for subject in fitting}) == 1 else UNKNOWN


def hardware_facts(edition: Edition, policy: str, subject: str, at: date) -> dict[str, float]:
    """Plain numbers for every name in `HARDWARE`, and `SPEED_LIMIT` where there is one.

    Raises:
        UnknownName: one of them is not known of this accelerator.
    """
    facts = {name: _value(edition, policy, name, subject, at) for name in HARDWARE}
    if edition.factors_for(SPEED_LIMIT, subject):
        facts[SPEED_LIMIT] = choose(edition, SPEED_LIMIT, subject, at, policy).factor.value
    return facts


def limited(facts: Mapping[str, float]) -> dict[str, float]:
    """Facts of a deployment: weights narrower than the accelerator can calculate with are widened to 16 bits first."""
    found = dict(facts)
    limit = found.pop(SPEED_LIMIT, None)
    if limit is not None and found.get("compute_speed_ratio", WIDENED) > limit:
        found["compute_speed_ratio"] = WIDENED
    return found


def _largest(edition: Edition, subject: str) -> float:
    """Memory, to prefer the larger of two accelerators of one name [bytes]."""
    own = edition.factors_for("accelerator_memory_bytes", subject)
    rows = own or edition.factors_for(LIBRARY["accelerator_memory_bytes"], subject)
    values = [row.value if own else convert(row.value, "1e9", "1") for row in rows]
    return max(values)


def _has(edition: Edition, name: str, subject: str) -> bool:
    if edition.factors_for(name, subject):
        return True
    rows = edition.factors_for(LIBRARY[name], subject)
    return any(name != "accelerator_flop_per_s" or row.basis.get("precision") in PRECISIONS for row in rows)


def _value(edition: Edition, policy: str, name: str, subject: str, at: date) -> float:
    if edition.factors_for(name, subject):
        return choose(edition, name, subject, at, policy).factor.value
    if name == "accelerator_power_w":
        return choose(edition, LIBRARY[name], subject, at, policy).factor.value
    if name == "accelerator_flop_per_s":
        rows = edition.factors_for(LIBRARY[name], subject)
        there = [precision for precision in PRECISIONS if any(row.basis.get("precision") == precision for row in rows)]
        if there:
            found = choose(edition, LIBRARY[name], subject, at, policy, precision=there[0]).factor.value
            return convert(convert(found, "1e9", "1"), "1e3", "1")
    elif edition.factors_for(LIBRARY[name], subject):
        return convert(choose(edition, LIBRARY[name], subject, at, policy).factor.value, "1e9", "1")
    raise UnknownName(kind=name, name=subject, nearest=", ".join(known_accelerators(edition)))
