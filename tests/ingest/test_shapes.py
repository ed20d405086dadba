"""Reading only the names that count gives what reading everything gives, on whole and on damaged logs."""

import json
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import RECORDINGS
from test_fuzz import mutated, mutations, read, run

from joulebook.ingest import marked, records
from joulebook.ingest.lines import json_value, loaded, taken
from joulebook.ingest.mapping import MAPPABLE, FieldMapping
from joulebook.ingest.rows import RowMaker
from joulebook.terms.finding import Finding

SHAPED = [one for one in RECORDINGS if one.reader in {"claude-code", "codex", "gemini-cli", "qwen-code"}]
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5)


def read_whole(recording, content):
    """The same reader, with every line of interest taken apart whole and no line known as content."""

    def every_line(*given, content=None, **named):
        return marked.marked_lines(*given, **named)

    with pytest.MonkeyPatch.context() as patch:
        for module in (marked, records):
            patch.setattr(module, "shaped", lambda shape: lambda text: taken(shape, loaded(text)))
        patch.setattr(module_of(recording), "marked_lines", every_line)
        return without_content(read(recording, content), recording, content)


def module_of(recording):
    """The module of a recording's reader."""
    return import_module(f"joulebook.ingest.agents.{MODULES[recording.reader]}")


def without_content(found, recording, content):
    """Rows and findings but for those on content."""
    return [item for item in found if not is_of_content(item, recording, content)]


def is_of_content(item, recording, content):
    """Whether this is a finding on a damaged line that begins as content does: such lines are never taken apart."""
    begins = getattr(module_of(recording), "is_content", None)
    is_finding = isinstance(item, Finding) and item.rule in {"not-json", "not-an-object", "torn-line"}
    return bool(is_finding and begins and begins(content.split(b"\n")[item.line - 1]))


MODULES = {"claude-code": "claude_code", "codex": "codex", "gemini-cli": "gemini_cli", "qwen-code": "gemini_cli"}


@pytest.mark.parametrize("recording", SHAPED, ids=lambda one: one.file)
def test_same_on_damaged_logs(recording):
    """Rows and findings are the same, on every damaged log that is still text, but for findings on content."""

    def holds(steps):
        content = mutated(recording.content(), steps).decode(errors="ignore").encode()
        found = without_content(read(recording, content), recording, content)
        assert found == read_whole(recording, content)

    run(holds, 80, steps=mutations)


def test_content_that_is_no_text():
    """An answer whose content holds bytes that are no text is counted like any other."""
    recording = next(one for one in SHAPED if one.reader == "claude-code")
    damaged = recording.content().replace(b"SECRET", b"SE\xffRET")
    assert damaged != recording.content()
    assert read(recording, damaged) == read(recording, recording.content())


@given(value=JSON)
def test_json_is_the_standard_librarys(value):
    """The quicker JSON gives the values of the standard library's, for everything it can write."""
    text = json.dumps(value)
    assert str(json_value(text)) == str(json.loads(text))
    assert str(json_value(text.encode())) == str(json.loads(text))


@given(
    cells=st.dictionaries(
        st.sampled_from(MAPPABLE),
        st.none()
        | st.integers(-5, 2**65)
        | st.floats()
        | st.text(max_size=20)
        | st.booleans()
        | st.sampled_from(["", "2026-11-22T09:00:00Z", "12", "1.5", "msg_0123456789012345678901234", "gpt-5"]),
    )
)
def test_rows_by_name(cells):
    """A row made from named cells is the row made from cells in order, or the same finding."""
    mapping = FieldMapping(columns={name: name for name in MAPPABLE}, source_id="x", constants={"team": "t"})
    ordered = RowMaker(mapping, "f").make([cells.get(name) for name in mapping.columns], 7)
    named = RowMaker(mapping, "f").make_named(cells, 7)
    assert named == ordered
