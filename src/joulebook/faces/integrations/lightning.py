"""Lightning: ``Trainer(callbacks=[JoulebookCallback()])``; nothing happens unless it is given."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from joulebook.faces.integrations.training import TrainingMeter

Callback: Any = import_module("lightning.pytorch" if find_spec("lightning") else "pytorch_lightning").Callback


class JoulebookCallback(Callback):
    """Measures ``fit``; the trainer's callback metrics become metrics of the run.

    Args:
        name: what the run is called.
        settings: what `joulebook.measure` takes.

    Source: Lightning, "Callback".
    """

    def __init__(self, name: str = "fit", **settings: Any) -> None:  # noqa: ANN401  (passed on)
        super().__init__()
        self.meter = TrainingMeter(name, settings)

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:  # noqa: ANN401, ARG002
        """Start."""
        self.meter.begin()

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ANN401, ARG002
        """End."""
        self.meter.note(getattr(trainer, "callback_metrics", {}))
        self.meter.end()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:  # noqa: ANN401, ARG002
        """End, and say that it was cut short."""
        self.meter.end(exception)
