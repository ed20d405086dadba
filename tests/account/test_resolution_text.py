"""The text of a resolution, which its id is the hash of."""

import json
from datetime import date

import pytest

from joulebook.account.resolution import Resolution
from joulebook.account.resolve import resolve_model_factors, resolve_place_factors
from joulebook.factors.read import read_edition

AT = date(2026, 10, 1)
POLICY = "ghgp-location"


@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "gpt-5.4", "한국어-모델", ""])
def test_the_text_is_canonical(model: str) -> None:
    """Whatever stands behind several columns, the text is JSON with sorted keys and no spaces, and reads back alike."""
    found = resolve_model_factors(read_edition(), POLICY, "anthropic", model, AT)
    text = found.to_json()
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert Resolution.from_json(text) == found
    assert Resolution.from_json(text).resolution_id == found.resolution_id


def test_a_place_without_parts_has_a_text() -> None:
    """A resolution of a place, some of whose columns nothing is known of, is canonical, too; so is an empty one."""
    for found in (resolve_place_factors(read_edition(), POLICY, "aws", "us-east-1", AT), Resolution('a "b"', {}, {})):
        text = found.to_json()
        assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert Resolution.from_json(text) == found
