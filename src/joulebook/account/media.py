"""Images, video, audio, embeddings and small tasks from their counts to their footprints, with ranges."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import cast

from joulebook.account.request import Priced, price_energy
from joulebook.account.resolution import Resolution
from joulebook.account.resolve import resolve_model_factors, resolve_place_factors
from joulebook.errors import UnknownName, translatable
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
from joulebook.factors.choose import choose
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
        width, height: pixels.
        frames_per_s: frames of a second of video.
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
    subject, is_measured, kwh, unit = _unit(edition, policy, asked, at)
    around = resolve_model_factors(edition, policy, provider or "", "", at)
    place = resolve_place_factors(edition, policy, provider or "", region or "", at)
    return MediaEstimate(subject, is_measured, price_energy(kwh, unit.drivers, around, place), place)


def _unit(edition: Edition, policy: str, asked: Media, at: date) -> tuple[str, bool, float, UnitEstimate]:
    """What it stands on, whether it was measured, the energy [kWh] and its drivers."""
    if asked.task is not None:
        subject = _task(edition, asked.task)
        kwh = choose(edition, "inference_kwh", subject, at, policy).factor.range
        drivers = {"inference_kwh": (kwh.low / kwh.mid, kwh.high / kwh.mid)}
        unit = UnitEstimate(kwh, drivers)
        return subject, True, _times(inference_gpu_energy_kwh, asked.request_count, unit), unit
    facts = _ranges(edition, policy, asked, at)
    if asked.embedding_tokens is not None:
        unit = estimate_embedding(facts)
        return ENCODERS, False, _times(embedding_gpu_energy_kwh, asked.embedding_tokens, unit), unit
    if asked.audio_s is not None:
        unit = estimate_audio(facts)
        return ENCODERS, False, _times(audio_gpu_energy_kwh, asked.audio_s, unit), unit
    is_video = asked.video_s is not None
    frames = max(1.0, asked.frames_per_s * asked.video_s) if asked.video_s is not None else 1.0
    steps = None if asked.steps is None else Range.exact(asked.steps)
    subject, pixels = _measured_model(edition, asked.model), asked.width * asked.height
    if subject is None:
        unit = estimate_generation(facts, pixels, frames, steps, is_unet=asked.is_unet)
    else:
        measured = {name: choose(edition, name, subject, at, policy).factor.range for name in MEASURED}
        unit = scale_generation(measured, facts, pixels, frames, steps)
    if is_video and asked.video_s:
        return subject or LAW, subject is not None, _times(video_gpu_energy_kwh, 1, unit), unit
    return subject or LAW, subject is not None, _times(image_gpu_energy_kwh, asked.image_count or 1, unit), unit


def _times(formula: Callable[..., object], count: float, unit: UnitEstimate) -> float:
    return cast("float", formula(count, unit.kwh.mid))


def _ranges(edition: Edition, policy: str, asked: Media, at: date) -> dict[str, Range]:
    subjects = {name: SUBJECTS[name] for name in ARITHMETIC}
    subjects |= dict.fromkeys(DIFFUSION, LAW) | dict.fromkeys(ENCODER, ENCODERS)
    ranges = {name: choose(edition, name, subject, at, policy).factor.range for name, subject in subjects.items()}
    if asked.accelerator is not None:
        found = hardware_facts(edition, policy, find_accelerator(edition, asked.accelerator), at)
        ranges |= {name: Range.exact(found[name]) for name in HARDWARE if name in ranges}
        ranges["accelerator_ratio"] = Range.exact(1)
    if asked.parameters_billion is not None:
        names = (name for name in ranges if name.endswith("_parameters_billion"))
        ranges |= {name: Range.exact(asked.parameters_billion) for name in list(names)}
    return ranges


def _measured_model(edition: Edition, model: str | None) -> str | None:
    """The measured model of that name, whoever its developer; None where none was measured."""
    wanted = (model or "").lower()
    known = {row.subject for row in edition.factors_for("generation_kwh")}
    return next((one for one in sorted(known) if wanted and wanted in (one, one.partition("/")[-1])), None)


def _task(edition: Edition, task: str) -> str:
    known = sorted(row.subject for row in edition.factors_for("inference_kwh"))
    if TASK + task in known:
        return TASK + task
    names = [name.removeprefix(TASK) for name in known]
    raise UnknownName(kind=translatable("task"), name=task, nearest=", ".join(get_close_matches(task, names) or names))
