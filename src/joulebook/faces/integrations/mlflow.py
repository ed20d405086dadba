"""MLflow: log what a run used beside its results."""

from importlib import import_module
from typing import Any

from joulebook.faces.integrations.figures import account_of, figures, words
from joulebook.measure.span import Span
from joulebook.measure.summary import RunSummary

mlflow: Any = import_module("mlflow")


def log_run(run: Span | RunSummary, provider: str | None = None, region: str | None = None) -> dict[str, float]:
    """Log figures as metrics and where they come from as tags of the active MLflow run; the figures.

    Args:
        run: a span after its end, or a run.
        provider: who hosts the machine; None is unknown.
        region: its region, or a country; None is unknown.

    Source: MLflow Python API, ``log_metrics``, ``set_tags``.
    """
    account = account_of(run, provider, region)
    found = figures(account, "joulebook/")
    mlflow.log_metrics(found)
    mlflow.set_tags(words(account))
    return found
