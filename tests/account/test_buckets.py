"""Tokens that a report or a bill sums without telling how many requests they are have an energy with a wide range."""

import csv
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joulebook.account import pricing
from joulebook.account.kinds import BUCKET, CACHED_BUCKET
from joulebook.account.resolve import resolve_model_factors
from joulebook.account.resolve_bucket import WORKLOADS, resolve_bucket_factors
from joulebook.book import Book
from joulebook.estimate.buckets import LENGTHS, effects, per_token
from joulebook.estimate.tokens import COEFFICIENTS, token_energy_kwh
from joulebook.factors.choose import choose
from joulebook.factors.read import read_edition
from joulebook.ingest.mapping import same_names
from joulebook.ingest.reader import ReadOptions
from joulebook.ledger import audit
from joulebook.terms.range import Range
from joulebook.terms.usage import TOKEN_CLASSES

MODEL = "claude-sonnet-4-5-20250929"
DAY = date(2026, 11, 1)
CLOCK = datetime(2026, 11, 3, tzinfo=UTC)
KWH = "facility_energy_kwh"
AMOUNTS = st.floats(1e-9, 1e3)
LENGTH = st.floats(1, 1e6)


def length_of(kind: str, name: str) -> Range:
    """A mean length of the library."""
    return choose(read_edition(), name, WORKLOADS[kind], DAY, "ghgp-location").factor.range


ENTERED, LEFT = (length_of(BUCKET, name) for name in LENGTHS)


def usage_report(*results: tuple[int, int, int]) -> str:
    """A page of Anthropic's usage report, from fresh input, cache hits and output of each result."""
    told = [
        {
            "uncached_input_tokens": fresh,
            "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0},
            "cache_read_input_tokens": cached,
            "output_tokens": output,
            "model": MODEL,
            "workspace_id": f"w{number}",
        }
        for number, (fresh, cached, output) in enumerate(results)
    ]
    bucket = {"starting_at": "2026-11-01T00:00:00Z", "ending_at": "2026-11-02T00:00:00Z", "results": told}
    return json.dumps({"data": [bucket], "has_more": False})


def untold(folder: Path, *results: tuple[int, int, int]) -> Book:
    """A book of a usage report."""
    folder.mkdir(exist_ok=True)
    path = folder / "usage.json"
    path.write_text(usage_report(*results), encoding="utf-8")
    book = Book(folder / "book", clock=lambda: CLOCK)
    found = book.import_file("anthropic-usage", path, ReadOptions(str(path)))
    assert (found.added, found.refused) == (len(results), 0)
    assert [one.facts["count"] for one in found.findings if one.rule == "requests-untold"] == [str(len(results))]
    return book


def told(folder: Path, requests: int, tokens: tuple[int, int, int]) -> Book:
    """A book of one row that tells its requests."""
    folder.mkdir(exist_ok=True)
    path = folder / "usage.csv"
    names = ["started_at", "model", "provider", "request_count"]
    names += ["uncached_input_tokens", "cache_read_tokens", "visible_output_tokens"]
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([names, ["2026-11-01T00:00:00Z", MODEL, "anthropic", requests, *tokens]])
    book = Book(folder / "book", clock=lambda: CLOCK)
    assert book.import_file("csv", path, ReadOptions(str(path), mapping=same_names(names))).added == 1
    return book


def energy(book: Book) -> Range:
    """The energy of all rows at the building [kWh]."""
    return book.report(())[0].amounts[KWH].range


@given(st.lists(AMOUNTS, min_size=len(COEFFICIENTS), max_size=len(COEFFICIENTS)), LENGTH, LENGTH, st.integers(1, 10**6))
def test_equal_requests_of_the_mean_length_cost_what_their_number_would_say(costs, entered, left, requests):
    """Where requests have exactly the mean length, folding it into the tokens changes nothing."""
    coefficients = dict(zip(COEFFICIENTS, costs, strict=True))
    counts = {"uncached_input_tokens": requests * entered, "visible_output_tokens": requests * left}
    rest = dict.fromkeys(("cache_read_tokens", "cache_write_tokens", "reasoning_output_tokens"), 0.0)
    known = token_energy_kwh(request_count=requests, per_request_ratio=1 / requests, **counts, **rest, **coefficients)
    folded = per_token(coefficients, dict(zip(LENGTHS, (entered, left), strict=True)), is_cached=False)
    assert token_energy_kwh(request_count=0, per_request_ratio=0, **counts, **rest, **folded) == pytest.approx(
        known, rel=1e-9
    )


@given(st.lists(AMOUNTS, min_size=len(COEFFICIENTS), max_size=len(COEFFICIENTS)), st.booleans())
def test_the_effect_of_a_length_contains_every_class_of_token(costs, is_cached):
    """At both ends of a mean length no class of token leaves the range that is said of it."""
    coefficients = dict(zip(COEFFICIENTS, costs, strict=True))
    lengths = {LENGTHS[0]: Range(500, 6000, 40_000), LENGTHS[1]: Range(80, 400, 1500)}
    mids = {name: value.mid for name, value in lengths.items()}
    middle = per_token(coefficients, mids, is_cached=is_cached)
    for name, (low, high) in effects(coefficients, lengths, is_cached=is_cached).items():
        assert low <= 1 <= high
        for end in (lengths[name].low, lengths[name].high):
            moved = per_token(coefficients, {**mids, name: end}, is_cached=is_cached)
            assert all(
                middle[column] * low * (1 - 1e-9) <= moved[column] <= middle[column] * high * (1 + 1e-9)
                for column in COEFFICIENTS
            )


def test_a_report_costs_what_its_requests_would(tmp_path: Path):
    """A report over requests of the mean length has the middle of a record that tells their number, and more range."""
    requests = 100
    tokens = (requests * round(ENTERED.mid), 0, requests * round(LEFT.mid))
    bare, known = energy(untold(tmp_path / "bare", tokens)), energy(told(tmp_path / "known", requests, tokens))
    assert bare.mid == pytest.approx(known.mid, rel=1e-6)
    assert bare.low < known.low
    assert bare.high > known.high


@pytest.mark.parametrize(
    ("kind", "entered", "output"),
    [
        (BUCKET, ENTERED.low, 400),
        (BUCKET, ENTERED.high, 400),
        (CACHED_BUCKET, 20_000, 550),
        (CACHED_BUCKET, 300_000, 550),
    ],
)
def test_the_range_holds_requests_far_from_the_mean(tmp_path: Path, kind, entered, output):
    """Short questions, documents, and agents with little or much context lie inside the range of the bare sum."""
    requests = 100
    cached = round(entered) * requests if kind == CACHED_BUCKET else 0
    tokens = (round(entered) * requests - cached + requests * 100, cached, output * requests)
    bare = energy(untold(tmp_path / "bare", tokens))
    known = energy(told(tmp_path / "known", requests, tokens))
    assert bare.low < known.mid < bare.high


@pytest.mark.parametrize("model", ["gpt-4o", "llama-3.1-70b-instruct", "claude-sonnet-4-5", "deepseek-r1"])
@pytest.mark.parametrize("name", ["code", "conv"])
def test_real_requests_cost_as_a_bare_sum_what_they_cost_one_by_one(shared_data, name, model):
    """Azure's production traces, of which no mean length was taken, come out within 15 % of their own requests.

    Source: Patel et al. 2024, "Splitwise", traces of AzurePublicDataset (CC BY 4.0).
    """
    with (shared_data / "usage" / f"azure_llm_2023_{name}.csv").open(newline="") as stream:
        asked = [(int(row["ContextTokens"]), int(row["GeneratedTokens"])) for row in csv.DictReader(stream)]
    key, day = {"kind_key": BUCKET, "provider_key": "azure", "model_key": model}, date(2023, 11, 16)
    single = resolve_model_factors(read_edition(), "ghgp-location", "azure", model, day).values
    summed = resolve_bucket_factors(read_edition(), "ghgp-location", key, day).values

    def kwh(values, requests, entered, left):
        counts = dict.fromkeys(TOKEN_CLASSES, 0) | {"uncached_input_tokens": entered, "visible_output_tokens": left}
        costs = {column: values[column] for column in COEFFICIENTS}
        return token_energy_kwh(request_count=requests, per_request_ratio=requests, **counts, **costs)

    one_by_one = sum(kwh(single, 1, entered, left) for entered, left in asked)
    together = kwh(summed, 0, sum(entered for entered, _left in asked), sum(left for _entered, left in asked))
    assert together == pytest.approx(one_by_one, rel=0.15)


def test_sums_of_sums_are_sums(tmp_path: Path):
    """Cut into days, classes or lines in any way, the same tokens have the same energy, and twice of them twice."""
    whole = energy(untold(tmp_path / "whole", (600_000, 0, 40_000)))
    cut = energy(untold(tmp_path / "cut", (500_000, 0, 0), (0, 0, 30_000), (100_000, 0, 10_000)))
    twice = energy(untold(tmp_path / "twice", (1_200_000, 0, 80_000)))
    assert cut == pytest.approx(whole, rel=1e-6)
    assert twice == pytest.approx(whole.scaled(2), rel=1e-6)


def test_sums_that_are_mostly_cache_hits_are_of_agents(tmp_path: Path):
    """The longer requests of agents make each of their output tokens dearer, and the explanation names their source."""
    book = untold(tmp_path, (40_000, 1_000_000, 5_000), (1_000_000, 40_000, 5_000))
    agents, plain = (
        resolve_bucket_factors(
            read_edition(),
            "ghgp-location",
            {"kind_key": kind, "provider_key": "anthropic", "model_key": MODEL},
            DAY,
        )
        for kind in (CACHED_BUCKET, BUCKET)
    )
    assert agents.values["output_kwh_per_token"] > plain.values["output_kwh_per_token"]
    found = book.explain(KWH, "total")
    assert found is not None
    behind = {(used.part.subject, used.part.quantity): used.part for used in found.used}
    assert {(subject, name) for subject in WORKLOADS.values() for name in LENGTHS} <= behind.keys()
    assert "Codex" in behind["workload/agents", LENGTHS[0]].cell
    assert found.steps[-1].value == pytest.approx(found.amount.range.mid, rel=1e-6)
    assert sum(term.energy_kwh for term in found.terms) == pytest.approx(
        book.report(())[0].amounts["gpu_energy_kwh"].range.mid, rel=1e-6
    )
    assert any("how many requests" in hint for _about, hint in found.hints)
    assert found.line.tier == "assumed"


def test_such_postings_replay(tmp_path: Path):
    """The audit computes them again from rows and kept factors, and finds a posting that its rows do not give."""
    book = untold(tmp_path, (40_000, 1_000_000, 5_000), (1_000_000, 40_000, 5_000))
    assert list(book.audit()) == []
    said = list(book.standing_postings())
    wrong = [{**row, "it_energy_kwh_q": row["it_energy_kwh_q"] + 1} for row in said]
    assert {finding.rule for finding in audit.replayed(wrong, groups(book, said))} == {"posting-not-replayed"}


def test_what_an_older_method_left_without_energy_asks_for_a_restatement(tmp_path: Path):
    """Its postings are told, and their rows are not told once more as rows that nobody posted."""
    book = untold(tmp_path, (1_000_000, 40_000, 5_000))
    said = list(book.standing_postings())
    bare = [{**row, "it_energy_kwh_q": None} for row in said]
    rows = [{**group, "model_resolution_id": None} for group in groups(book, said)]
    assert {finding.rule for finding in audit.replayed(bare, rows)} == {"posting-not-replayed", "rows-not-posted"}
    older = [{**row, "method": "use-1"} for row in bare]
    assert {finding.rule for finding in audit.replayed(older, rows)} == {"method-gone"}


def groups(book: Book, said: list) -> list:
    """The groups that the rows behind some postings of one span give."""
    (span,) = {(row["usage_after"], row["usage_through"]) for row in said}
    return book.store.rows(pricing.cube(pricing.in_grains(book.usage_again(span, said))))


def test_a_line_of_a_bill_that_counts_tokens_has_an_energy(tmp_path: Path):
    """Input, cache hits and output of a hosted model stand on lines of their own; each has an energy."""
    path = tmp_path / "focus.csv"
    names = ["BilledCost", "BillingCurrency", "ChargeCategory", "ChargePeriodStart", "ChargePeriodEnd"]
    names += ["ConsumedQuantity", "ConsumedUnit", "ProviderName", "RegionId", "SkuId", "ServiceName", "ServiceCategory"]
    skus = ("input-tokens", "cache-read-input-token-count", "output-tokens")
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(names)
        for sku in skus:
            line = ["1", "USD", "Usage", "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", "500", "1K tokens", "AWS"]
            writer.writerow([*line, "us-east-1", f"USE1-Claude3Sonnet-{sku}", "Amazon Bedrock", "AI"])
    book = Book(tmp_path / "book", clock=lambda: CLOCK)
    assert book.import_file("focus", path, ReadOptions(str(path))).added == len(skus)
    (line,) = book.report(())
    assert (line.row_count, line.unpriced_count) == (len(skus), 0)
    assert line.amounts[KWH].range.low > 0
    assert list(book.audit()) == []
