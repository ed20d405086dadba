"""Mutated recordings: whatever is done to a file, no failure that is not ours, no wrong count, no content told."""

import io
import random
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recorded import RECORDINGS, SECRET

from joulebook.errors import JoulebookError
from joulebook.ingest.reader import reader
from joulebook.terms.finding import RULES, Finding
from joulebook.terms.usage import TOKEN_CLASSES

NUMBER = re.compile(rb'(?<=":)\s*\d+(?=\s*[,}\]])')
ODD = (b"-5", b'"abc"', b"1.5", b"1e999", b"null", b"[]", b"{}", b"true", b'""', b"9" * 30, b"NaN", b'"-1"')
"""What a count may be replaced by; none of them is one."""

PIECES = (b"", b"\n", b"\x00", b"\xff\xfe", b'"', b"}", b"]", b",", b"\\", b"\xef\xbb\xbf", b"{}\n", b"0", b"-")

mutations = st.lists(
    st.tuples(
        st.sampled_from(("cut", "insert", "flip", "double")), st.floats(0, 1), st.floats(0, 1), st.sampled_from(PIECES)
    ),
    min_size=1,
    max_size=4,
)
every_recording = pytest.mark.parametrize("recording", RECORDINGS, ids=lambda one: one.file)


def mutated(content, steps):
    """The content after some steps of damage."""
    for kind, start, end, piece in steps:
        first, last = sorted((int(start * len(content)), int(end * len(content))))
        if kind == "cut":
            content = content[:first] + content[last:]
        elif kind == "insert":
            content = content[:first] + piece + content[first:]
        elif kind == "flip" and content:
            place = min(first, len(content) - 1)
            content = content[:place] + bytes([content[place] ^ (1 << last % 8)]) + content[place + 1 :]
        elif kind == "double":
            content = content[:last] + content[first:]
    return content


def read(recording, content):
    """Rows and findings, or nothing where the file is refused as a whole by an error of ours."""
    try:
        return list(reader(recording.reader).parse(io.BytesIO(content), recording.read_options()))
    except JoulebookError as error:
        told = str(error)
    assert SECRET not in told
    return []


def check(found):
    """What must hold for everything that a reader gives."""
    for row in found:
        if isinstance(row, Finding):
            assert row.rule in RULES
            assert SECRET not in row.message
            continue
        assert row["started_at"].tzinfo is not None
        for name in (*TOKEN_CLASSES, "request_count", "image_count", "embedding_tokens"):
            value = row.get(name)
            assert value is None or (type(value) is int and 0 <= value < 2**63), name


def damage(recording):
    """One property test over damaged bytes."""

    def holds(steps):
        check(read(recording, mutated(recording.content(), steps)))

    return holds


def odd_counts(recording):
    """One property test over replaced counts: no class of a row becomes zero that was not."""
    content = recording.content()
    places = [match.span() for match in NUMBER.finditer(content)]
    before = {row["usage_key"]: row for row in read(recording, content) if not isinstance(row, Finding)}

    def holds(number, odd):
        first, last = places[number % len(places)]
        found = read(recording, content[:first] + odd + content[last:])
        check(found)
        for row in found:
            if isinstance(row, Finding):
                continue
            known = before.get(row["usage_key"], {})
            assert not [name for name in TOKEN_CLASSES if row.get(name) == 0 and known.get(name)]

    return holds


def run(test, examples, **strategies):
    """Run a property a number of times."""
    quiet = settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    quiet(given(**strategies)(test))()


@every_recording
def test_damaged_files(recording):
    """Cut, doubled, flipped or foreign bytes give rows, findings or one clear error, and never content."""
    run(damage(recording), 40, steps=mutations)


@every_recording
def test_odd_counts(recording):
    """A count that is no count is told or left unknown; it never becomes zero or negative."""
    if not NUMBER.search(recording.content()) or recording.file.endswith(".sql"):
        pytest.skip("its counts are not plain JSON numbers")
    run(odd_counts(recording), 60, number=st.integers(0, 10_000), odd=st.sampled_from(ODD))


TIMES = 10_000
KINDS = ("cut", "insert", "flip", "double")


@pytest.mark.nightly
@every_recording
def test_ten_thousand_damaged_files(recording):
    """The same over ten thousand damaged files per recording, every fifth with a count that is none."""
    chance, content = random.Random(recording.file), recording.content()
    is_plain = NUMBER.search(content) and not recording.file.endswith(".sql")
    damaged, odd = damage(recording), odd_counts(recording) if is_plain else None
    for number in range(TIMES):
        if odd is not None and number % 5 == 0:
            odd(chance.randrange(10_000), chance.choice(ODD))
        else:
            steps = [
                (chance.choice(KINDS), chance.random(), chance.random(), chance.choice(PIECES))
                for _ in range(chance.randint(1, 4))
            ]
            damaged(steps)
