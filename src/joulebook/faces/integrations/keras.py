"""Keras: ``model.fit(..., callbacks=[JoulebookCallback()])``."""

from importlib import import_module
from typing import Any

from joulebook.faces.integrations.training import TrainingMeter

Callback: Any = import_module("keras.callbacks").Callback


class JoulebookCallback(Callback):
    """Measures a training; the logs of every epoch become metrics of the run.

    Args:
        name: what the run is called.
        settings: what `joulebook.measure` takes.

    Source: Keras, "Base Callback class".
    """

    def __init__(self, name: str = "fit", **settings: Any) -> None:  # noqa: ANN401  (passed on)
        super().__init__()
        self.meter = TrainingMeter(name, settings)

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ANN401, ARG002
        """Start."""
        self.meter.begin()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ANN401, ARG002
        """Keep the results of the epoch."""
        self.meter.note(logs or {})

    def on_train_end(self, logs: Any = None) -> None:  # noqa: ANN401
        """End."""
        self.meter.note(logs or {})
        self.meter.end()
