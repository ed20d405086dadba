"""Builders of rows for the tests of the store."""

from datetime import UTC, datetime, timedelta

from joulebook.terms.usage import key_checks, usage_key

START = datetime(2026, 3, 1, 9, 30, 0, 123456, tzinfo=UTC)


def usage_row(number: int, **changes: object) -> dict[str, object]:
    """One row of usage, known by its number."""
    row: dict[str, object] = {
        "usage_key": usage_key(["test", str(number)]),
        "source": "test",
        "provider": "azure",
        "model": "gpt-4o",
        "started_at": START + timedelta(seconds=number),
        "is_synthetic": True,
        "request_count": 1,
        "uncached_input_tokens": 100 + number,
        "visible_output_tokens": 10,
        "cost_usd": 0.1 * number,
        "tier": "estimated",
    }
    return row | changes


def stored_row(row: dict[str, object], columns: tuple[str, ...]) -> dict[str, object]:
    """What a table must show for a row that was appended."""
    whole = dict.fromkeys(columns) | row
    if "key_a" in columns:
        whole["key_a"], whole["key_b"] = key_checks(str(row["usage_key"]))
    return {
        name: value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value
        for name, value in whole.items()
    }
