"""Uses that another record told already: twins, running totals that grew, and sums that cover single requests.

Keys find the same record twice. This module finds the same *use* in two records that share no key:

- **twins**: rows of two sources with the same ``request_hash``, or with the same ``use_hash`` at about the same time;
  A gateway that names its answers by two ids, of which a record holds one, is its own twin (`TWO_IDS`);
- **counters**: rows read from a running total (``counter_hash``), of which only the growth is new;
- **covered**: a sum over a period (a supplier's usage report, a bill) beside requests or sums of another format for the
  same supplier or tool, model and time. Whether they are the same uses nobody can tell from the records, so the rows
  are left out and told, unless the user says that they are other uses. So are rows of one tool on one day by readers
  that read the same uses in two places without any id in common (`NO_ID`).
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from joulebook.store.once import copy_to_parquet, files
from joulebook.store.schema import SQL_TYPES, identifier, literal
from joulebook.terms.columns import column
from joulebook.terms.finding import Finding
from joulebook.terms.usage import HASHES, TOKEN_CLASSES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TWIN_TOLERANCE_S = 600
"""How far the times of two records of one use may lie apart: one tells when an answer began, the other when it ended,
and an answer streams for minutes at most."""

OWN = "own"
"""The provider of one's own servers: they are many, and a sum of one says nothing of another."""

CHATS = "'chatgpt', 'claude'"
"""Chat services for people: what is used there stands in no usage report of their supplier's API."""

_BILLED_BY = "CASE provider WHEN 'google' THEN 'gcp' ELSE provider END"
"""Who bills a use: Google's API for developers stands on the bill of its cloud."""

TWO_IDS = "'helicone'"
"""Readers of one source whose rows may be the same use under two keys, which their ``request_hash`` tells."""

NO_ID = "'cursor', 'cursor-usage'"
"""Readers of one tool's uses in two places that share no id."""

DAY_US = 86_400_000_000
_GROWING = (*TOKEN_CLASSES, "request_count", "cost_usd")
_BUCKET = (
    "ended_at > started_at AND (request_count IS DISTINCT FROM 1 "
    "OR (epoch_us(started_at) % 60000000 = 0 AND epoch_us(ended_at) % 60000000 = 0))"
)
_KIND = (
    f"CASE WHEN coalesce({', '.join(TOKEN_CLASSES)}) IS NOT NULL THEN 'text' "
    "WHEN embedding_tokens IS NOT NULL THEN 'embedding' END"
)
_NAME = (
    "regexp_replace(regexp_replace(lower(model), '^.*[/.]([a-z])', '\\1'), "
    "'([-@]\\d{4}-?\\d{2}-?\\d{2}|[- ](0[1-9]|1[0-2])[0-3]\\d)?(-instruct)?(-v\\d+(:\\d+)?|-\\d+:\\d+)?$', '')"
)
_MODEL = f"array_to_string(list_sort(regexp_extract_all({_NAME}, '\\pL+|\\d+')), ' ')"
"""The words of a model's name, without what gateways put before it, its date and its version; bills and logs spell and
order them each in its own way: ``Claude4.5Sonnet`` and ``anthropic.claude-sonnet-4-5-20250929-v1:0`` are
``4 5 claude sonnet``, ``gpt 4o 1120`` and ``openai/gpt-4o-2024-11-20`` are ``4 gpt o``."""


@dataclass(slots=True)
class Told:
    """What was told already.

    Attributes:
        again: rows left out because another record of the same use is booked, or because nothing grew.
        covered: rows left out because sums and requests of the same time lie side by side.
        findings: what the user has to know.
    """

    again: int = 0
    covered: int = 0
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Draft:
    """What a draft holds that could be told already."""

    has_twins: bool
    has_counters: bool
    has_sums: bool
    has_no_id: bool
    span: str


def leave_out_told(
    engine: "DuckDBPyConnection", draft: Path, others: Sequence[Path], file: str, *, add_overlaps: bool
) -> tuple[Path, Told]:
    """Leave out of a draft of usage what other records told already; return the file to go on with.

    Args:
        engine: that does it.
        draft: a Parquet file of usage; stays as it is.
        others: Parquet files of usage that are booked.
        file: what the findings speak of.
        add_overlaps: the user says that sums and requests of the same time are different uses.
    """
    told = Told()
    here = f"read_parquet({literal(str(draft))}, file_row_number = true)"
    about = _about(engine, here)
    there = _there(engine, others) if others else None
    engine.execute("CREATE OR REPLACE TEMP TABLE told (file_row_number BIGINT, source VARCHAR, why VARCHAR)")
    if there is not None:
        if about.has_twins:
            _find_twins(engine, here, there)
        if not add_overlaps:
            _find_covered(engine, here, there, about)
            if about.has_no_id:
                _find_same_days(engine, here, there)
    is_grown = about.has_counters and _find_counters(engine, here, there)
    _tell(engine, here, file, told)
    if not (told.again or told.covered or is_grown):
        return draft, told
    rest = draft.with_name(f"untold-{uuid.uuid4().hex}.parquet")
    kept = f"SELECT * FROM {here} WHERE file_row_number NOT IN (SELECT file_row_number FROM told)"
    copy_to_parquet(engine, _grown(kept) if is_grown else f"SELECT * EXCLUDE (file_row_number) FROM ({kept})", rest)
    return rest, told


def _about(engine: "DuckDBPyConnection", here: str) -> _Draft:
    twins, counters, sums, no_id, first, last = engine.execute(
        f"SELECT count(request_hash) + count(use_hash), count(counter_hash), count(*) FILTER ({_BUCKET}), "
        f"count(*) FILTER (split_part(source, ':', 1) IN ({NO_ID})), "
        f"epoch_us(min(started_at)), epoch_us(max(coalesce(ended_at, started_at))) FROM {here}"
    ).fetchall()[0]
    if first is None:  # no row has a time: nothing is of the same time
        return _Draft(bool(twins), bool(counters), bool(sums), bool(no_id), "false")
    span = f"epoch_us(started_at) <= {last} AND epoch_us(coalesce(ended_at, started_at)) >= {first}"
    return _Draft(bool(twins), bool(counters), bool(sums), bool(no_id), span)


def _there(engine: "DuckDBPyConnection", others: Sequence[Path]) -> str:
    """The booked rows; segments of before a column came have it as unknown."""
    source = f"read_parquet({files(others)}, union_by_name = true)"
    names = {row[0] for row in engine.execute(f"DESCRIBE FROM {source}").fetchall()}
    missing = "".join(f", NULL::VARCHAR AS {name}" for name in HASHES if name not in names)
    return f"(SELECT *{missing} FROM {source})"


def _find_twins(engine: "DuckDBPyConnection", here: str, there: str) -> None:
    near = f"abs(epoch_us(here.started_at) - epoch_us(there.started_at)) <= {TWIN_TOLERANCE_S * 1_000_000}"
    for name, condition in (("request_hash", "true"), ("use_hash", near)):
        engine.execute(
            "INSERT INTO told SELECT here.file_row_number, min(there.source), 'twin' "
            f"FROM {here} AS here JOIN {there} AS there ON here.{name} = there.{name} "
            f"AND {condition} AND (here.source <> there.source OR (here.usage_key <> there.usage_key "
            f"AND split_part(here.source, ':', 1) IN ({TWO_IDS}))) "
            "WHERE here.file_row_number NOT IN (SELECT file_row_number FROM told) GROUP BY ALL"
        )


def _things(rows: str, *, only_sums: bool) -> str:
    """Rows as what they may lie side by side with: scope, model, place, kind and time, in whole minutes.

    A sum speaks for its own tool where it names one, else for all that its supplier hosts; a request may be inside a
    sum of either.
    """
    own_scope = f"[CASE WHEN tool IS NOT NULL THEN 't:' || tool WHEN provider <> '{OWN}' THEN 'p:' || {_BILLED_BY} END]"
    hosted = f"CASE WHEN provider <> '{OWN}' AND coalesce(tool, '') NOT IN ({CHATS}) THEN 'p:' || {_BILLED_BY} END"
    scopes = own_scope if only_sums else f"['t:' || tool, {hosted}]"
    minute = "epoch_us(started_at) // 60000000"
    end = f"CASE WHEN {_BUCKET} THEN (epoch_us(ended_at) + 59999999) // 60000000 ELSE {minute} + 1 END"
    return (
        f"SELECT unnest({scopes}) AS scope, {_MODEL} AS model_name, region, {_KIND} AS kind, source, "
        f"split_part(source, ':', 1) AS reader, {minute} AS first_minute, {end} AS last_minute, * "
        f"FROM {rows} WHERE {_KIND} IS NOT NULL" + (f" AND {_BUCKET}" if only_sums else "")
    )


def _find_covered(engine: "DuckDBPyConnection", here: str, there: str, about: _Draft) -> None:
    near = f"(SELECT * FROM {there} WHERE {about.span})"
    has_sums = engine.execute(f"SELECT 1 FROM {near} WHERE {_BUCKET} LIMIT 1").fetchall()
    pairs = [(False, True)] if has_sums else []
    pairs += [(True, False)] if about.has_sums else []
    grouped = "scope, model_name, region, kind, source, reader, first_minute, last_minute"
    for is_sum_here, is_sum_there in pairs:
        mine = _things(here, only_sums=is_sum_here)
        booked = f"SELECT DISTINCT {grouped} FROM ({_things(near, only_sums=is_sum_there)})"
        engine.execute(
            f"INSERT INTO told SELECT here.file_row_number, min(there.source), 'covered' FROM ({mine}) AS here "
            f"JOIN ({booked}) AS there ON here.scope = there.scope AND here.kind = there.kind "
            "AND here.reader <> there.reader "
            "AND here.first_minute < there.last_minute AND there.first_minute < here.last_minute "
            "AND coalesce(here.model_name, there.model_name, '') = coalesce(there.model_name, here.model_name, '') "
            "AND coalesce(here.region, there.region, '') = coalesce(there.region, here.region, '') "
            "WHERE here.file_row_number NOT IN (SELECT file_row_number FROM told) GROUP BY ALL"
        )


def _find_same_days(engine: "DuckDBPyConnection", here: str, there: str) -> None:
    """Leave out rows of a tool on days that another reader of the same uses has told, unless they are booked."""
    named = f"SELECT *, split_part(source, ':', 1) AS reader, epoch_us(started_at) // {DAY_US} AS day FROM"
    engine.execute(
        "INSERT INTO told SELECT here.file_row_number, min(there.source), 'covered' "
        f"FROM ({named} {here}) AS here JOIN (SELECT DISTINCT source, reader, tool, day FROM ({named} {there}) "
        f"WHERE reader IN ({NO_ID})) AS there ON here.tool = there.tool AND here.day = there.day "
        f"AND here.reader <> there.reader AND here.reader IN ({NO_ID}) "
        "WHERE here.file_row_number NOT IN (SELECT file_row_number FROM told) "
        f"AND here.usage_key NOT IN (SELECT usage_key FROM {there} WHERE split_part(source, ':', 1) IN ({NO_ID})) "
        "GROUP BY ALL"
    )


def _find_counters(engine: "DuckDBPyConnection", here: str, there: str | None) -> bool:
    """Leave out older readings of the totals of a draft; whether anything of them is booked already.

    Fills the temporary table ``booked`` with what is.
    """
    size = " + ".join(f"coalesce({name}, 0)::HUGEINT" for name in TOKEN_CLASSES)
    engine.execute(
        f"INSERT INTO told SELECT file_row_number, source, 'older' FROM {here} WHERE counter_hash IS NOT NULL "
        f"QUALIFY row_number() OVER (PARTITION BY counter_hash ORDER BY {size} DESC, file_row_number) > 1"
    )
    if there is None:
        return False
    sums = ", ".join(f"sum({name}) AS {identifier('old_' + name)}" for name in _GROWING)
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE booked AS SELECT counter_hash AS old_counter, max(ended_at) AS old_end, {sums} "
        f"FROM {there} WHERE counter_hash IN (SELECT counter_hash FROM {here}) GROUP BY counter_hash"
    )
    growth = " OR ".join(f"coalesce({name}, 0) > coalesce(old_{name}, 0)" for name in TOKEN_CLASSES)
    engine.execute(
        f"INSERT INTO told SELECT file_row_number, source, 'older' FROM {here} "
        "JOIN booked ON counter_hash = old_counter "
        f"WHERE NOT ({growth}) AND file_row_number NOT IN (SELECT file_row_number FROM told)"
    )
    return engine.execute("SELECT count(*) FROM booked").fetchall()[0][0] > 0


def _grown(kept: str) -> str:
    """Rows of running totals reduced to their growth; at least one request stands behind it."""
    changed = [
        f"CASE WHEN old_counter IS NULL OR {name} IS NULL THEN {name} "
        f"ELSE greatest({name} - coalesce(old_{name}, 0), {int(name == 'request_count')})::{kind} END AS {name}"
        for name, kind in ((name, SQL_TYPES[column(name).type]) for name in _GROWING)
    ]
    changed.append(
        "CASE WHEN old_end > started_at AND old_end <= ended_at THEN old_end ELSE started_at END AS started_at"
    )
    old = ", ".join(("file_row_number", "old_counter", "old_end", *(f"old_{name}" for name in _GROWING)))
    return (
        f"SELECT * EXCLUDE ({old}) REPLACE ({', '.join(changed)}) "
        f"FROM ({kept}) LEFT JOIN booked ON counter_hash = old_counter"
    )


def _tell(engine: "DuckDBPyConnection", here: str, file: str, told: Told) -> None:
    rows = engine.execute("SELECT why, source, count(*) FROM told GROUP BY ALL ORDER BY ALL").fetchall()
    told.again = sum(count for why, _source, count in rows if why != "covered")
    told.covered = sum(count for why, _source, count in rows if why == "covered")
    for why, source, count in rows:
        if why == "twin":
            told.findings.append(
                Finding(file, None, "told-by-another", {"count": count, "source": source}, is_error=False)
            )
    if told.covered:
        groups = engine.execute(
            "SELECT told.source, coalesce(here.provider, here.tool), coalesce(here.model, '?'), count(*), "
            "strftime(make_timestamp(min(epoch_us(here.started_at))), '%Y-%m-%d'), "
            "strftime(make_timestamp(max(epoch_us(here.started_at))), '%Y-%m-%d') "
            f"FROM told JOIN {here} AS here USING (file_row_number) WHERE why = 'covered' GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        names = ("source", "provider", "model", "count", "first_day", "last_day")
        told.findings += [
            Finding(file, None, "covered-by-another", dict(zip(names, group, strict=True))) for group in groups
        ]
