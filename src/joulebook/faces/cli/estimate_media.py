"""`joulebook estimate` for images, video, audio, embeddings and small tasks."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from joulebook.errors import BadValue
from joulebook.faces.cli import show
from joulebook.faces.cli.factors import day_of, edition_of
from joulebook.faces.text import _

if TYPE_CHECKING:
    from joulebook.account.media import Media, MediaEstimate

KINDS = ("image", "video_seconds", "audio_seconds", "embed_tokens", "task")
"""Options of which at most one may be given."""

OPTIONS = (
    click.option("--image", type=click.IntRange(1), help=_("Images to make.")),
    click.option("--video-seconds", type=click.FloatRange(0, min_open=True), help=_("Seconds of video to make.")),
    click.option("--audio-seconds", type=click.FloatRange(0, min_open=True), help=_("Seconds of audio, in or out.")),
    click.option("--embed-tokens", type=click.IntRange(1), help=_("Tokens to embed or to rank.")),
    click.option("--task", help=_("Small task: image-classification, text-classification, ...; see --requests.")),
    click.option("--size", metavar="WxH", help=_("Pixels of an image or frame.")),
    click.option("--steps", type=click.IntRange(1), help=_("Denoising steps.")),
    click.option("--fps", type=click.FloatRange(0, min_open=True), help=_("Frames per second of video.")),
    click.option("--unet", is_flag=True, help=_("The model is a U-Net, as before 2024.")),
    click.option("--parameters", type=click.FloatRange(0, min_open=True), help=_("Size of the model, in billions.")),
)


def media_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for media to a command."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def is_media(options: Mapping[str, Any]) -> bool:
    """Whether something else than text is asked for."""
    return any(options[name] is not None for name in KINDS)


def run(ctx: click.Context, options: Mapping[str, Any]) -> int:
    """Estimate and print."""
    from joulebook.account.media import estimate_media  # noqa: PLC0415

    given = [name for name in KINDS if options[name] is not None]
    if len(given) > 1:
        raise click.UsageError(_("Give one of: {names}.").format(names=", ".join(_flag(name) for name in KINDS)), ctx)
    at = day_of(options["moment"] or datetime.now(UTC))
    asked = _asked(options)
    found = estimate_media(
        edition_of(ctx), ctx.obj["policy"], asked, options["provider"], options["region"], at
    )  # fmt: skip
    if options["is_json"]:
        show.emit("estimate", **_json(found))
    else:
        _print(found, asked, given[0])
    return 4 if options["strict"] and found.place.is_unknown else 0


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _asked(options: Mapping[str, Any]) -> "Media":
    from joulebook.account.media import Media  # noqa: PLC0415

    width, _times, height = (options["size"] or "0x0").lower().partition("x")
    is_size = width.isdigit() and height.isdigit() and int(width) and int(height)
    if options["size"] is not None and not is_size:
        raise BadValue(value=options["size"], expected="WxH", next_step=_("give pixels, such as 1024x1024."))
    return Media(
        image_count=options["image"],
        video_s=options["video_seconds"],
        audio_s=options["audio_seconds"],
        embedding_tokens=options["embed_tokens"],
        task=options["task"],
        request_count=options["requests"],
        model=options["model"],
        parameters_billion=options["parameters"],
        width=float(width),
        height=float(height),
        frames_per_s=options["fps"] or 0,
        steps=options["steps"],
        is_unet=options["unet"],
        accelerator=options["gpu"],
    )


def _print(found: "MediaEstimate", asked: "Media", kind: str) -> None:
    from joulebook.faces.cli.estimate import print_drivers, print_figures  # noqa: PLC0415

    show.heading(_("Estimate: {what}").format(what=_what(asked, kind)))
    print_figures(found.priced)
    standing = _("measured: {subject}") if found.is_measured else _("not measured, by a law of size: {subject}")
    click.echo(_("low to high is an 80 % range") + " · " + standing.format(subject=found.subject))
    print_drivers(found.priced)
    if not found.is_measured and asked.model and asked.parameters_billion is None:
        show.note(_("This model was not measured and its size is not given. Next: --parameters BILLION."))
    if found.place.is_unknown:
        show.note(_("Place unknown: the range covers the world's grids. Next: --region."))


def _what(asked: "Media", kind: str) -> str:
    size = f"{asked.width:g}x{asked.height:g}" if asked.width else _("size not given")
    fps = (
        _("{fps} frames per second").format(fps=f"{asked.frames_per_s:g}")
        if asked.frames_per_s
        else _("frames per second not given")
    )
    return {
        "image": ", ".join((_("{count} images").format(count=asked.image_count), size)),
        "video_seconds": ", ".join((_("{seconds} s of video").format(seconds=f"{asked.video_s or 0:g}"), size, fps)),
        "audio_seconds": _("{seconds} s of audio").format(seconds=f"{asked.audio_s or 0:g}"),
        "embed_tokens": _("{count} tokens to embed or rank").format(count=asked.embedding_tokens),
        "task": f"{asked.task} × {asked.request_count:,}",
    }[kind]


def _json(found: "MediaEstimate") -> dict[str, Any]:
    from joulebook.faces.cli.estimate import figures_json  # noqa: PLC0415

    return {
        "stands_on": found.subject,
        "is_measured": found.is_measured,
        "figures": figures_json(found.priced),
        "place": dict(found.place.names),
        "drivers": {name: dict(ratios) for name, ratios in found.priced.variance_ratio.items()},
    }
