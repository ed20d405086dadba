"""Which postings a person means: all, those with some values, one by its id, or those behind one record."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from joulebook.errors import ManyPostings, NothingThere, UnknownName, translatable
from joulebook.ledger.balance import BY
from joulebook.terms.usage import KEY_DIGITS, usage_key

ALL = "total"
RUN_PREFIX = "run:"
SHORTEST_ID = 6


def selected(target: str, postings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Postings that a target names.

    Args:
        target: ``total``; ``team=search,day=2026-11-02``, where an empty value is the unknown; the id of a run; or the
            beginning of a posting's id.
        postings: those that stand.

    Returns:
        the postings; none where an id may be that of a record instead.

    Raises:
        NothingThere: nothing has those values.
        ManyPostings: an id fits several postings.
        UnknownName: postings have no such column.
    """
    if target == ALL:
        return list(postings)
    if "=" in target:
        return _with_values(target, postings)
    run = target.removeprefix(RUN_PREFIX)
    found = [row for row in postings if row["run"] == run and run]
    if found or target.startswith(RUN_PREFIX):
        return found or _with_values(f"run={run}", postings)
    found = [row for row in postings if row["posting_id"].startswith(target)]
    if len(found) > 1:
        raise ManyPostings(count=len(found), target=target)
    return found


def keys_of(target: str, sources: Iterable[str]) -> list[str]:
    """Usage keys that a target may mean: the supplier's request id in one of the sources, or the beginning of a key."""
    keys = [usage_key([source, target]) for source in sorted(sources)]
    is_key = SHORTEST_ID <= len(target) <= KEY_DIGITS and all(letter in "0123456789abcdef" for letter in target)
    return [*keys, target] if is_key or not keys else keys


def _with_values(target: str, postings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    wanted = dict(pair.partition("=")[::2] for pair in target.split(","))
    for name in wanted:
        if name not in BY:
            near = get_close_matches(name, BY, n=3) or BY
            raise UnknownName(kind=translatable("column"), name=name, nearest=", ".join(near))
    found = [row for row in postings if all(_text(row, name) == value for name, value in wanted.items())]
    if not found:
        raise NothingThere(target=target)
    return found


def _text(row: Mapping[str, Any], name: str) -> str:
    if name == "day":
        return f"{row['period_start']:%Y-%m-%d}"
    if name == "month":
        return f"{row['period_start']:%Y-%m}"
    value = row[name]
    return "" if value is None else str(value)
