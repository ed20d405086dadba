"""What is loaded when: starting must stay quick."""

import json
import subprocess
import sys

import pytest

from joulebook.book import Book

HEAVY = ("narwhals", "duckdb", "numpy", "pandas", "polars", "pyspark", "pyarrow", "yaml", "rich", "jinja2", "pynvml")
SDKS = ("openai", "anthropic", "google", "boto3", "azure", "requests", "httpx", "mlflow", "wandb")


def loaded_after(statement: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after a statement."""
    listing = "sorted({name.partition('.')[0] for name in sys.modules})"
    code = f"{statement}\nimport sys, json\nprint('\\n' + json.dumps({listing}))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(result.stdout.splitlines()[-1]))


def test_importing_joulebook_loads_nothing_heavy():
    """`import joulebook` loads no table library, engine or SDK."""
    assert not loaded_after("import joulebook") & {*HEAVY, *SDKS, "click", "psutil"}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["import", "--list"]])
def test_help_loads_no_table_library(arguments: list[str]):
    """Commands that compute nothing load no table library, engine or SDK."""
    statement = f"from joulebook.faces.cli.main import run_command\nrun_command({arguments!r})"
    assert not loaded_after(statement) & {*HEAVY, *SDKS}


def test_a_report_of_what_is_posted_loads_no_table_library(sample_book: Book):
    """A report of a small book in which nothing is new needs the engine, but neither table library nor templates."""
    sample_book.post()
    arguments = ["--book", str(sample_book.path), "report"]
    statement = f"from joulebook.faces.cli.main import run_command\nassert run_command({arguments!r}) == 0"
    assert not loaded_after(statement) & {*HEAVY, *SDKS} - {"duckdb", "yaml"}


def test_every_public_name_loads():
    """Each name of the public surface can be had from the package."""
    import joulebook

    for name in joulebook.__all__:
        assert getattr(joulebook, name) is not None
    with pytest.raises(AttributeError):
        joulebook.no_such_name  # noqa: B018
