"""Names of models as clouds, gateways and agents write them."""

import re
from datetime import date

import pytest

from joulebook.factors.choose import resolve_model
from joulebook.factors.edition import Edition
from joulebook.factors.model import AMBIGUOUS, SHORTENED, SIZED, SPELT
from joulebook.factors.read import read_edition
from joulebook.factors.spelling import shorter, size, spelling

AT = date(2026, 11, 1)

NAMES = [
    ("aws.bedrock", "us.anthropic.claude-opus-4-1-20250805-v1:0", "anthropic/claude-opus-4-1-20250805"),
    ("aws.bedrock", "anthropic.claude-opus-4-6-v1", "anthropic/claude-opus-4-6"),
    ("aws.bedrock", "us-gov.anthropic.claude-3-haiku-20240307-v1:0", "anthropic/claude-3-haiku-20240307"),
    ("aws.bedrock", "us.deepseek.r1-v1:0", "deepseek/deepseek-r1"),
    ("gcp", "claude-opus-4-1@20250805", "anthropic/claude-opus-4-1-20250805"),
    ("gcp", "vertex_ai/claude-opus-4-6@default", "anthropic/claude-opus-4-6"),
    ("gcp", "vertex_ai/openai/gpt-oss-120b-maas", "openai/gpt-oss-120b"),
    ("azure", "azure/gpt-5.6-terra-2026-07-09", "openai/gpt-5.6-terra"),
    ("openrouter", "anthropic/claude-opus-4.5", "anthropic/claude-opus-4-5-20251101"),
    ("openrouter", "z-ai/glm-4.5-air:free", "zai/glm-4.5-air"),
    ("openrouter", "deepseek/deepseek-v4-flash:free", "deepseek/deepseek-v4-flash"),
    ("databricks", "databricks-claude-sonnet-4-5", "anthropic/claude-sonnet-4-5-20250929"),
    ("github", "github_copilot/claude-haiku-4.5", "anthropic/claude-haiku-4-5-20251001"),
    ("fireworks", "accounts/fireworks/models/deepseek-v3p1", "deepseek/deepseek-v3.1"),
    ("together", "Meta-Llama-3.1-8B-Instruct-Turbo", "meta/meta-llama-3.1-8b-instruct"),
    ("cloudflare", "@cf/meta/llama-2-7b-chat-fp16", "meta/llama-2-7b-chat"),
    ("openai", "ft:gpt-4o-mini-2024-07-18:team::abc", "openai/gpt-4o-mini-2024-07-18"),
    ("openai", "o3", "openai/o3"),
    ("cerebras", "llama3.1-70b", "meta/meta-llama-3.1-70b"),
]


@pytest.fixture(scope="module")
def edition() -> Edition:
    """The shipped library."""
    return read_edition()


@pytest.mark.parametrize(("provider", "name", "model"), NAMES)
def test_names_of_clouds_and_gateways(edition: Edition, provider: str, name: str, model: str) -> None:
    """Each cloud's and gateway's spelling of a model must lead to the model."""
    assert model in resolve_model(edition, provider, name, AT).candidates


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("someone/my-tuned-70b", "size/70b"),
        ("Brand-New-30B-A3B-Instruct", "size/30b-a3b"),
        ("merged-8x7b-v0.1", "size/8x7b"),
        ("tiny:135m", "size/135m"),
    ],
)
def test_size_of_a_name(edition: Edition, name: str, subject: str) -> None:
    """Of a model nobody registered, the size in its name must count, said as such and with a hint."""
    facts = resolve_model(edition, None, name, AT)
    assert facts.model == subject
    assert facts.chosen_because == SIZED
    assert facts.hint


def test_size_ranges_hold_the_size(edition: Edition) -> None:
    """A size read from a name must lie in its own range, and a mixture's active part below its whole."""
    for row in edition.factors_for("parameters_active_billion"):
        if row.subject.startswith("size/"):
            whole = edition.factors_for("parameters_total_billion", row.subject)[0]
            assert whole.low <= whole.value <= whole.high
            assert row.value <= whole.value


def test_reasons_tell_the_spelling(edition: Edition) -> None:
    """A name found by another spelling or without its ending must say so."""
    assert resolve_model(edition, None, "claude-fable-5.1", AT).chosen_because == SPELT
    assert resolve_model(edition, None, "gpt-oss-120b-maas", AT).chosen_because == SHORTENED
    assert resolve_model(edition, None, "claude-3-5-sonnet", AT).chosen_because == AMBIGUOUS


def test_different_models_stay_apart(edition: Edition) -> None:
    """Leaving out endings must not turn one model into another that has a name of its own."""
    pairs = [
        ("gpt-4", "gpt-4-turbo"),
        ("gpt-5", "gpt-5-mini"),
        ("deepseek-v3.1", "deepseek-v3"),
        ("grok-4", "grok-4-fast"),
    ]
    for one, other in pairs:
        assert resolve_model(edition, None, one, AT).model != resolve_model(edition, None, other, AT).model
    assert resolve_model(edition, None, "deepseek-v9", AT).is_unknown
    assert resolve_model(edition, None, "gpt-77", AT).is_unknown


def test_forms() -> None:
    """Spellings must not depend on case, points, hyphens or the reseller's prefix."""
    assert spelling("Claude-Opus-4.1@20250805") == spelling("us.anthropic.claude-opus-4-1-20250805-v1:0")
    assert list(shorter("qwen-3-30-b-a-3-b-instruct-2507-fp-8"))[-1] == "qwen-3-30-b-a-3-b"
    assert size("Qwen3.8-2.4T-A95B") == "2.4t-a95b"
    assert size("gpt-4o") is None


def test_dates_of_models(edition: Edition) -> None:
    """Days of release and retirement must be dates, and no model may retire before its release."""
    released = {link.subject: link.object for link in edition.links if link.relation == "released"}
    retired = [link for link in edition.links if link.relation.startswith("retired")]
    assert len(released) > 200
    assert len(retired) > 200
    for day in [*released.values(), *(link.object for link in retired)]:
        assert re.fullmatch(r"20\d\d-\d\d(?:-\d\d)?", day)
        date.fromisoformat(day if len(day) > len("2026-11") else f"{day}-01")
    for link in retired:
        assert released.get(link.subject, "2018") < link.object
