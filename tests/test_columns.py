"""The column dictionary as a package carries it: compiled, and never believed over the text it was made of."""

from pathlib import Path

import pytest

from joulebook.terms import columns as module


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "COMPILED", tmp_path / "columns.json")
    module.columns.cache_clear()
    yield
    module.columns.cache_clear()


def _not_parsed(_text: bytes) -> dict:
    raise AssertionError


def test_the_compiled_dictionary_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shipped compiled has the columns of the text, in its order, and the text is not parsed again."""
    expected = module.columns()
    assert module.ship() == module.COMPILED
    module.columns.cache_clear()
    monkeypatch.setattr(module, "_parsed", _not_parsed)
    assert list(module.columns().items()) == list(expected.items())


@pytest.mark.parametrize("change", ["payload", "text"])
def test_another_dictionary_is_not_believed(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed compiled form, or one of another text, is passed over."""
    expected = module.columns()
    path = module.ship()
    if change == "payload":
        path.write_bytes(path.read_bytes().replace(b'"unit":"L"', b'"unit":"kWh"').replace(b"kWh", b"MWh"))
    else:
        text = module._text()
        monkeypatch.setattr(module, "_text", lambda: text + b"# one more line\n")
    module.columns.cache_clear()
    assert module._compiled(module._text()) is None
    assert module.columns() == expected
