"""Images, video, audio, embeddings and small tasks: energy of one unit, always a range.

Images and video come from diffusion: operations per step grow with the parameters and with the tokens of the picture,
as fitted to the ML.ENERGY benchmark (`serving/diffusion`); a model that was measured there is scaled from its own
measurement. Embeddings, ranking and speech are one pass of an encoder: two operations per parameter and token at the
fitted efficiency of arithmetic. Small tasks are per inference, from the runs behind Luccioni et al. 2024
(arXiv:2311.16863), the seven idle boards that their meter counted taken out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from joulebook.estimate.drivers import combined, drivers_of
from joulebook.terms.arithmetic import N
from joulebook.terms.range import Range
from joulebook.terms.units import convert

DIFFUSION = (
    "diffusion_law_scale",
    "diffusion_parameter_exponent",
    "diffusion_token_exponent",
    "unet_ratio",
    "diffusion_estimate_ratio",
    "pixels_per_token",
    "frames_per_token",
    "image_steps",
    "diffusion_parameters_billion",
)
"""Factors of the subject ``serving/diffusion``."""

MEASURED = ("generation_kwh", "generation_pixels", "generation_frames", "generation_steps")
"""Factors of a model that was measured."""

ENCODER = (
    "embedding_parameters_billion",
    "audio_parameters_billion",
    "audio_tokens_per_s",
    "encoder_estimate_ratio",
    "audio_estimate_ratio",
)
"""Factors of the subject ``serving/encoder``."""

ARITHMETIC = (
    "accelerator_power_w",
    "accelerator_flop_per_s",
    "accelerator_ratio",
    "compute_speed_ratio",
    "compute_ratio",
    "flop_per_parameter",
)
"""Factors of accelerators and of arithmetic that all of these share with text."""


@dataclass(frozen=True, slots=True)
class UnitEstimate:
    """Accelerator energy of one image, video, second, token or inference.

    Attributes:
        kwh: low, mid, high [kWh].
        drivers: input -> (low, high) multiples, the largest first.
    """

    kwh: Range
    drivers: Mapping[str, tuple[float, float]]


def image_gpu_energy_kwh(image_count: N, image_kwh: N) -> N:
    """Accelerator energy of images [kWh]."""
    return image_count * image_kwh


def video_gpu_energy_kwh(video_s: N, video_kwh_per_s: N) -> N:
    """Accelerator energy of generated video [kWh]."""
    return video_s * video_kwh_per_s


def audio_gpu_energy_kwh(audio_s: N, audio_kwh_per_s: N) -> N:
    """Accelerator energy of audio taken in or produced [kWh]."""
    return audio_s * audio_kwh_per_s


def embedding_gpu_energy_kwh(embedding_tokens: N, embedding_kwh_per_token: N) -> N:
    """Accelerator energy of embeddings or ranking [kWh]."""
    return embedding_tokens * embedding_kwh_per_token


def inference_gpu_energy_kwh(request_count: N, inference_kwh: N) -> N:
    """Accelerator energy of inferences of a small task [kWh]."""
    return request_count * inference_kwh


def estimate_generation(
    facts: Mapping[str, Range], pixels: float, frames: float, steps: Range | None, *, is_unet: bool = False
) -> UnitEstimate:
    """One image or video of a model that was not measured.

    Args:
        facts: a range for every name in `DIFFUSION` and `ARITHMETIC`; a model of known size replaces
            ``diffusion_parameters_billion``.
        pixels: pixels of one frame.
        frames: frames; 1 is an image.
        steps: denoising steps; None where nobody said.
        is_unet: True for convolutional models (2022 to 2023), whose pictures shrink inside the network.
    """
    inputs = dict(facts)
    if steps is not None:
        inputs["image_steps"] = steps

    def energy(values: Mapping[str, float]) -> float:
        depth = frames if is_unet else 1 + (frames - 1) / values["frames_per_token"]
        tokens = pixels / values["pixels_per_token"] * depth
        operations = (
            values["diffusion_law_scale"]
            * values["diffusion_parameters_billion"] ** values["diffusion_parameter_exponent"]
            * tokens ** values["diffusion_token_exponent"]
            * values["image_steps"]
        )
        rate = values["accelerator_flop_per_s"] / (values["accelerator_power_w"] * values["accelerator_ratio"])
        network = values["unet_ratio"] if is_unet else 1
        return convert(operations * network * values["diffusion_estimate_ratio"] / rate, "J", "kWh")

    return _estimate(energy, inputs)


def scale_generation(
    measured: Mapping[str, Range], law: Mapping[str, Range], pixels: float, frames: float, steps: Range | None
) -> UnitEstimate:
    """One image or video of a model that was measured, scaled to another size.

    Args:
        measured: a range for every name in `MEASURED`.
        law: a range for every name in `DIFFUSION`.
        pixels: pixels of one frame.
        frames: frames; 1 is an image.
        steps: denoising steps; None takes those of the measurement.
    """
    inputs = {**measured, "steps": steps or measured["generation_steps"]}
    power, share = law["diffusion_token_exponent"].mid, law["frames_per_token"].mid

    def energy(values: Mapping[str, float]) -> float:
        depths = [1 + (count - 1) / share for count in (frames, values["generation_frames"])]
        larger = pixels * depths[0] / (values["generation_pixels"] * depths[1])
        return values["generation_kwh"] * larger**power * values["steps"] / values["generation_steps"]

    return _estimate(energy, inputs)


def estimate_embedding(facts: Mapping[str, Range]) -> UnitEstimate:
    """One token of an embedding or ranking model [kWh]; `ENCODER` and `ARITHMETIC`."""

    def energy(values: Mapping[str, float]) -> float:
        return _pass_kwh(values, values["embedding_parameters_billion"]) * values["encoder_estimate_ratio"]

    return _estimate(energy, facts)


def estimate_audio(facts: Mapping[str, Range]) -> UnitEstimate:
    """One second of audio of a speech model [kWh]; `ENCODER` and `ARITHMETIC`."""

    def energy(values: Mapping[str, float]) -> float:
        token = _pass_kwh(values, values["audio_parameters_billion"])
        return token * values["audio_tokens_per_s"] * values["audio_estimate_ratio"]

    return _estimate(energy, facts)


def _pass_kwh(values: Mapping[str, float], billion: float) -> float:
    """One token through an encoder, by arithmetic alone."""
    per_flop = values["accelerator_power_w"] * values["accelerator_ratio"] * values["compute_ratio"]
    per_flop /= values["accelerator_flop_per_s"] * values["compute_speed_ratio"]
    operations = values["flop_per_parameter"] * convert(billion, "1e9", "1")
    return convert(per_flop * operations, "J", "kWh")


def _estimate(energy: Callable[[Mapping[str, float]], float], inputs: Mapping[str, Range]) -> UnitEstimate:
    drivers = drivers_of(energy, inputs)
    middle = energy({name: value.mid for name, value in inputs.items()})
    return UnitEstimate(combined(drivers).scaled(middle), drivers)
