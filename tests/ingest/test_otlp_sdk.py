"""Telemetry in the form of OpenTelemetry's JavaScript SDK."""

import io
import json

import pytest

from joulebook.ingest.reader import ReadOptions, reader


@pytest.mark.parametrize("scope", [{}, {"metrics": None}, {"metrics": {}}, {"metrics": [None, {"dataPoints": 3}]}])
def test_metrics_without_points_are_no_use(scope):
    """Objects of metrics that lack what they should hold give no row and stop nothing."""
    text = json.dumps({"resource": {"attributes": {}}, "scopeMetrics": [scope]})
    found = list(reader("otlp").parse(io.BytesIO(text.encode()), ReadOptions(file="f")))
    assert not [one for one in found if isinstance(one, dict)]
