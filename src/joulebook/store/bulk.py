"""Millions of rows from a Parquet file: read, checked, keyed and written by the engine, findings for what is wrong."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from joulebook.errors import InputMissing, InputNotParquet
from joulebook.store.connection import ordered
from joulebook.store.declared import Declaration, Plan, make_plan
from joulebook.store.once import copy_to_parquet
from joulebook.store.schema import identifier, literal, stored
from joulebook.terms.finding import Finding
from joulebook.terms.usage import REQUEST_ID, USAGE_COLUMNS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FINDINGS_PER_RULE = 100
"""Findings of one rule and column that are told one by one; the rest of them is told as one number."""


@dataclass(slots=True)
class Bulk:
    """What became of a file.

    Attributes:
        rows: how many were written.
        already: how many said the same under the same id as an earlier row.
        refused: how many are faulty.
        findings: why.
    """

    rows: int = 0
    already: int = 0
    refused: int = 0
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Source:
    """A file as the engine reads it.

    Attributes:
        file: its name, for findings.
        declaration: which column is which field.
        plan: the SQL of its records, which need not be numbered.
        numbered: the same with their numbers in the file.
        located: numbers of records -> where they stand.
    """

    file: str
    declaration: Declaration
    plan: Plan
    numbered: Plan
    located: Callable[[Sequence[int]], Sequence[int]] = list


def write_bulk(engine: "DuckDBPyConnection", path: Path, declaration: Declaration, draft: Path) -> Bulk:
    """Write the good rows of a Parquet file as a draft of the usage table, each key once.

    Args:
        engine: that does it; its ``preserve_insertion_order`` should be off for large files.
        path: the Parquet file.
        declaration: which column is which field.
        draft: the Parquet file to write.

    Raises:
        InputMissing: the file cannot be opened.
        InputNotParquet: it is no Parquet file.
        UnknownName: there is no such time zone.
    """
    bulk = Bulk()
    query, kinds = _source(engine, path, declaration, bulk)
    if bulk.findings:
        return bulk
    plan = make_plan(query, kinds, declaration)
    source = Source(str(path), declaration, plan, plan)
    total = engine.execute(f"SELECT num_rows FROM parquet_file_metadata({literal(str(path))})").fetchall()[0][0]
    bulk.rows, has_bare_times = copy_good(engine, source, draft)
    if bulk.rows < total:
        bulk.refused = total - bulk.rows
        bulk.findings += faults(engine, source)
    if has_bare_times:
        with ordered(engine):
            bulk.findings += bare_times(engine, source)
    once(engine, source, draft, bulk)
    return bulk


def copy_good(engine: "DuckDBPyConnection", source: Source, draft: Path) -> tuple[int, bool]:
    """Write the rows of the records without fault; return how many, and whether the user has to hear of bare times."""
    plan = source.plan
    rows = copy_to_parquet(engine, _stored(plan.rows(plan.checked)), draft)
    asked = plan.bare.values() if source.declaration.timezone is None else ()
    return rows, any(engine.execute(f"SELECT 1 FROM ({plan.raw}) WHERE {one} LIMIT 1").fetchall() for one in asked)


def _stored(query: str) -> str:
    return f"SELECT {stored(USAGE_COLUMNS)} FROM ({query})"


def parquet_columns(engine: "DuckDBPyConnection", path: Path) -> tuple[str, ...]:
    """Names of the columns of a Parquet file.

    Raises:
        InputMissing: the file cannot be opened.
        InputNotParquet: it is no Parquet file.
    """
    import duckdb  # noqa: PLC0415  (only commands that compute pay)

    try:
        path.open("rb").close()
    except OSError as fault:
        raise InputMissing(file=str(path), reason=fault.strerror) from fault
    try:
        return tuple(row[0] for row in engine.execute(f"DESCRIBE FROM read_parquet({literal(str(path))})").fetchall())
    except duckdb.Error as fault:
        raise InputNotParquet(file=str(path)) from fault


def _source(
    engine: "DuckDBPyConnection", path: Path, declaration: Declaration, bulk: Bulk
) -> tuple[str, dict[str, str]]:
    """Query of the mapped columns, and their types; a column that is not there becomes a finding."""
    import duckdb  # noqa: PLC0415  (only commands that compute pay)

    here = parquet_columns(engine, path)
    file = f"read_parquet({literal(str(path))}, file_row_number = true)"
    listed = ["file_row_number + 1 AS _record"]
    for name, column in declaration.columns.items():
        sql = identifier(column) if column in here else ".".join(identifier(part) for part in column.split("."))
        try:
            engine.execute(f"DESCRIBE SELECT {sql} FROM {file}")
        except duckdb.BinderException:
            bulk.findings.append(Finding(str(path), None, "missing-column", {"column": column}))
        listed.append(f"{sql} AS {identifier('raw_' + name)}")
    if bulk.findings:
        return "", {}
    source = f"SELECT {', '.join(listed)} FROM {file}"
    described = engine.execute(f"DESCRIBE {source}").fetchall()
    return source, {name: row[1] for name, row in zip(declaration.columns, described[1:], strict=True)}


def faults(engine: "DuckDBPyConnection", source: Source) -> Iterator[Finding]:
    """Findings on the records with a fault."""
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE faulty AS "
        f"SELECT _record, _fault FROM ({source.numbered.checked}) WHERE _fault > 0"
    )
    yield from _told(engine, source.numbered.faults, source)


def _told(engine: "DuckDBPyConnection", rules: tuple[tuple[str, str], ...], source: Source) -> Iterator[Finding]:
    """The findings of the temporary table ``faulty``, in the order of the file; many of one kind as a number."""
    columns = source.declaration.columns
    first = engine.execute(
        "SELECT _record, _fault FROM faulty "
        f"QUALIFY row_number() OVER (PARTITION BY _fault ORDER BY _record) <= {FINDINGS_PER_RULE} ORDER BY _record"
    ).fetchall()
    lines = source.located([record for record, _ in first])
    for line, (_, number) in zip(lines, first, strict=True):
        rule, name = rules[number - 1]
        yield Finding(source.file, line, rule, {"column": columns.get(name, name)})
    counts = engine.execute("SELECT _fault, count(*) FROM faulty GROUP BY _fault ORDER BY _fault").fetchall()
    for number, count in counts:
        if count > FINDINGS_PER_RULE:
            facts = {"count": count - FINDINGS_PER_RULE, "rule": rules[number - 1][0]}
            yield Finding(source.file, None, "more-of-the-same", facts)


def bare_times(engine: "DuckDBPyConnection", source: Source) -> Iterator[Finding]:
    """The warning that times say nothing of their zone, and the user did not either; within `ordered`."""
    for name, condition in source.plan.bare.items():
        found = engine.execute(f"SELECT _record FROM ({source.numbered.raw}) WHERE {condition} LIMIT 1").fetchall()
        if found:
            facts = {"column": source.declaration.columns[name]}
            yield Finding(source.file, source.located([found[0][0]])[0], "no-timezone", facts, is_error=False)
            return


def once(engine: "DuckDBPyConnection", source: Source, draft: Path, bulk: Bulk) -> None:
    """Give equal rows their numbers, or keep the first of equal ids; a second pass only if there are any."""
    plan = source.numbered
    file = f"read_parquet({literal(str(draft))})"
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE twice AS SELECT key_a, key_b FROM {file} GROUP BY ALL HAVING count(*) > 1"
    )
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE repeated AS "
        f"SELECT usage_key FROM {file} SEMI JOIN twice USING (key_a, key_b) GROUP BY ALL HAVING count(*) > 1"
    )
    if not engine.execute("SELECT count(*) FROM repeated").fetchall()[0][0]:
        return
    alone = f"FROM ({plan.rows(plan.checked)}) ANTI JOIN repeated USING (usage_key)"
    window = "OVER (PARTITION BY _parts ORDER BY _record)"
    equal = (
        f"SELECT *, row_number() {window} - 1 AS _before, first_value(_content) {window} AS _first "
        f"FROM ({plan.checked}) WHERE _fault = 0 AND {plan.key()} IN (FROM repeated)"
    )
    differing = 0
    if plan.is_by_id:
        engine.execute(
            "CREATE OR REPLACE TEMP TABLE faulty AS "
            f"SELECT _record, 1 AS _fault FROM ({equal}) WHERE _content <> _first"
        )
        differing = engine.execute("SELECT count(*) FROM faulty").fetchall()[0][0]
        bulk.findings += _told(engine, (("same-key", REQUEST_ID),), source)
        equal = f"SELECT * FROM ({equal}) WHERE _before = 0"
    read = bulk.rows
    bulk.rows = copy_to_parquet(engine, _stored(f"{alone} UNION ALL {plan.rows(equal, '_before')}"), draft)
    bulk.refused += differing
    bulk.already += read - bulk.rows - differing
