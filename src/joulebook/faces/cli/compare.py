"""`joulebook compare A B`: two runs, models, plans or claims on the same rung."""

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from joulebook.errors import InputUnreadable, UnknownName, UsageError, translatable
from joulebook.faces.cli import show
from joulebook.faces.cli.factors import day_of, edition_of
from joulebook.faces.cli.train_estimate import NAMES
from joulebook.faces.text import _
from joulebook.reduce.compare import RUNGS
from joulebook.terms.boundary import Boundary
from joulebook.terms.columns import column
from joulebook.terms.display import in_digits, range_text

if TYPE_CHECKING:
    from datetime import date, datetime

    from joulebook.factors.edition import Edition
    from joulebook.reduce.compare import Comparison, Side

SIDES = translatable(
    "A and B are each run:NAME (a measured run), model:NAME or model:PROVIDER/NAME (one request), plan:FILE.toml (a "
    "training plan, keys as the options of train-estimate) or claim:ID."
)


@click.command("compare", help=_("Two runs, models, plans or claims on the same rung.") + "\n\n" + _(SIDES))
@click.argument("a")
@click.argument("b")
@click.option("--what", "kind", type=click.Choice(list(RUNGS)), default="energy", help=_("What to compare."))
@click.option("--boundary", type=click.Choice([str(each) for each in Boundary]), help=_("The rung to compare on."))
@click.option("--input", "fresh", type=float, default=0.0, help=_("Input tokens of a request."))
@click.option("--output", type=float, default=0.0, help=_("Output tokens of a request."))
@click.option("--region", help=_("Cloud region, or a country such as KOR."))
@click.option("--on", "at", type=click.DateTime(["%Y-%m-%d"]), help=_("Day of the use; today where not given."))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def command(
    ctx: click.Context,
    a: str,
    b: str,
    *,
    kind: str,
    boundary: str | None,
    at: "datetime | None",
    is_json: bool,
    **request: Any,  # noqa: ANN401  (what a request is made of)
) -> None:
    """Compare two sides."""
    from joulebook.reduce.compare import compare  # noqa: PLC0415

    edition, day = edition_of(ctx), day_of(at)
    sides = [_side(ctx, edition, text, day, request) for text in (a, b)]
    found = compare(sides[0], sides[1], kind, Boundary(boundary) if boundary else None)
    if is_json:
        show.emit("compare", a=a, b=b, **_json(found))
    else:
        _print(a, b, found)


def _side(ctx: click.Context, edition: "Edition", text: str, at: "date", request: dict[str, Any]) -> "Side":
    kind, colon, name = text.partition(":")
    if not colon or not name:
        raise UsageError(what=_("What is {text}?").format(text=repr(text)), next_step=_(SIDES))
    if kind == "plan":
        return _plan(ctx, edition, text, Path(name), at)
    if kind == "model":
        return _model(ctx, edition, text, name, at, request)
    if kind == "run":
        return _run(ctx, edition, text, name)
    if kind == "claim":
        return _claim(edition, text, name)
    raise UnknownName(kind=_("kind of side"), name=kind, nearest="run, model, plan, claim")


PLAN_KEYS = {
    "device": "device",
    "count": "device_count",
    "hours": "run_h",
    "parameters": "parameters",
    "tokens": "tokens",
    "provider": "provider",
    "region": "region",
    "power": "power_w",
    "utilisation": "utilisation",
    "mfu": "flop_utilisation",
    "pue": "pue",
}


def _plan(ctx: click.Context, edition: "Edition", text: str, path: Path, at: "date") -> "Side":
    from joulebook.account.train_estimate import estimate_training  # noqa: PLC0415
    from joulebook.account.train_inputs import TrainingPlan  # noqa: PLC0415
    from joulebook.reduce.compare import plan_side  # noqa: PLC0415

    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputUnreadable(file=str(path), what=str(error), next_step=_("write a TOML file, one plan.")) from None
    for key in written:
        if key not in PLAN_KEYS:
            raise UnknownName(kind=_("key of a plan"), name=key, nearest=", ".join(PLAN_KEYS))
    given: dict[str, Any] = {PLAN_KEYS[key]: value for key, value in written.items()}
    return plan_side(text, estimate_training(edition, TrainingPlan(at=at, policy=ctx.obj["policy"], **given)))


def _model(ctx: click.Context, edition: "Edition", text: str, name: str, at: "date", request: dict[str, Any]) -> "Side":
    from joulebook.account.request import estimate_request  # noqa: PLC0415
    from joulebook.account.resolve import resolve_model_factors  # noqa: PLC0415
    from joulebook.estimate.deployment import Deployment  # noqa: PLC0415
    from joulebook.reduce.compare import model_side  # noqa: PLC0415

    if not request["fresh"] + request["output"]:
        raise UsageError(what=_("A request has no tokens."), next_step=_("give --input and --output tokens."))
    provider, slash, model = name.partition("/")
    usage = {
        "provider": provider if slash else None,
        "model": model if slash else name,
        "region": request["region"],
        "uncached_input_tokens": request["fresh"],
        "visible_output_tokens": request["output"],
    }
    policy = ctx.obj["policy"]
    found = estimate_request(edition, policy, usage, Deployment(), at)
    around = resolve_model_factors(edition, policy, usage["provider"] or "", usage["model"] or "", at)
    if found.facts.is_unknown:
        show.note(_("{name} is not in the registry: its range covers all models.").format(name=name))
    return model_side(text, found, around)


def _run(ctx: click.Context, edition: "Edition", text: str, name: str) -> "Side":
    from joulebook.faces.cli.journals import every_run, journals_of  # noqa: PLC0415
    from joulebook.reduce.compare import run_side  # noqa: PLC0415
    from joulebook.runs import account_run  # noqa: PLC0415

    runs = list(every_run(journals_of(ctx), quiet=True))
    found = [each for each in runs if name in (each.run, each.name)]
    if not found:
        names = ", ".join(each.run for each in runs[-3:]) or "-"
        raise UnknownName(kind=_("run"), name=name, nearest=names)
    if len(found) > 1:
        raise UsageError(
            what=_("{count} runs are named {name}.").format(count=len(found), name=name),
            next_step=_("give the id of one: {ids}.").format(ids=", ".join(each.run for each in found[-5:])),
        )
    account = account_run(found[0], edition, policy=ctx.obj["policy"])
    where = [found[0].provider, found[0].region, *(host.host for host in found[0].hosts)]
    return run_side(text, account.amounts, ":".join(each or "" for each in where))


def _claim(edition: "Edition", text: str, name: str) -> "Side":
    from joulebook.disclose.claim_read import read_claims  # noqa: PLC0415
    from joulebook.disclose.recompute import range_of  # noqa: PLC0415
    from joulebook.reduce.compare import Side, range_side  # noqa: PLC0415

    claims = read_claims(edition.sources)[0]
    if name not in claims:
        raise UnknownName(kind=_("claim"), name=name, nearest=", ".join(list(claims)[-6:]))
    claim = claims[name]
    metric = RUNGS["energy"].get(claim.boundary) if claim.boundary else None
    if metric is None or claim.figure is None or claim.figure.given.unit not in ("Wh", "kWh", "MWh"):
        return Side(text, {})
    return range_side(text, {metric: range_of(claim.figure.written, "kWh")})


def _print(a: str, b: str, found: "Comparison") -> None:
    unit = column(found.metric).unit or ""
    title = NAMES[found.metric]
    show.heading(_("{title}, boundary {boundary}").format(title=_(title), boundary=found.boundary))
    for name, value in ((a, found.a), (b, found.b)):
        click.echo(show.wrapped(f"{name}: {range_text(value, unit)}", "  "))
    low, mid, high = (in_digits(each) for each in found.ratio)
    click.echo(_("A over B: {mid} ({low} to {high})").format(low=low, mid=mid, high=high))
    if not _is_ranged(found):
        click.echo(show.wrapped(_("Neither figure was published with a range, so no probability can be given."), ""))
    else:
        click.echo(_("Probability that A is lower: {percent} %").format(percent=_percent(found.probability_a_lower)))
    if found.shared:
        click.echo(_("Shared by both, so it cancels: {count} factors").format(count=len(found.shared)))


def _is_ranged(found: "Comparison") -> bool:
    """Whether the figures have a range at all, without which there is no probability."""
    return found.ratio.low < found.ratio.high


def _percent(probability: float) -> str:
    """Whole percent; what is not certain is never shown as certain."""
    shown = f"{probability:.0%}"[:-1]
    if shown in {"0", "100"} and 0 < probability < 1:
        return "< 1" if shown == "0" else "> 99"
    return shown


def _json(found: "Comparison") -> dict[str, Any]:
    return {
        "metric": found.metric,
        "unit": column(found.metric).unit,
        "boundary": str(found.boundary),
        "figures": [found.a._asdict(), found.b._asdict()],
        "ratio": found.ratio._asdict(),
        "probability_a_lower": found.probability_a_lower if _is_ranged(found) else None,
        "shared_count": len(found.shared),
    }
