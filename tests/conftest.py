"""Shared fixtures."""

import importlib.util
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from joulebook.book import Book

ROOT = Path(__file__).parents[1]


def pytest_configure() -> None:
    """Compile the message catalogs, so that tests speak both languages from a fresh checkout."""
    spec = importlib.util.spec_from_file_location("build_catalogs", ROOT / "build_catalogs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.compile_catalogs()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of reference data beside the project; tests that read it are skipped where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the reference data folder ../shared/data is not here")
    return folder


@pytest.fixture(scope="session")
def sample_book(tmp_path_factory: pytest.TempPathFactory) -> "Book":
    """A book with two thousand requests of the sample day; read it, do not write to it."""
    from joulebook.book import Book
    from joulebook.faces.sample import sample_options, write_sample

    folder = tmp_path_factory.mktemp("book")
    path = write_sample(folder / "sample.csv", requests=2_000)
    book = Book(folder / "book", clock=lambda: datetime(2026, 11, 3, tzinfo=UTC))
    book.import_file("csv", path, sample_options(path))
    return book
