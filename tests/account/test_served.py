"""What records tell of the servers reaches the estimate: speed, wait, requests at once."""

import json

import pytest

from joulebook.book import Book
from joulebook.ingest.reader import ReadOptions

MODEL = "llama-3.1-70b"


def usage(number, day=5, **more):
    """A request of one's own server."""
    return {
        "request_id": f"{day}-{number}",
        "started_at": f"2026-01-{day:02d}T09:{number:02d}:00Z",
        "model": MODEL,
        "provider": "own",
        "uncached_input_tokens": 1000,
        "visible_output_tokens": 300,
        **more,
    }


@pytest.fixture
def priced(tmp_path):
    """Import rows into a book of their own; gives the range of their accelerators' energy, and the audit's findings."""
    books = []

    def run(*rows):
        path = tmp_path / f"{len(books)}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        book = Book(tmp_path / f"book-{len(books)}")
        books.append(book)
        names = sorted({name for row in rows for name in row})
        book.import_file("jsonl", path, ReadOptions(mapping={name: name for name in names}))
        return book.report(())[0].amounts["gpu_energy_kwh"].range, list(book.audit())

    yield run
    for book in books:
        book.store.close()


def spread(found):
    """How many times the high end is above the low one."""
    return found.high / found.low


@pytest.mark.parametrize(
    "told",
    [{"output_tokens_per_s": 20.0}, {"batch_requests": 16.0}, {"output_tokens_per_s": 20.0, "batch_requests": 16.0}],
    ids=["speed", "batch", "both"],
)
def test_what_servers_tell_narrows_the_range(priced, told):
    """A usual speed or a batch in the records gives a narrower range than a deployment of which nothing is known."""
    unknown, _ = priced(usage(1), usage(2))
    known, findings = priced(usage(1, **told), usage(2, **told))
    assert spread(known) < spread(unknown)
    assert findings == []


def test_a_larger_batch_takes_less_energy(priced):
    """The more requests are decoded at once, the less energy one of them takes."""
    alone, _ = priced(usage(1, batch_requests=1.0))
    many, _ = priced(usage(1, batch_requests=64.0))
    assert many.mid < alone.mid


def test_days_are_told_apart(priced):
    """What was seen on one day says nothing of another, and the book replays."""
    unknown, _ = priced(usage(1), usage(1, day=6))
    half, findings = priced(usage(1, batch_requests=64.0), usage(1, day=6))
    assert half.mid != unknown.mid
    assert findings == []


@pytest.mark.parametrize("name", ["output_tokens_per_s", "time_to_first_token_s", "batch_requests"])
def test_absurd_values_stop_nothing(priced, name):
    """Values that no server has give a range all the same, never a failure or an energy of nothing."""
    rows = [usage(1, day, **{name: value}) for day, value in enumerate((0.0, 1e-6, 1e6, 1e12), start=1)]
    found, _ = priced(*rows)
    assert 0 < found.low <= found.mid <= found.high < 1e9
