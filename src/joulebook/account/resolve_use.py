"""Factors of a use that is not one of tokens: media, metered energy, machines and their parts."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from difflib import get_close_matches
from typing import Any

from joulebook.account import resolve_machine
from joulebook.account.media import Media, Unit, find_task, measured_model, task_unit, unit_of
from joulebook.account.resolution import Part, Resolution, part_of
from joulebook.account.resolve import BOUNDARY_COLUMNS, resolve_model_factors
from joulebook.errors import UnknownName, translatable
from joulebook.estimate.boundary import HOST
from joulebook.factors.choose import choose
from joulebook.factors.edition import UNKNOWN, Edition
from joulebook.terms.boundary import Boundary
from joulebook.terms.tier import Tier

HINT_MEDIA = translatable(
    "This model of images or video was not measured: the range is over all sizes. Nearest measured models: {nearest}."
)
HINT_ENCODER = translatable("Name the model with --model.")
HINT_TASK = translatable("There is no measurement of this task: the range is over all small tasks. Nearest: {nearest}.")
METERED_BECAUSE = translatable("metered: the range of the record itself")

OWN_COLUMNS: Mapping[str, str] = {
    "image": "image_kwh",
    "video": "video_kwh_per_s",
    "audio": "audio_kwh_per_s",
    "embedding": "embedding_kwh_per_token",
    "task": "inference_kwh",
}
"""Kind of media -> the coefficient that one unit of it takes."""


def resolve_use(edition: Edition, policy: str, kind: str, key: Mapping[str, Any], at: date) -> Resolution:
    """Factors of one kind of use on a day.

    Args:
        edition: factors to choose from.
        policy: which of them may answer.
        kind: of `joulebook.account.kinds`, other than text.
        key: ``provider_key``, ``model_key`` and the key columns of the kind.
        at: day of the use.

    Returns:
        values for the coefficients of the kind; those of other kinds are absent.
    """
    if kind in OWN_COLUMNS:
        found = _resolve_media(edition, policy, kind, key, at)
    elif kind == "metered":
        found = _resolve_metered(edition, policy, key, at)
    else:
        found = resolve_machine.resolve_machine(edition, policy, kind, key, at)
    said = {name: value for name, value in key.items() if name.endswith("_key") and name not in _MODEL}
    return replace(found, names={**found.names, "use": json.dumps(said, sort_keys=True)})


_MODEL = ("provider_key", "model_key")


def at_the_meter(place: Resolution) -> Resolution:
    """A place for energy that was metered at the building: its PUE is inside the figure."""
    parts = {name: found for name, found in place.parts.items() if name != "pue_ratio"}
    return replace(
        place, values={**place.values, "pue_ratio": float(1)}, parts=parts, names={**place.names, "meter": "facility"}
    )


def _resolve_media(edition: Edition, policy: str, kind: str, key: Mapping[str, Any], at: date) -> Resolution:
    model = key["model_key"] or None
    unit, hint, known = _unit(edition, policy, kind, key, model, at)
    around = resolve_model_factors(edition, policy, key["provider_key"], "", at)
    column, per = OWN_COLUMNS[kind], _clip_s(key) if kind == "video" else 1
    values: dict[str, float | None] = {column: unit.estimate.kwh.mid / per}
    parts = {column: tuple(_parts(unit, hint))}
    for name in (*BOUNDARY_COLUMNS, "embodied_g_per_kwh"):
        values[name], parts[name] = around.values[name], around.parts[name]
    names = {"model": known, "stands_on": unit.subject, "hint": hint}
    if not unit.is_measured:
        names["tier"] = str(Tier.ASSUMED)
    return Resolution(model or key.get("task_key") or unit.subject, values, parts, names)


def _unit(
    edition: Edition, policy: str, kind: str, key: Mapping[str, Any], model: str | None, at: date
) -> tuple[Unit, str | None, str]:
    """The unit, a hint, and what is known of the model."""
    if kind == "task":
        return _task(edition, policy, key["task_key"], at)
    unit = unit_of(edition, policy, _asked(kind, key, model), at)
    if kind in ("audio", "embedding"):
        return unit, None if model else HINT_ENCODER, model or UNKNOWN
    if measured_model(edition, model):
        return unit, None, unit.subject
    known = {row.subject.partition("/")[-1] for row in edition.factors_for("generation_kwh")}
    near = get_close_matches((model or "").lower(), known, cutoff=0)
    return unit, HINT_MEDIA.format(nearest=", ".join(near)), UNKNOWN


def _task(edition: Edition, policy: str, task: str, at: date) -> tuple[Unit, str | None, str]:
    try:
        subject, hint = find_task(edition, task), None
    except UnknownName as fault:
        subject, hint = UNKNOWN, HINT_TASK.format(nearest=fault.facts["nearest"])
    return task_unit(choose(edition, "inference_kwh", subject, at, policy), 1), hint, subject


def _asked(kind: str, key: Mapping[str, Any], model: str | None) -> Media:
    return Media(
        image_count=1 if kind == "image" else None,
        video_s=_clip_s(key) if kind == "video" else None,
        audio_s=1 if kind == "audio" else None,
        embedding_tokens=1 if kind == "embedding" else None,
        model=model,
        width=key.get("image_width_px_key") or 0,
        height=key.get("image_height_px_key") or 0,
        frames_per_s=key.get("video_frames_per_s_key") or 0,
        steps=key.get("image_steps_key") or None,
    )


def _clip_s(key: Mapping[str, Any]) -> float:
    """Length of one clip: a row is one request, or a bucket of equal ones [s]."""
    return (key["video_s_key"] or 1) / (key["request_count_key"] or 1)


def _parts(unit: Unit, hint: str | None) -> list[Part]:
    found = []
    for name, effect in unit.estimate.drivers.items():
        choice = unit.choices[name]
        found.append(
            part_of(choice.factor, choice.chosen_because, choice.hint or hint, is_unknown=False, effect=effect)
        )
    return found


def _resolve_metered(edition: Edition, policy: str, key: Mapping[str, Any], at: date) -> Resolution:
    """Energy that a meter read: it enters the ladder at its boundary, with the range that the record gives."""
    boundary = key["boundary_key"] or str(Boundary.NODE)
    low, high = (key[f"metered_{end}_ratio_key"] or float(1) for end in ("low", "high"))
    low, high = min(1, low), max(1, high)
    is_gpu = boundary == Boundary.GPU
    values: dict[str, float | None] = {
        "metered_gpu_ratio": float(is_gpu),
        "metered_host_ratio": float(not is_gpu),
        "node_overhead_ratio": float(1),
        "idle_overhead_ratio": float(1),
        "embodied_g_per_kwh": float(0),
        "metered_embodied_g_per_kwh": None,
        "lowest_rung": 0 if is_gpu else min(Boundary(boundary).rung, Boundary.FACILITY.rung),
    }
    part = Part(
        factor_id=hashlib.sha256(f"metered:{boundary}:{low}:{high}".encode()).hexdigest()[: len("factor_id_hex")],
        subject="metered",
        quantity="metered_energy_kwh",
        value=1,
        low=low,
        high=high,
        unit="1",
        basis=f"boundary {boundary}",
        tier=str(Tier.MEASURED),
        source="the record itself",
        cell="metered_low_ratio, metered_high_ratio",
        valid_from=None,
        valid_to=None,
        known_from=None,
        chosen_because=METERED_BECAUSE,
    )
    column = "metered_gpu_ratio" if is_gpu else "metered_host_ratio"
    names = {"tier": str(Tier.MEASURED), "boundary": boundary, "hint": None}
    parts: dict[str, tuple[Part, ...]] = {column: (part,)}
    if is_gpu:  # what stands around the accelerators was not metered
        choice = choose(edition, "node_overhead_ratio", HOST, at, policy)
        values["node_overhead_ratio"] = choice.factor.value
        parts["node_overhead_ratio"] = (part_of(choice.factor, choice.chosen_because, choice.hint),)
        names["tier"] = str(Tier.ESTIMATED)
    return Resolution(f"metered at {boundary}", values, parts, names)
