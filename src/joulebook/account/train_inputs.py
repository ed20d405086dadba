"""What a training run is estimated from: what the user gave, and factors for the rest, each with its reason."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from joulebook.errors import FactorMissing, UsageError, translatable
from joulebook.factors.choose import Choice, choose
from joulebook.factors.edition import UNKNOWN, Edition
from joulebook.factors.place import resolve_place
from joulebook.terms.range import Range
from joulebook.terms.tier import Tier
from joulebook.terms.units import convert

GIVEN = translatable("given")
HINT_DEVICE = translatable("Name the device, such as nvidia/h100-sxm-80gb; `joulebook factors list` has all.")
HINT_SEVERAL = translatable("Several devices have this name: the range covers them all.")
TRAINING = "training"
PEAK = {"precision": "fp16", "sparsity": "dense"}


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """A training run, as far as it is known; None is unknown.

    Attributes:
        at: the day of the run.
        device: subject or name of the accelerator.
        device_count: devices side by side.
        run_h: wall time [h].
        parameters: parameters that take part in each token.
        tokens: tokens seen, all epochs.
        provider: cloud provider.
        region: its region, or a country or grid zone.
        power_w: mean measured power of one device [W].
        utilisation: mean over rated power, where it was not measured.
        flop_utilisation: share of the peak that is reached.
        pue: of the building, where known.
        policy: which factors may answer.
    """

    at: date
    device: str | None = None
    device_count: float | None = None
    run_h: float | None = None
    parameters: float | None = None
    tokens: float | None = None
    provider: str | None = None
    region: str | None = None
    power_w: float | None = None
    utilisation: float | None = None
    flop_utilisation: float | None = None
    pue: float | None = None
    policy: str = "ghgp-location"


@dataclass(frozen=True, slots=True)
class TrainInput:
    """One input as it is used.

    Attributes:
        name: its column.
        value: low, mid and high in the column's unit.
        tier: how it is known.
        because: the steps that led to it (translated by the faces).
        choice: the factor, or None where the user gave the value.
        hint: what would make it better, or None; a text that ``nearest`` may fill.
        nearest: known places with a similar name.
    """

    name: str
    value: Range
    tier: str
    because: tuple[str, ...]
    choice: Choice | None = None
    hint: str | None = None
    nearest: str = ""


def training_inputs(edition: Edition, plan: TrainingPlan) -> Mapping[str, TrainInput]:
    """All inputs of an estimate, by column.

    Raises:
        UsageError: neither hours of devices nor the size of model and data are given, or the device's peak is unknown.
    """
    place = resolve_place(edition, plan.provider, plan.region, plan.at)
    device, hint = find_device(edition, plan.device)
    chooser = _Chooser(edition, plan)
    found = [*_work(chooser, plan, device, hint), *_power(chooser, plan, device, hint)]
    found += [chooser.take(name, TRAINING) for name in ("node_overhead_ratio", "idle_overhead_ratio")]
    where = place.hint_template
    found.append(chooser.given("pue_ratio", plan.pue) or chooser.take("pue_ratio", place.site, hint=where))
    found.append(chooser.take("wue_l_per_kwh", place.site, hint=where))
    for name in _OF_ZONE:
        found.append(chooser.take(name, place.zone, hint=where))
    found.append(chooser.take("embodied_g", device[0], hint=hint))
    found += [replace(chooser.take(name, UNKNOWN), hint=None) for name in _OF_SERVER]
    return {each.name: replace(each, nearest=place.nearest) for each in found}


_OF_ZONE = (
    "intensity_g_per_kwh",
    "grid_loss_ratio",
    "upstream_g_per_kwh",
    "water_intensity_without_hydro_l_per_kwh",
    "water_intensity_hydro_l_per_kwh",
)
_OF_SERVER = ("server_embodied_g", "devices_per_server_count", "server_life_h", "device_in_use_ratio")


def _work(chooser: "_Chooser", plan: TrainingPlan, device: tuple[str, ...], hint: str | None) -> list[TrainInput]:
    if plan.device_count is not None and plan.run_h is not None:
        return [_exact("device_count", plan.device_count), _exact("run_h", plan.run_h)]
    if plan.parameters is None or plan.tokens is None:
        raise UsageError(
            what=translatable("A run needs hours of devices, or the size of the model and its data."),
            next_step=translatable("give --count and --hours, or --parameters and --tokens."),
        )
    peaks = [chooser.row("peak_tflop_per_s", each, **PEAK) for each in device]
    known = [peak for peak in peaks if peak is not None]
    if not known:
        raise UsageError(
            what=translatable(
                "The device's peak is not known, so hours cannot be computed from the size of the model."
            ),
            next_step=translatable("name a device with a known peak, or give --count and --hours."),
        )
    return [
        _exact("parameter_count", plan.parameters),
        _exact("training_tokens", plan.tokens),
        chooser.take("flop_per_parameter_token", TRAINING),
        chooser.given("flop_utilisation_ratio", plan.flop_utilisation)
        or chooser.take("flop_utilisation_ratio", TRAINING),
        _united("peak_tflop_per_s", known, hint),
    ]


def _power(chooser: "_Chooser", plan: TrainingPlan, device: tuple[str, ...], hint: str | None) -> list[TrainInput]:
    if plan.power_w is not None:
        measured = Range.exact(convert(plan.power_w, "W", "kW"))
        power = TrainInput("device_power_kw", measured, Tier.MEASURED, (GIVEN,))
        return [power, TrainInput("utilisation_ratio", Range.exact(1), Tier.MEASURED, (GIVEN,))]
    found = [chooser.row("tdp_w", each) for each in device]
    known = [row for row in found if row is not None]
    if len(known) < len(device):  # what has no rated power in the library may have any
        known.append(chooser.take("tdp_w", UNKNOWN, hint=HINT_DEVICE))
        hint = HINT_DEVICE
    rated = _united("tdp_w", known, hint)
    power = TrainInput(
        "device_power_kw",
        rated.value.scaled(convert(1, "W", "kW")),
        rated.tier,
        rated.because,
        rated.choice,
        rated.hint,
    )
    used = chooser.given("utilisation_ratio", plan.utilisation) or chooser.take("utilisation_ratio", TRAINING)
    return [power, used]


def find_device(edition: Edition, name: str | None) -> tuple[tuple[str, ...], str | None]:
    """Subjects of accelerators that a name may mean: all of its kind where it is short, ``unknown`` where none fits.

    Returns:
        the subjects, and a hint where they are several or none.
    """
    if not name:
        return (UNKNOWN,), HINT_DEVICE
    wanted = name.strip().lower().replace(" ", "-")
    known = sorted({row.subject for row in edition.factors if row.kind == "hardware" and row.quantity in _DEVICE})
    if wanted in known:
        return (wanted,), None
    found = [each for each in known if each.partition("/")[-1] == wanted]
    found = found or [each for each in known if each.partition("/")[-1].startswith(wanted + "-")]
    found = found or _by_words(known, wanted)
    if not found:
        return (UNKNOWN,), HINT_DEVICE
    return tuple(found), HINT_SEVERAL if len(found) > 1 else None


def _by_words(known: list[str], wanted: str) -> list[str]:
    """Devices whose name has all words of a name such as a driver writes: ``NVIDIA A100-SXM4-80GB``, ``Tesla T4``."""
    words = _words(wanted)
    if not words:
        return []
    same = [each for each in known if _words(each) == words]
    return same or [each for each in known if words <= _words(each)]


def _words(name: str) -> frozenset[str]:
    parts = (SOCKET.sub("sxm", word) for word in re.split(r"[-/ _]+", name.lower()))
    return frozenset(word for word in parts if word and not FILLER.fullmatch(word))


SOCKET = re.compile(r"^sxm\d$")
FILLER = re.compile(r"nvidia|amd|tesla|geforce|instinct|corporation|graphics|gpu|hbm\d?e?|gddr\d?x?")
"""Words of a device's name that tell nothing apart."""

_DEVICE = ("tdp_w", "peak_tflop_per_s")


@dataclass(frozen=True, slots=True)
class _Chooser:
    edition: Edition
    plan: TrainingPlan

    def take(self, name: str, subject: str, *, hint: str | None = None) -> TrainInput:
        choice = choose(self.edition, name, subject, self.plan.at, self.plan.policy)
        return TrainInput(
            name,
            choice.factor.range,
            choice.factor.tier,
            choice.steps,
            choice,
            (hint or choice.hint) if choice.is_unknown else None,
        )

    def row(self, name: str, subject: str, **basis: str) -> TrainInput | None:
        try:
            choice = choose(self.edition, name, subject, self.plan.at, self.plan.policy, **basis)
        except FactorMissing:
            return None
        return (
            None
            if choice.is_unknown
            else TrainInput(name, choice.factor.range, choice.factor.tier, choice.steps, choice)
        )

    def given(self, name: str, value: float | None) -> TrainInput | None:
        return None if value is None else _exact(name, value)


def _exact(name: str, value: float) -> TrainInput:
    if not value > 0:
        raise UsageError(what=f"{name} = {value}.", next_step=translatable("give a number above zero."))
    return TrainInput(name, Range.exact(value), Tier.DERIVED, (GIVEN,))


def _united(name: str, rows: list[TrainInput], hint: str | None) -> TrainInput:
    first = rows[0]
    if len(rows) == 1:
        return TrainInput(name, first.value, first.tier, first.because, first.choice, hint)
    low, high = min(row.value.low for row in rows), max(row.value.high for row in rows)
    middle = sorted(row.value.mid for row in rows)[len(rows) // (1 + 1)]
    return TrainInput(name, Range(low, middle, high), Tier.ASSUMED, first.because, first.choice, hint)
