"""joulebook inside other tools; frameworks are stood in for by the few names that are used of them."""

import importlib
import json
import socketserver
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from joulebook.faces.cloud_place import cloud_place
from joulebook.faces.integrations.zeusd import ZeusdReader
from joulebook.measure.replay import read_run

SRC = Path(__file__).parents[2] / "src"


@pytest.fixture
def stand_in(monkeypatch):
    """Put a module of some names where a framework would be, and import an integration anew."""

    def make(framework, integration, **names):
        parts = framework.split(".")
        for depth in range(1, len(parts) + 1):
            name = ".".join(parts[:depth])
            module = ModuleType(name)
            module.__spec__ = importlib.machinery.ModuleSpec(name, None)
            monkeypatch.setitem(sys.modules, name, module)
        for name, value in names.items():
            setattr(sys.modules[framework], name, value)
        full = f"joulebook.faces.integrations.{integration}"
        monkeypatch.delitem(sys.modules, full, raising=False)
        return importlib.import_module(full)

    return make


class Base:
    """A framework's base class."""


class Tensor:
    """A number as frameworks hold it."""

    def numel(self):
        """One element."""
        return 1

    def item(self):
        """The number."""
        return 0.25


def test_transformers(stand_in, tmp_path):
    """A training of the Trainer is a run with its last results, its tokens and its operations."""
    module = stand_in("transformers", "transformers", TrainerCallback=Base)
    callback = module.JoulebookCallback(project="p", folder=tmp_path, meters=["rapl"])
    state = SimpleNamespace(num_input_tokens_seen=1000, total_flos=5e9)
    callback.on_train_begin(None, state, None)
    callback.on_log(None, state, None, logs={"loss": 2.0, "epoch": 1, "note": "text"})
    callback.on_log(None, state, None, logs={"loss": 1.5, "eval_accuracy": 0.9, "eval_runtime": 3, "grad_norm": 1})
    callback.on_log(None, state, None, logs={"train_samples_per_second": 9, "learning_rate": 0.1, "total_flos": 5})
    callback.on_train_end(None, state, None)
    summary = callback.meter.summary
    assert summary.metrics == {"loss": 1.5, "eval_accuracy": 0.9}
    assert summary.counts == {"input_tokens": 1000, "flops": 5e9}
    assert read_run(tmp_path / summary.run) == summary


def test_lightning(stand_in, tmp_path):
    """A fit of Lightning is a run with the trainer's metrics; one that breaks is kept as broken."""
    module = stand_in("lightning.pytorch", "lightning", Callback=Base)
    callback = module.JoulebookCallback(folder=tmp_path, meters=["rapl"])
    callback.on_fit_start(None, None)
    callback.on_fit_end(SimpleNamespace(callback_metrics={"val_loss": Tensor()}), None)
    assert callback.meter.summary.metrics == {"val_loss": 0.25}
    callback.on_fit_start(None, None)
    callback.on_exception(None, None, ValueError("x"))
    assert callback.meter.summary.status == "exception"


def test_keras(stand_in, tmp_path):
    """A fit of Keras is a run with the logs of its last epoch."""
    module = stand_in("keras.callbacks", "keras", Callback=Base)
    callback = module.JoulebookCallback(folder=tmp_path, meters=["rapl"])
    callback.on_train_begin()
    callback.on_epoch_end(0, {"accuracy": 0.5})
    callback.on_epoch_end(1, {"accuracy": 0.8})
    callback.on_train_end()
    assert callback.meter.summary.metrics == {"accuracy": 0.8}


@pytest.fixture
def span(tmp_path):
    """A span that has ended."""
    import joulebook

    with joulebook.measure("train", folder=tmp_path, meters=["rapl"]) as m:
        sum(range(10_000))
    return m


def test_mlflow(stand_in, span):
    """MLflow gets every known figure with its ends as metrics, and where they come from as tags."""
    logged = {}
    module = stand_in("mlflow", "mlflow", log_metrics=logged.update, set_tags=logged.update)
    found = module.log_run(span, region="KOR")
    low, mid, high = (found[f"joulebook/co2e_operational_location_g{end}"] for end in ("_low", "", "_high"))
    assert 0 < low <= mid <= high
    assert logged["joulebook.zone"] == "KOR"
    assert logged["joulebook.tier"] in {"estimated", "assumed"}
    assert "cpu" in logged["joulebook.missing"]


def test_wandb(stand_in, span):
    """W&B gets the same in its summary and config, and an error says what to do without a run."""
    run = SimpleNamespace(summary={}, config={})
    module = stand_in("wandb", "wandb", run=run)
    module.log_run(span)
    assert run.summary["joulebook/it_energy_kwh"] > 0
    assert run.config["joulebook.zone"] == "unknown"
    module.wandb.run = None
    with pytest.raises(RuntimeError, match=r"wandb\.init"):
        module.log_run(span)


def test_pytest_plugin(tmp_path):
    """With --joulebook every test is listed with its energy; without it nothing is measured."""
    (tmp_path / "test_it.py").write_text("def test_a():\n    sum(range(10**6))\ndef test_b():\n    pass\n")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "joulebook.faces.integrations.pytest_plugin", str(tmp_path)]
    env = {
        "PYTHONPATH": str(SRC),
        "JOULEBOOK_JOURNALS": str(tmp_path / "j"),
        "PATH": "/usr/bin:/bin",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # an installed joulebook brings the plugin itself
    }
    plain = subprocess.run(words, env=env, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    assert "joulebook" not in plain
    assert not (tmp_path / "j").exists()
    asked = [*words, "--joulebook", "--joulebook-region", "KOR"]
    shown = subprocess.run(asked, env=env, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    assert "test_it.py::test_a" in shown
    assert "test_it.py::test_b" in shown
    assert "CO2e, zone KOR" in shown


class Daemon(BaseHTTPRequestHandler):
    """Answers as zeusd does for two packages, the second without memory."""

    energy = 1_000_000

    def do_POST(self):
        """One counter."""
        self.rfile.read(int(self.headers["Content-Length"]))
        package = int(self.path.split("/")[2])
        type(self).energy += 500_000
        body = json.dumps({"cpu_energy_uj": self.energy, "dram_energy_uj": 7 if package == 0 else None}).encode()
        self.send_response(200 if package < 2 else 400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        """Say nothing."""


def test_zeusd(tmp_path):
    """The daemon's packages are counters of the same names as RAPL's; one that is not there is an absence."""
    path = tmp_path / "zeusd.sock"
    with socketserver.ThreadingUnixStreamServer(str(path), Daemon) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        reader = ZeusdReader(path)
        opened = reader.open()
        first, second = reader.read(), reader.read()
        server.shutdown()
    assert [one.domain for one in opened.channels] == ["package-0", "package-0/dram", "package-1"]
    assert second[0] - first[0] == 1_000_000
    assert first[1] == 7
    assert ZeusdReader(tmp_path / "none").open().absences[0].component == "cpu"


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"api/token": "t", "placement/region": "eu-north-1"}, ("aws", "eu-north-1")),
        ({"instance/zone": "projects/1/zones/asia-northeast3-b"}, ("gcp", "asia-northeast3")),
        ({"metadata/instance": '{"compute": {"location": "koreacentral"}}'}, ("azure", "koreacentral")),
        ({}, None),
    ],
)
def test_cloud_place(answers, expected):
    """The place comes from whichever cloud answers, and stays unknown where none does."""

    def ask(method, address, headers):
        for part, text in answers.items():
            if part in address:
                return text
        raise OSError(address)

    assert cloud_place(ask) == expected
