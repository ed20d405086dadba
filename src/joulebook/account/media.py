"""Images, video, audio, embeddings and small tasks from their counts to their footprints, with ranges."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import cast

from joulebook.account.request import Priced, price_energy
from joulebook.account.resolution import Resolution
from joulebook.account.resolve import resolve_model_factors, resolve_place_factors
from joulebook.errors import UnknownName, translatable
from joulebook.estimate.drivers import combined, ordered
from joulebook.estimate.hardware import HARDWARE, find_accelerator, hardware_facts
from joulebook.estimate.media import (
    ARITHMETIC,
    DIFFUSION,
    ENCODER,
    MEASURED,
    UnitEstimate,
    audio_gpu_energy_kwh,
    embedding_gpu_energy_kwh,
    estimate_audio,
    estimate_embedding,
    estimate_generation,
    image_gpu_energy_kwh,
    inference_gpu_energy_kwh,
    scale_generation,
    video_gpu_energy_kwh,
)
from joulebook.estimate.serving import SUBJECTS
from joulebook.factors.choose import Choice, choose
from joulebook.factors.edition import Edition
from joulebook.terms.range import Range

TASK = "task/"
LAW = "serving/diffusion"
ENCODERS = "serving/encoder"


@dataclass(frozen=True, slots=True)
class Media:
    """What is asked for; exactly one of the first five is not None.

    Attributes:
        image_count: images.
        video_s: seconds of video.
        audio_s: seconds of audio.
        embedding_tokens: tokens to embed or rank.
        task: name of a small task, such as ``image-classification``, done `request_count` times.
        request_count: how often.
        model: name of the model, or None.
        parameters_billion: its size, or None.
        width, height: pixels; 0 is unknown.
        frames_per_s: frames of a second of video; 0 is unknown.
        steps: denoising steps, or None.
        is_unet: True for convolutional diffusion models (2022 to 2023).
        accelerator: name, or None.
    """

    image_count: float | None = None
    video_s: float | None = None
    audio_s: float | None = None
    embedding_tokens: float | None = None
    task: str | None = None
    request_count: float = 1
    model: str | None = None
    parameters_billion: float | None = None
    width: float = 0
    height: float = 0
    frames_per_s: float = 0
    steps: float | None = None
    is_unet: bool = False
    accelerator: str | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """Energy of one image, clip, second, token or task, and what it stands on.

    Attributes:
        subject: the measured model or task behind it, or the law.
        is_measured: True where this very model or task was measured.
        count: how many of them are asked for.
        formula: the formula that multiplies them.
        estimate: low, mid, high and drivers.
        choices: driver -> the factor behind it; a driver that the caller gave has none.
    """

    subject: str
    is_measured: bool
    count: float
    formula: Callable[..., object]
    estimate: UnitEstimate
    choices: Mapping[str, Choice]

    @property
    def kwh(self) -> float:
        """Energy of all of them [kWh]."""
        return cast("float", self.formula(self.count, self.estimate.kwh.mid))


@dataclass(frozen=True, slots=True)
class MediaEstimate:
    """Footprints of media.

    Attributes:
        subject: the measured model or task behind it, or the law.
        is_measured: True where this very model was measured, at another size perhaps.
        priced: the footprints.
        place: where it is taken to run.
    """

    subject: str
    is_measured: bool
    priced: Priced
    place: Resolution


def estimate_media(
    edition: Edition, policy: str, asked: Media, provider: str | None, region: str | None, at: date
) -> MediaEstimate:
    """Estimate images, video, audio, embeddings or a small task.

    Raises:
        UnknownName: there is no such task or accelerator.
    """
    unit = unit_of(edition, policy, asked, at)
    around = resolve_model_factors(edition, policy, provider or "", "", at)
    place = resolve_place_factors(edition, policy, provider or "", region or "", at)
    priced = price_energy(unit.kwh, unit.estimate.drivers, around, place)
    return MediaEstimate(unit.subject, unit.is_measured, priced, place)


def unit_of(edition: Edition, policy: str, asked: Media, at: date) -> Unit:
    """Energy of one unit of what is asked for, with the factors behind it.

    Raises:
        UnknownName: there is no such task or accelerator.
    """
    if asked.task is not None:
        subject = find_task(edition, asked.task)
        choice = choose(edition, "inference_kwh", subject, at, policy)
        return task_unit(choice, asked.request_count)
    ranges, choices = _facts(edition, policy, asked, at)
    if asked.embedding_tokens is not None:
        estimate = estimate_embedding(ranges)
        return _encoded(asked.embedding_tokens, embedding_gpu_energy_kwh, estimate, choices)
    if asked.audio_s is not None:
        return _encoded(asked.audio_s, audio_gpu_energy_kwh, estimate_audio(ranges), choices)
    return _generated(edition, policy, asked, at, ranges, choices)


def _encoded(
    count: float, formula: Callable[..., object], estimate: UnitEstimate, choices: Mapping[str, Choice]
) -> Unit:
    return Unit(ENCODERS, is_measured=False, count=count, formula=formula, estimate=estimate, choices=choices)


def task_unit(choice: Choice, count: float) -> Unit:
    """One inference of a small task, by its factor."""
    kwh = choice.factor.range
    estimate = UnitEstimate(kwh, {"inference_kwh": (kwh.low / kwh.mid, kwh.high / kwh.mid)})
    subject, is_measured = choice.factor.subject, not choice.is_unknown
    return Unit(subject, is_measured, count, inference_gpu_energy_kwh, estimate, {"inference_kwh": choice})


def _generated(
    edition: Edition,
    policy: str,
    asked: Media,
    at: date,
    ranges: Mapping[str, Range],
    choices: Mapping[str, Choice],
) -> Unit:
    """Images, or a clip of video."""
    subject = measured_model(edition, asked.model)
    steps = None if asked.steps is None else Range.exact(asked.steps)
    measured = {} if subject is None else {name: choose(edition, name, subject, at, policy) for name in MEASURED}
    known = {name: choice.factor.range for name, choice in measured.items()}

    def estimate(pixels: float, frames_per_s: float) -> UnitEstimate:
        frames = 1.0 if asked.video_s is None else max(1.0, frames_per_s * asked.video_s)
        if subject is None:
            return estimate_generation(ranges, pixels, frames, steps, is_unet=asked.is_unet)
        return scale_generation(known, ranges, pixels, frames, steps)

    unit, more = _of_unknown_size(edition, policy, asked, at, estimate)
    behind = {**choices, **measured, **more}
    if subject is not None and steps is None:
        behind["steps"] = measured["generation_steps"]
    is_video = asked.video_s is not None
    count, formula = (1.0, video_gpu_energy_kwh) if is_video else (asked.image_count or 1, image_gpu_energy_kwh)
    return Unit(subject or LAW, subject is not None, count, formula, unit, behind)


def _of_unknown_size(
    edition: Edition, policy: str, asked: Media, at: date, estimate: Callable[[float, float], UnitEstimate]
) -> tuple[UnitEstimate, dict[str, Choice]]:
    """An estimate, wider where nobody said how many pixels or frames a second there are."""
    sizes = {"picture_pixels": asked.width * asked.height, "video_frames_per_s": asked.frames_per_s}
    if asked.video_s is None:
        sizes["video_frames_per_s"] = 1.0
    missing = {name: choose(edition, name, LAW, at, policy) for name, value in sizes.items() if not value}
    mids = sizes | {name: choice.factor.value for name, choice in missing.items()}
    found = estimate(*mids.values())
    if not missing:
        return found, {}
    drivers = dict(found.drivers)
    for name, choice in missing.items():
        ends = (estimate(*(mids | {name: end}).values()) for end in (choice.factor.low, choice.factor.high))
        low, high = (end.kwh.mid / found.kwh.mid for end in ends)
        drivers[name] = (min(1, low), max(1, high))
    return UnitEstimate(combined(drivers).scaled(found.kwh.mid), ordered(drivers)), missing


def _facts(edition: Edition, policy: str, asked: Media, at: date) -> tuple[dict[str, Range], dict[str, Choice]]:
    subjects = {name: SUBJECTS[name] for name in ARITHMETIC}
    subjects |= dict.fromkeys(DIFFUSION, LAW) | dict.fromkeys(ENCODER, ENCODERS)
    choices = {name: choose(edition, name, subject, at, policy) for name, subject in subjects.items()}
    given: dict[str, Range] = {}
    if asked.accelerator is not None:
        found = hardware_facts(edition, policy, find_accelerator(edition, asked.accelerator), at)
        given |= {name: Range.exact(found[name]) for name in HARDWARE if name in choices}
        given["accelerator_ratio"] = Range.exact(1)
    if asked.parameters_billion is not None:
        names = (name for name in choices if name.endswith("_parameters_billion"))
        given |= {name: Range.exact(asked.parameters_billion) for name in names}
    return {name: choice.factor.range for name, choice in choices.items()} | given, choices


def measured_model(edition: Edition, model: str | None) -> str | None:
    """The measured model of that name, whoever its developer; None where none was measured."""
    wanted = (model or "").lower()
    known = {row.subject for row in edition.factors_for("generation_kwh")}
    return next((one for one in sorted(known) if wanted and wanted in (one, one.partition("/")[-1])), None)


def find_task(edition: Edition, task: str) -> str:
    """Subject of a small task.

    Raises:
        UnknownName: there is no such task.
    """
    known = sorted(row.subject for row in edition.factors_for("inference_kwh") if row.subject.startswith(TASK))
    if TASK + task in known:
        return TASK + task
    names = [name.removeprefix(TASK) for name in known]
    raise UnknownName(kind=translatable("task"), name=task, nearest=", ".join(get_close_matches(task, names) or names))
