"""Weights & Biases: put what a run used into its summary."""

from importlib import import_module
from typing import Any

from joulebook.faces.integrations.figures import account_of, figures, words
from joulebook.measure.span import Span
from joulebook.measure.summary import RunSummary

wandb: Any = import_module("wandb")


def log_run(run: Span | RunSummary, provider: str | None = None, region: str | None = None) -> dict[str, float]:
    """Write figures into the summary of the active W&B run, and where they come from into its config; the figures.

    Args:
        run: a span after its end, or a run.
        provider: who hosts the machine; None is unknown.
        region: its region, or a country; None is unknown.

    Raises:
        RuntimeError: no W&B run is active.

    Source: W&B Python SDK, ``wandb.run.summary``, ``wandb.config``.
    """
    if wandb.run is None:
        msg = "no W&B run is active: call wandb.init() first"
        raise RuntimeError(msg)
    account = account_of(run, provider, region)
    found = figures(account, "joulebook/")
    wandb.run.summary.update(found)
    wandb.run.config.update(words(account))
    return found
