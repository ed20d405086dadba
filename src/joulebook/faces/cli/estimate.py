"""`joulebook estimate`: what one request takes, before anyone measures it."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from joulebook.errors import UsageError, translatable
from joulebook.faces.cli import show
from joulebook.faces.cli.estimate_media import is_media, media_options, run
from joulebook.faces.cli.factors import day_of, edition_of
from joulebook.faces.cli.figure_names import BOUNDARY_OF, SHORT_NAMES
from joulebook.faces.text import _, language
from joulebook.terms.columns import column, columns
from joulebook.terms.display import range_in, range_text, unit_for

if TYPE_CHECKING:
    from joulebook.account.request import Priced, RequestEstimate
    from joulebook.estimate.deployment import Deployment

DRIVERS_SHOWN = 4
ALTERNATIVES = 3
DRIVEN = "facility_energy_kwh"
OPERATOR = "serving/regime-operator"
PRECISIONS = ("bf16", "fp16", "fp8", "int8", "fp4", "nvfp4", "int4")

ASSUMED_NAMES = {
    "accelerator": translatable("accelerator (--gpu)"),
    "accelerator_count": translatable("number of accelerators (--gpus)"),
    "precision": translatable("precision (--precision)"),
    "batch_requests": translatable("requests at once (--batch or --tokens-per-second)"),
}


@click.command("estimate", help=_("Estimate one request: Wh, gCO2e, mL, each with its range."))
@click.option("--model", help=_("Name of the model."))
@click.option("--provider", help=_("Who hosts it: openai, azure, aws, own, ..."))
@click.option("--region", help=_("Cloud region, or a country such as KOR."))
@click.option("--input", "fresh", type=click.IntRange(0), default=0, help=_("Input tokens computed afresh."))
@click.option("--cached", type=click.IntRange(0), default=0, help=_("Input tokens read from a cache."))
@click.option("--output", type=click.IntRange(0), default=0, help=_("Output tokens that the user sees."))
@click.option("--reasoning", type=click.IntRange(0), default=0, help=_("Output tokens of hidden reasoning."))
@click.option("--requests", type=click.IntRange(1), default=1, help=_("Equal requests."))
@click.option("--tokens-per-second", "speed", type=click.FloatRange(0, min_open=True), help=_("Speed of one request."))
@click.option(
    "--time-to-first-token",
    "first_token",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help=_("Seconds until the first token of one request."),
)
@click.option("--gpu", help=_("Accelerator: h100, a100-sxm-80gb, b200, l40s, ..."))
@click.option("--gpus", type=click.FloatRange(1), help=_("Accelerators that share one copy of the weights."))
@click.option("--batch", type=click.FloatRange(1), help=_("Requests decoded together."))
@click.option("--precision", type=click.Choice(PRECISIONS), help=_("Precision of the weights."))
@click.option("--date", "moment", type=click.DateTime(("%Y-%m-%d",)), help=_("Day of the use; default today."))
@click.option(
    "--compare-models",
    is_flag=False,
    flag_value="*",
    metavar="NAME,...",
    help=_("The same request on other models; without names, on a set of all sizes."),
)
@media_options
@click.option("--strict", is_flag=True, help=_("Exit with 4 where something is unknown."))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def command(ctx: click.Context, **options: Any) -> int:  # noqa: ANN401  (Click's options)
    """Estimate one request and print it."""
    if is_media(options):
        return run(ctx, options)
    if not options["fresh"] + options["cached"] + options["output"] + options["reasoning"]:
        raise UsageError(what=_("There is nothing to estimate."), next_step=_("give --input and --output tokens."))
    if not options["model"] and not options["compare_models"]:
        show.note(_("No model named: the range covers the whole registry. Next: name it with --model."))
    names = _compared(ctx, options)
    wanted = _estimate(ctx, options, options["model"])
    others = [(name, _estimate(ctx, options, name)) for name in names]
    if options["is_json"]:
        compared = [{"asked": name, **_short_json(other)} for name, other in others]
        show.emit("estimate", **_json(wanted, options), compared=compared)
    else:
        _print(wanted, options)
        _print_others(wanted, others)
    is_unknown = wanted.facts.is_unknown or wanted.place.is_unknown
    return 4 if options["strict"] and is_unknown else 0


def _compared(ctx: click.Context, options: Mapping[str, Any]) -> list[str]:
    """Names of the models to compare with: the asked ones, or some of all sizes."""
    asked = options["compare_models"]
    if asked and asked != "*":
        return [name.strip() for name in asked.split(",") if name.strip()]
    shown = edition_of(ctx).links_for("serving/hosted", "compared")
    names = [link.object for link in shown if link.object.partition("/")[-1] != (options["model"] or "").lower()]
    return names if asked else names[:ALTERNATIVES]


def _estimate(ctx: click.Context, options: Mapping[str, Any], model: str | None) -> "RequestEstimate":
    from joulebook.account.request import estimate_request  # noqa: PLC0415

    is_asked = model == options["model"]
    usage = {
        "provider": options["provider"] if is_asked else None,
        "model": model,
        "region": options["region"],
        "request_count": options["requests"],
        "uncached_input_tokens": options["fresh"],
        "cache_read_tokens": options["cached"],
        "visible_output_tokens": options["output"],
        "reasoning_output_tokens": options["reasoning"],
    }
    deployment = _deployment(options, is_asked=is_asked)
    at = day_of(options["moment"] or datetime.now(UTC))
    return estimate_request(edition_of(ctx), ctx.obj["policy"], usage, deployment, at)


def _deployment(options: Mapping[str, Any], *, is_asked: bool) -> "Deployment":
    """What is given of the deployment; speed, count and precision are the asked model's alone.

    The batch goes with the accelerator: others are compared on the same board as full.
    """
    from joulebook.estimate.deployment import Deployment  # noqa: PLC0415

    if not is_asked:
        return Deployment(accelerator=options["gpu"], batch_requests=options["batch"] if options["gpu"] else None)
    given = (options[name] for name in ("gpu", "gpus", "batch", "precision", "speed", "first_token"))
    return Deployment(*given)


def _print(found: "RequestEstimate", options: Mapping[str, Any]) -> None:
    asked = options["model"] or _("unknown model")
    show.heading(_("Estimate: {model}, requests: {count}").format(count=f"{options['requests']:,}", model=asked))
    print_figures(found.priced)
    facts = _("tier {tier} · low to high is an 80 % range · model: {model} ({reason})")
    reason = _(found.facts.chosen_because)
    click.echo(show.wrapped(facts.format(tier=_(found.tier), model=found.facts.model, reason=reason), ""))
    if found.served.accelerator is not None:
        click.echo(_("Accelerator: {subject}").format(subject=found.served.accelerator))
    _print_regime(found)
    if found.served.is_calibrated:
        click.echo(_("Calibrated: a measured point of this model stands behind it."))
    print_drivers(found.priced)
    assumed = [_(ASSUMED_NAMES[name]) for name in found.served.assumed]
    if assumed:
        click.echo(show.wrapped(_("Nobody said, so the range covers: {names}.").format(names="; ".join(assumed)), ""))
    for hint in _hints(found, options["batch"]):
        show.note(hint)


def _print_regime(found: "RequestEstimate") -> None:
    """How the service is taken to be run, where nobody described it."""
    regime = found.served.regime
    if regime is None or not regime.shares.get(OPERATOR):
        return
    if len(regime.shares) == 1:
        text = _("Taken as a large operator's service, weighed against the energy that operators publish.")
    else:
        text = _("Host unknown: the range spans one's own servers and a large operator. Next: --provider.")
    click.echo(show.wrapped(text, ""))


def print_figures(priced: "Priced") -> None:
    """Every figure with its range, unit and boundary."""
    rows = []
    for name, title in SHORT_NAMES.items():
        if name in priced.ranges:
            unit = column(name).unit or ""
            value = priced.ranges[name]
            shown = unit_for(value.mid, unit)
            rows.append([_(title), *range_in(value, unit, shown), shown, BOUNDARY_OF[name]])
    show.table(["", _("low"), _("mid"), _("high"), _("unit"), _("boundary")], rows, right=(1, 2, 3))


def print_drivers(priced: "Priced") -> None:
    """What makes the energy uncertain, the largest first."""
    parts = list(priced.variance_ratio.get(DRIVEN, {}).items())[:DRIVERS_SHOWN]
    if not parts:
        return
    click.echo("\n" + _("What makes the energy uncertain:"))
    for name, ratio in parts:
        click.echo(show.wrapped(f"{ratio:.0%} · {_meaning(name)}", "  "))


def _print_others(wanted: "RequestEstimate", others: Sequence[tuple[str, "RequestEstimate"]]) -> None:
    if not others:
        return
    show.heading(_("The same request on other models"))
    lines = [(_("this one"), wanted), *others]
    middles = [found.priced.ranges[DRIVEN].mid for _name, found in lines]
    unit = unit_for(max(middles), "kWh")
    rows = []
    for name, found in sorted(lines, key=lambda line: line[1].priced.ranges[DRIVEN].mid):
        low, mid, high = range_in(found.priced.ranges[DRIVEN], "kWh", unit)
        carbon = found.priced.ranges.get("co2e_operational_location_g")
        shown = range_text(carbon, "g") if carbon else _("unknown")
        known = "" if not found.facts.is_unknown else _("unknown model")
        rows.append([name, mid, f"{low}–{high}", shown, known])
    show.table([_("model"), unit, _("range"), "CO2e", ""], rows, right=(1,))
    click.echo(show.wrapped(_("Ranges overlap where what is unknown is larger than the difference."), ""))


def _meaning(name: str) -> str:
    """What a driver is, in words of the column dictionary."""
    known = columns()
    subject = name.partition("@")[-1]
    if subject:
        return _("Published: {name}.").format(name=_named(subject))
    if name in known:
        return known[name].meaning[language()]
    return _("How the service runs: accelerator, precision, number of accelerators, requests at once.")


def _named(subject: str) -> str:
    """A subject of the library in the reader's language."""
    return edition_of(click.get_current_context()).names.get(subject, {}).get(language(), subject)


def _memory_hints(found: "RequestEstimate", batch: float | None) -> list[str]:
    """What does not fit into the memory of the accelerators that were given."""
    fits = found.served.batch_that_fits
    if fits is None or fits >= (batch or 1):
        return []
    if fits < 1:
        return [
            _("The weights and one request do not fit into the memory. Next: raise --gpus, or a lower --precision.")
        ]
    text = _("Only {fits} requests of this length fit into the memory; fewer take more each. Next: --batch {fits}.")
    return [text.format(fits=f"{math.floor(fits):,}")]


def _hints(found: "RequestEstimate", batch: float | None) -> list[str]:
    hints = []
    if found.facts.hint_template:
        hints.append(_(found.facts.hint_template).format(nearest=found.facts.nearest))
    hints += _memory_hints(found, batch)
    if found.place.is_unknown:
        hints.append(_("Place unknown: the range covers the world's grids. Next: --region."))
    return hints


def _short_json(found: "RequestEstimate") -> dict[str, Any]:
    return {
        "model": found.facts.model,
        "chosen_because": found.facts.chosen_because,
        "is_unknown": found.facts.is_unknown,
        "figures": figures_json(found.priced),
    }


def figures_json(priced: "Priced") -> dict[str, Any]:
    """Per figure low, mid, high, unit and boundary."""
    return {
        name: {
            "low": value.low,
            "mid": value.mid,
            "high": value.high,
            "unit": column(name).unit,
            "boundary": BOUNDARY_OF.get(name, "node"),
        }
        for name, value in priced.ranges.items()
    }


def _json(found: "RequestEstimate", options: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **_short_json(found),
        "request_count": options["requests"],
        "tier": found.tier,
        "regime": dict(found.served.regime.shares) if found.served.regime else {},
        "is_calibrated": found.served.is_calibrated,
        "accelerator": found.served.accelerator,
        "assumed": list(found.served.assumed),
        "place": dict(found.place.names),
        "drivers": {name: dict(ratios) for name, ratios in found.priced.variance_ratio.items()},
        "hints": _hints(found, options["batch"]),
    }
