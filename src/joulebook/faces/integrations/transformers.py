"""Hugging Face Trainer: ``Trainer(..., callbacks=[JoulebookCallback(project="p")])``."""

from importlib import import_module
from typing import Any

from joulebook.faces.integrations.training import TrainingMeter

BOOKKEEPING = ("epoch", "learning_rate", "grad_norm", "total_flos")
"""What the trainer logs about itself, beside what ends like `ABOUT_TIME`; neither is a result of the training."""

ABOUT_TIME = ("_runtime", "_per_second")

TrainerCallback: Any = import_module("transformers").TrainerCallback


class JoulebookCallback(TrainerCallback):
    """Measures a training; results that the trainer logs become metrics of the run.

    Args:
        name: what the run is called.
        settings: what `joulebook.measure` takes.

    Source: Hugging Face Transformers, "Callbacks".
    """

    def __init__(self, name: str = "train", **settings: Any) -> None:  # noqa: ANN401  (passed on)
        self.meter = TrainingMeter(name, settings)

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ANN401, ARG002
        """Start."""
        self.meter.begin()

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:  # noqa: ANN401, ARG002
        """Keep loss, accuracy and what else is a result and a number."""
        results = (logs or {}).items()
        self.meter.note(
            {name: value for name, value in results if name not in BOOKKEEPING and not name.endswith(ABOUT_TIME)}
        )

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ANN401, ARG002
        """End, with the trainer's own counts of tokens and operations."""
        self.meter.count(
            tokens=int(getattr(state, "num_input_tokens_seen", 0) or 0),
            flops=float(getattr(state, "total_flos", 0.0) or 0.0),
        )
        self.meter.end()
