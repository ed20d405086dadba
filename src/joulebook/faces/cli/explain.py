"""`joulebook explain TARGET`: a figure down to the cells of its sources."""

from typing import TYPE_CHECKING, Any

import click

from joulebook.errors import UnknownName, translatable
from joulebook.faces.cli import show
from joulebook.faces.cli.figure_names import SHORT_NAMES, boundary_of
from joulebook.faces.cli.journals import book_with_runs
from joulebook.faces.cli.report import counts_of, line_json
from joulebook.faces.text import _, refilled
from joulebook.terms.columns import column
from joulebook.terms.display import in_digits, range_text, unit_for

if TYPE_CHECKING:
    from joulebook.account.resolution import Part
    from joulebook.ledger.explanation import Explanation, Used

METRICS = {
    "energy": "facility_energy_kwh",
    "co2e": "co2e_operational_location_g",
    "embodied": "co2e_embodied_amortised_g",
    "water": "water_offsite_without_hydro_l",
    "water-hydro": "water_offsite_hydro_l",
    "water-onsite": "water_onsite_l",
}
FACTORS_SHOWN = 12
POSTINGS_SHOWN = 5
HINTS_SHOWN = 8
DIGITS = 4

TERM_NAMES = {
    "request_kwh": translatable("each request, whatever its length"),
    "input_kwh_per_token": translatable("fresh input (prefill)"),
    "input_context_kwh_per_token2": translatable("fresh input reading cached context"),
    "input_own_context_kwh_per_token2": translatable("fresh input reading itself"),
    "cache_read_kwh_per_token": translatable("input from the cache"),
    "output_kwh_per_token": translatable("output (decode)"),
    "context_kwh_per_token2": translatable("output reading the input"),
    "output_context_kwh_per_token2": translatable("output reading itself"),
    "image_kwh": translatable("images"),
    "video_kwh_per_s": translatable("video"),
    "audio_kwh_per_s": translatable("audio"),
    "embedding_kwh_per_token": translatable("embeddings"),
    "inference_kwh": translatable("small tasks"),
    "board_power_kw": translatable("accelerators by the hour"),
    "host_power_kw": translatable("machines by the hour, without accelerators"),
    "vcpu_power_kw": translatable("virtual processors by the hour"),
    "memory_kw_per_gb": translatable("memory by the hour"),
    "storage_kw_per_gb": translatable("stored data"),
    "network_kwh_per_gb": translatable("data sent"),
    "metered_gpu_ratio": translatable("metered at the accelerators"),
    "metered_host_ratio": translatable("metered at the machine or further out"),
}
"""Names of the estimate's terms."""

TARGET_HELP = translatable("TARGET: total, team=search,day=2026-11-02, a run's id, a posting's id, or a usage key.")


@click.command("explain", help=_("Why a figure is what it is.") + "\n\n" + _(TARGET_HELP))
@click.argument("target", default="total")
@click.option("--metric", default="co2e", help=_("energy, co2e, embodied, water, water-hydro, or a column."))
@click.option("--all", "is_all", is_flag=True, help=_("Every factor, not only the most uncertain."))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def command(ctx: click.Context, target: str, *, metric: str, is_all: bool, is_json: bool) -> int:
    """Explain one figure."""
    book = book_with_runs(ctx)
    name = METRICS.get(metric, metric)
    if name not in SHORT_NAMES:
        raise UnknownName(kind=_("figure"), name=metric, nearest=", ".join((*METRICS, *SHORT_NAMES)))
    found = book.explain(name, target)
    if found is None:
        show.note(
            _("Nothing is known about {metric} there. Next: joulebook report.").format(metric=_(SHORT_NAMES[name]))
        )
        return 1
    if is_json:
        show.emit("explain", target=target, **_json(found))
        return 0
    is_whole = is_all or len(found.postings) == 1
    print_explanation(found, target, factors=len(found.used) if is_whole else FACTORS_SHOWN)
    return 0


def print_explanation(found: "Explanation", target: str, factors: int) -> None:
    """A figure with its range, terms, formulas, so many factors, and where to look further."""
    unit = column(found.metric).unit or ""
    show.heading(f"{_(SHORT_NAMES[found.metric])} · {target}")
    if found.line.is_synthetic:
        show.say(_("SYNTHETIC SAMPLE: made up to show how it works; nobody caused it."))
    facts = _("{amount} · tier {tier} · boundary {boundary}").format(
        amount=range_text(found.amount.range, unit),
        tier=_(found.line.tier),
        boundary=boundary_of(found.metric, found.line),
    )
    show.say(" · ".join([facts, *counts_of(found.line)]))
    _print_terms(found)
    _print_metered(found)
    _print_steps(found)
    _print_factors(found, factors)
    if len(found.postings) > 1:
        show.heading(_("Look further: the largest postings"))
        for row, amount in found.postings[:POSTINGS_SHOWN]:
            what = " · ".join(
                str(row[name]) for name in ("model", "tool", "component", "region", "team", "project") if row[name]
            )
            line = f"  joulebook explain {row['posting_id'][:12]}  {_in_unit(amount, unit):>10}  {what}"
            click.echo(show.fitted(line, show.WIDTH).rstrip())
    if found.hints:
        show.heading(_("What would make it better"))
        for about, hint in found.hints[:HINTS_SHOWN]:
            show.say(f"- {about or _('unknown')}: {_advice(hint)}", "  ")


def _advice(hint: str) -> str:
    from joulebook.account.resolve_machine import HINT_DEVICE  # noqa: PLC0415  (help stays quick)
    from joulebook.account.resolve_use import HINT_MEDIA, HINT_TASK  # noqa: PLC0415

    return refilled(hint, (HINT_DEVICE, HINT_MEDIA, HINT_TASK))


def _print_terms(found: "Explanation") -> None:
    if not found.terms:
        return
    show.heading(_("The estimate, term by term (energy of accelerators and machines)"))
    rows = [
        [_(TERM_NAMES[term.coefficient]), _in_unit(term.energy_kwh, "kWh"), f"{term.ratio:.1%}"] for term in found.terms
    ]
    show.table(["", _("energy"), _("part")], rows, right=(1, 2))


def _print_metered(found: "Explanation") -> None:
    if not found.metered:
        return
    show.heading(_("What was measured, part by part (energy of the IT equipment)"))
    rows = [
        [
            f"{_(one.component)} · {one.subject.partition(' · ')[-1] or _('missing')}",
            _("missing") if one.energy_kwh is None else _in_unit(one.energy_kwh, "kWh"),
            "–" if one.energy_kwh is None else f"{one.ratio:.1%}",
            "" if one.energy_kwh is None else _(one.tier),
        ]
        for one in found.metered
    ]
    show.table(["", _("energy"), _("part"), _("tier")], rows, right=(1, 2))


def _print_steps(found: "Explanation") -> None:
    if not found.steps:
        return
    show.heading(_("The formulas, in words and in numbers"))
    if found.is_mean:
        show.say(_("Several models or places: ratios are means, weighted by what they multiply."))
    for step in found.steps:
        show.say(f"{step.name} = {step.words}", "  ")
        show.say(f"= {step.numbers} = {in_digits(step.value, DIGITS)} {step.unit}", "    ")


def _print_factors(found: "Explanation", shown: int) -> None:
    used = found.used[:shown]
    show.heading(_("The factors, the most uncertain first"))
    for one in used:
        _print_factor(one)
    if len(used) < len(found.used):
        click.echo(_("  {count} more: add --all.").format(count=len(found.used) - len(used)))


def _print_factor(one: "Used") -> None:
    part = one.part
    show.say(f"{part.quantity} · {part.subject} · {factor_text(part)} · {_(part.tier)}", "  ")
    reasons = " + ".join(_(step) for step in part.chosen_because.split(" + "))
    held = f"{part.valid_from} – {part.valid_to or _('open')}"
    dates = _("holds {held}, known since {known}").format(held=held, known=part.known_from)
    show.say(_("chosen because: {reasons} · {dates}").format(reasons=reasons, dates=dates), "    ")
    words = f"{_(part.source)} · {_(part.cell)}" + (f" · {part.basis}" if part.basis else "")
    show.say(words, "    ")
    click.echo(
        _("    behind {behind} of the figure, {variance} of its uncertainty · id {id}").format(
            behind=f"{one.behind_ratio:.0%}", variance=f"{one.variance_ratio:.0%}", id=part.factor_id
        )
    )


def factor_text(part: "Part") -> str:
    """A factor's value, range and unit."""
    unit = "" if part.unit == "1" else f" {part.unit}"
    value = in_digits(part.value, DIGITS)
    return (
        f"{value}{unit}" if part.low == part.high else f"{value} ({in_digits(part.low)}–{in_digits(part.high)}){unit}"
    )


def _in_unit(amount: float, unit: str) -> str:
    from joulebook.terms.units import convert  # noqa: PLC0415

    shown = unit_for(amount, unit)
    return f"{in_digits(convert(amount, unit, shown))} {shown}"


def _json(found: "Explanation") -> dict[str, Any]:
    return {
        "metric": found.metric,
        "figure": line_json(found.line)["figures"][found.metric],
        "tier": found.line.tier,
        "is_synthetic": found.line.is_synthetic,
        "terms": [
            {"coefficient": term.coefficient, "energy_kwh": term.energy_kwh, "ratio": term.ratio}
            for term in found.terms
        ],
        "metered": [
            {
                "component": one.component,
                "subject": one.subject,
                "tier": one.tier,
                "energy_kwh": one.energy_kwh,
                "ratio": one.ratio,
            }
            for one in found.metered
        ],
        "is_mean": found.is_mean,
        "steps": [
            {"name": step.name, "words": step.words, "numbers": step.numbers, "value": step.value, "unit": step.unit}
            for step in found.steps
        ],
        "factors": [
            {
                **{name: getattr(used.part, name) for name in used.part.__dataclass_fields__},
                "behind_ratio": used.behind_ratio,
                "variance_ratio": used.variance_ratio,
            }
            for used in found.used
        ],
        "postings": [{"id": row["posting_id"], "amount": amount} for row, amount in found.postings],
        "hints": [{"about": about, "advice": _advice(hint)} for about, hint in found.hints],
    }
