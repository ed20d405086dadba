"""Rows per second of the token estimate with ranges, over tables in the embedded engine, against EcoLogits per request.

``python benchmarks/speed/estimate.py [ROWS]``
"""

import sys
import time
from datetime import date
from typing import TYPE_CHECKING, Any, cast

import duckdb
import narwhals as nw
from ecologits.impacts.llm import compute_llm_impacts

from joulebook.estimate.deployment import Deployment, serve
from joulebook.estimate.tokens import COEFFICIENTS, token_energy_kwh
from joulebook.factors.choose import resolve_model
from joulebook.factors.read import read_edition
from joulebook.terms.usage import TOKEN_CLASSES

if TYPE_CHECKING:
    from collections.abc import Callable

MODELS = ("gpt-4o", "gpt-4o-mini", "llama-3.1-70b-instruct", "llama-3.1-8b-instruct", "gpt-oss-120b", "no-such-model")
AT = date(2025, 6, 1)
PEER_CALLS = 2000


def usage(connection: duckdb.DuckDBPyConnection, rows: int) -> None:
    """A table of made-up requests."""
    connection.execute(
        f"""create table usage as select i % {len(MODELS)} as model_place, 1.0 as request_count,
        1.0 as per_request_ratio, (hash(i) % 4000)::double as uncached_input_tokens,
        (hash(i + 1) % 9000)::double as cache_read_tokens, 0.0 as cache_write_tokens,
        (hash(i + 2) % 900)::double as visible_output_tokens, (hash(i + 3) % 300)::double as reasoning_output_tokens
        from range({rows}) t(i)"""
    )


def coefficients(connection: duckdb.DuckDBPyConnection) -> float:
    """One row per model with coefficients and spread; returns the seconds it took."""
    edition = read_edition()
    started = time.perf_counter()
    names = (*COEFFICIENTS, "spread_low", "spread_high")
    connection.execute(f"create table models (model_place bigint, {', '.join(f'{name} double' for name in names)})")
    for place, model in enumerate(MODELS):
        estimate = serve(edition, "ghgp-location", resolve_model(edition, None, model, AT), Deployment(), AT).estimate
        values = [estimate.coefficients[name] for name in COEFFICIENTS] + [estimate.spread.low, estimate.spread.high]
        connection.execute(f"insert into models values ({', '.join('?' * (len(values) + 1))})", [place, *values])
    return time.perf_counter() - started


def estimated(usage_rows: Any, models: Any) -> Any:  # noqa: ANN401  (Narwhals frames of any engine)
    """Low, mid and high of each row."""
    price = cast("Callable[..., Any]", token_energy_kwh)
    inputs = ("request_count", "per_request_ratio", *TOKEN_CLASSES, *COEFFICIENTS)
    rows = usage_rows.join(models, on="model_place", how="left")
    rows = rows.with_columns(price(**{name: nw.col(name) for name in inputs}).alias("mid"))
    return rows.with_columns(
        (nw.col("mid") * nw.col("spread_low")).alias("low"), (nw.col("mid") * nw.col("spread_high")).alias("high")
    )


def peer_rate() -> float:
    """Requests per second of EcoLogits' formula, one call each."""
    started = time.perf_counter()
    for place in range(PEER_CALLS):
        compute_llm_impacts(
            model_active_parameter_count=70.0,
            model_total_parameter_count=70.0,
            output_token_count=100 + place % 400,
            if_electricity_mix_adpe=0.0,
            if_electricity_mix_pe=0.0,
            if_electricity_mix_gwp=0.4,
            if_electricity_mix_wue=1.0,
            datacenter_pue=1.2,
            datacenter_wue=0.5,
            request_latency=10.0,
        )
    return PEER_CALLS / (time.perf_counter() - started)


def main() -> None:
    """Measure and print."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    connection = duckdb.connect()
    usage(connection, rows)
    chosen = coefficients(connection)
    frames = [nw.from_native(connection.table(name)) for name in ("usage", "models")]
    started = time.perf_counter()
    result = estimated(*frames).select(*(nw.col(name).sum() for name in ("low", "mid", "high"))).to_native().fetchall()
    seconds = time.perf_counter() - started
    peer = peer_rate()
    print(f"{rows:,} rows with ranges in {seconds:.2f} s: {rows / seconds:,.0f} rows/s; sums {result[0]}")
    print(f"coefficients of {len(MODELS)} models: {chosen:.3f} s")
    print(f"EcoLogits, one request a call: {peer:,.0f} requests/s; ratio {rows / seconds / peer:,.0f}x")


if __name__ == "__main__":
    main()
