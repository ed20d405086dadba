"""The whole domain of deployments: any accelerator, precision, batch and context gives a sane, continuous estimate."""

from datetime import date
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joulebook.account.request import estimate_request
from joulebook.estimate.deployment import Deployment
from joulebook.estimate.hardware import HARDWARE, hardware_facts, known_accelerators
from joulebook.factors.read import read_edition

DAY, POLICY = date(2026, 6, 1), "ghgp-location"
ACCELERATORS = known_accelerators(read_edition())
MEMORY_BOUND = [
    name
    for name in ACCELERATORS
    for facts in [hardware_facts(read_edition(), POLICY, name, DAY)]
    if facts["accelerator_flop_per_s"] >= 150 * facts["accelerator_bandwidth_bytes_per_s"]
]
"""Accelerators with at least 150 operations for each byte they read."""
PRECISIONS = ("bf16", "fp16", "fp8", "int8", "fp4", "int4")
MODELS = (
    "llama-3.1-8b",
    "llama-3.1-70b",
    "qwen3-30b-a3b-instruct-2507",
    "gemma-3-27b-it",
    "deepseek-r1",
    "gpt-oss-120b",
    "mixtral-8x7b",
    "gpt-4o",
    "nobody-knows-this-one",
)
TOKENS = st.integers(0, 1_000_000)
BATCHES = st.floats(1, 4096)


@cache
def accelerator_range(model, fresh, cached, output, deployment, provider="own"):
    """Energy of the accelerators for one request [kWh]."""
    usage = {
        "provider": provider,
        "model": model,
        "region": None,
        "request_count": 1,
        "uncached_input_tokens": fresh,
        "cache_read_tokens": cached,
        "visible_output_tokens": output,
    }
    found = estimate_request(read_edition(), POLICY, usage, deployment, DAY)
    return found.priced.ranges["gpu_energy_kwh"]


deployments = st.builds(
    Deployment,
    accelerator=st.none() | st.sampled_from(ACCELERATORS),
    accelerator_count=st.none() | st.integers(1, 16),
    batch_requests=st.none() | BATCHES,
    precision=st.none() | st.sampled_from(PRECISIONS),
)
described = st.builds(
    Deployment,
    accelerator=st.sampled_from(ACCELERATORS),
    accelerator_count=st.integers(1, 16),
    batch_requests=BATCHES,
    precision=st.sampled_from(PRECISIONS),
)
models = st.sampled_from(MODELS)


def changed(deployment, **given):
    """The same deployment with other facts."""
    names = ("accelerator", "accelerator_count", "batch_requests", "precision", "output_tokens_per_s")
    return Deployment(**{name: getattr(deployment, name) for name in names} | given)


@settings(max_examples=150, deadline=None)
@given(models, TOKENS, TOKENS, TOKENS, deployments, st.sampled_from(("own", None)))
def test_every_deployment_gives_a_range(model, fresh, cached, output, deployment, provider):
    """From no token to a million on any accelerator, low, mid and high are finite, ordered and not below zero."""
    found = accelerator_range(model, fresh, cached, output, deployment, provider)
    assert 0 <= found.low <= found.mid <= found.high < 1e6
    assert found.mid > 0 or not fresh + cached + output


@settings(max_examples=100, deadline=None)
@given(models, st.integers(1, 200_000), st.integers(1, 20_000), st.integers(1, 100_000), deployments)
def test_a_longer_context_never_costs_less(model, fresh, output, more, deployment):
    """More input or more output never lowers the energy of a request, whatever is known of the deployment."""
    base = accelerator_range(model, fresh, 0, output, deployment).mid
    assert accelerator_range(model, fresh + more, 0, output, deployment).mid >= base * (1 - 1e-9)
    assert accelerator_range(model, fresh, 0, output + more, deployment).mid >= base * (1 - 1e-9)


@settings(max_examples=100, deadline=None)
@given(models, st.integers(1, 200_000), st.integers(1, 20_000), deployments, st.sampled_from((1.01, 1.02)))
def test_small_changes_of_length_change_little(model, fresh, output, deployment, by):
    """One or two percent more input never move the energy by more than seven percent: there are no steps."""
    base = accelerator_range(model, 100 + fresh, 0, output, deployment).mid
    assert accelerator_range(model, round((100 + fresh) * by), 0, output, deployment).mid <= base * 1.07


@settings(max_examples=80, deadline=None)
@given(models, st.integers(1, 100_000), st.integers(1, 5_000), described, st.floats(1.001, 16))
def test_a_fuller_batch_never_costs_more(model, fresh, output, deployment, growth):
    """More requests together never raise what one of them takes."""
    fuller = changed(deployment, batch_requests=deployment.batch_requests * growth)
    base = accelerator_range(model, fresh, 0, output, deployment).mid
    assert accelerator_range(model, fresh, 0, output, fuller).mid <= base * (1 + 1e-9)


@settings(max_examples=80, deadline=None)
@given(models, st.integers(1, 100_000), st.integers(1, 5_000), described)
def test_narrower_integers_never_cost_more(model, fresh, output, deployment):
    """Weights of 4 bits take no more than those of 8, and those no more than those of 16."""
    energies = [
        accelerator_range(model, fresh, 0, output, changed(deployment, precision=precision)).mid
        for precision in ("int4", "int8", "fp16")
    ]
    assert energies == sorted(energies)


@settings(max_examples=80, deadline=None)
@given(models, st.integers(100, 5_000), st.sampled_from(MEMORY_BOUND), st.integers(1, 16))
def test_eight_bits_save_where_memory_is_the_limit(model, output, accelerator, count):
    """One request at a time on an accelerator of much arithmetic takes no more in 8-bit floats, experts or not."""
    narrow, wide = (
        accelerator_range(model, 100, 0, output, Deployment(accelerator, count, 1.0, precision)).mid
        for precision in ("fp8", "bf16")
    )
    assert narrow <= wide * (1 + 1e-9)


@settings(max_examples=80, deadline=None)
@given(models, st.integers(1, 200_000), st.integers(0, 2_000), deployments)
def test_cached_input_costs_no_more_than_fresh_input(model, tokens, output, deployment):
    """A prompt found in the cache never takes more than the same prompt computed."""
    fresh = accelerator_range(model, tokens, 0, output, deployment).mid
    assert accelerator_range(model, 0, tokens, output, deployment).mid <= fresh * (1 + 1e-9)


@pytest.mark.parametrize("accelerator", ACCELERATORS)
def test_accelerators_have_sane_facts(accelerator):
    """Rated power, bandwidth, arithmetic and memory of every accelerator lie where such devices lie."""
    facts = hardware_facts(read_edition(), POLICY, accelerator, DAY)
    least = dict(zip(HARDWARE, (10, 5e10, 1e13, 4e9), strict=True))
    most = dict(zip(HARDWARE, (2000, 3e13, 1e16, 1e12), strict=True))
    assert all(least[name] <= facts[name] <= most[name] for name in HARDWARE)
