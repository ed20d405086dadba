"""Sums over postings in memory say what the engine says, and nothing that is read once goes stale."""

import gc
import weakref
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from joulebook.book import Book
from joulebook.ledger import balance
from joulebook.ledger.balance import BY, Only
from joulebook.ledger.gathered import gathered, stated_under

FIRST = datetime(2026, 10, 30, 23, tzinfo=UTC)
ONLY = (
    Only(),
    Only(since=datetime(2026, 11, 1, tzinfo=UTC)),
    Only(tools=("codex", "goose")),
    Only(since=datetime(2026, 10, 31, tzinfo=UTC), tools=("codex",)),
    Only(since=datetime(2026, 11, 3)),  # noqa: DTZ001  (without a zone: UTC)
)
VIEWS = ((), *((name,) for name in BY), ("tool", "day"), ("model", "month", "project"))


def usage(first: int, count: int, **more: object) -> Iterator[dict[str, Any]]:
    """Made-up answers of three tools and two models; some tell no cost, no project, no number of requests."""
    for number in range(first, first + count):
        row = {
            "usage_key": f"{number:032x}",
            "source": "made-up",
            "provider": ("anthropic", "openai")[number % 2],
            "model": ("claude-sonnet-4-5", "gpt-5.4")[number % 2],
            "tool": ("codex", "goose", None)[number % 3],
            "project": ("shop", None)[number % 4 // 2],
            "started_at": FIRST + timedelta(hours=7 * number),
            "uncached_input_tokens": 100 + number,
            "visible_output_tokens": 10 * number,
            "request_count": None if number % 11 == 5 else 1,
            "cost_usd": 0.25 if number % 5 == 0 else None,
            "is_synthetic": number % 7 == 0,
            "tier": "measured",
        }
        yield {name: value for name, value in {**row, **more}.items() if value is not None}


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    """A book of two imports, of which the first was restated."""
    times = iter(datetime(2026, 12, day, tzinfo=UTC) for day in range(1, 28))
    book = Book(tmp_path_factory.mktemp("gathered") / "book", clock=lambda: next(times))
    book.import_rows(usage(0, 40), "first")
    book.restate("test")
    book.import_rows(usage(40, 20, region="eu-west-1", provider="aws"), "second")
    return book


def plain(groups: list[dict[str, Any]]) -> list[tuple[tuple[str, Any], ...]]:
    """Groups in an order of their own, with their types."""
    return sorted((tuple(sorted(group.items())) for group in groups), key=repr)


@pytest.mark.parametrize("only", ONLY, ids=repr)
@pytest.mark.parametrize(
    "stated_at",
    [None, datetime(2026, 12, 1, 12, tzinfo=UTC), datetime(2026, 12, 2, 12)],  # noqa: DTZ001  (without a zone: UTC)
    ids=["now", "before", "between"],
)
def test_memory_says_what_the_engine_says(book: Book, stated_at: datetime | None, only: Only) -> None:
    """Whatever one groups by, asks for or looks back to, both give the same groups with the same whole numbers."""
    postings = book.store.rows(book.store.table("posting"))
    for by in VIEWS:
        engine = book.store.rows(balance.standing(book.store.table("posting"), by, stated_at, only))
        assert plain(gathered(postings, by, stated_at, only)) == plain(engine)


def test_terms_in_memory_are_those_of_the_engine(book: Book) -> None:
    """Policies and editions of what stands are the same; a reversed posting stands no more."""
    postings = book.store.rows(book.store.table("posting"))
    assert plain(stated_under(postings)) == plain(book.store.rows(balance.stated_terms(book.store.table("posting"))))


def test_a_large_book_says_the_same(book: Book) -> None:
    """Where postings are too many for memory, the engine sums, and the report has the same bits."""
    small = [book.report(by) for by in VIEWS]
    large = Book(book.path)
    large.held_postings = 0
    assert [large.report(by) for by in VIEWS] == small
    assert large.terms() == book.terms()


def test_what_another_process_posts_is_seen(tmp_path: Path) -> None:
    """A report after somebody else's import into the same folder has the new rows, though it was read before."""
    mine, theirs = Book(tmp_path / "book"), Book(tmp_path / "book")
    mine.import_rows(usage(0, 5), "first")
    assert mine.report(())[0].row_count == 5
    theirs.import_rows(usage(5, 7, region="KOR"), "second")
    assert mine.report(())[0].row_count == 12
    assert sum(line.row_count for line in mine.report(("region",))) == 12


def test_a_book_goes_with_its_last_user(tmp_path: Path) -> None:
    """Nothing that a report keeps holds the book: its engine is closed without a search for cycles."""
    gc.collect()
    gc.disable()
    try:
        book = Book(tmp_path / "book")
        book.import_rows(usage(0, 5), "first")
        assert book.report(("tool",))
        store = weakref.ref(book.store)
        del book
        assert store() is None
    finally:
        gc.enable()
