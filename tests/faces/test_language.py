"""Both languages are complete."""

import ast
import os
import re
from pathlib import Path
from string import Formatter

import click
import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import joulebook
from joulebook.account.resolve_machine import HINT_DEVICE
from joulebook.faces.cli.main import run_command
from joulebook.faces.text import OURS, choose_language, own_environment, refilled, spoken
from joulebook.factors.read import read_edition
from joulebook.terms.columns import columns

SOURCE = Path(joulebook.__file__).parent
KOREAN = SOURCE / "locale" / "ko"
CLICK = KOREAN / "click.po"
MARKS = {"_", "translatable"}
HANGUL = re.compile(r"[가-힣]")
PARTICLE = re.compile(r"\}(은|는|이|가|을|를|과|와|으로|로)(?![가-힣])")


def messages() -> dict[str, str]:
    """Every text that the source marks for translation, with the file it stands in."""
    found = {}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS and node.args:
                text = node.args[0]
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    found[text.value] = str(path.relative_to(SOURCE))
    pages = extract_from_dir(SOURCE, [("**.html", "jinja2")], keywords={"_": None})
    return found | {text: file for file, _line, text, _comments, _context in pages if isinstance(text, str)}


def korean() -> dict[str, str]:
    """Every translation of all fragments."""
    known = {}
    for fragment in KOREAN.glob("*.po"):
        if fragment == CLICK:
            continue
        with fragment.open("rb") as stream:
            known.update({message.id: message.string for message in read_po(stream, locale="ko") if message.id})
    return known


def test_every_text_has_a_korean_translation():
    """No text a user may see is missing in Korean."""
    known = korean()
    missing = {text: file for text, file in messages().items() if not known.get(text)}
    assert not missing


def test_an_error_says_nothing_that_cannot_be_translated():
    """Words that an error brings along are marked for the translators, or come from elsewhere."""
    unmarked = [
        f"{path.name}:{fact.value.lineno}"
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        for fact in node.keywords
        if fact.arg in OURS and isinstance(fact.value, ast.Constant | ast.JoinedStr) and has_words(fact.value)
    ]
    assert not unmarked


def has_words(text: ast.Constant | ast.JoinedStr) -> bool:
    """Whether a literal holds more than one word of ours; names of columns and figures need no translation."""
    parts = text.values if isinstance(text, ast.JoinedStr) else [text]
    words = " ".join(str(part.value) for part in parts if isinstance(part, ast.Constant))
    return len(re.findall(r"[A-Za-z]{2,}", words)) > 1 and " " in words.strip()


def test_no_translation_is_left_over():
    """No fragment translates a text that nobody shows any more."""
    wanted = set(messages())
    assert not [text for text in korean() if text not in wanted]


@pytest.mark.parametrize(("text", "translation"), sorted(korean().items()))
def test_a_translation_keeps_the_placeholders_and_needs_no_particle(text, translation):
    """A translation fills in the same facts, and no particle follows a variable whose last sound is not known."""
    fields = [{field for _literal, field, *_rest in Formatter().parse(one) if field} for one in (text, translation)]
    assert fields[0] == fields[1]
    assert not PARTICLE.search(translation)


def test_every_column_has_a_meaning_in_both_languages():
    """The dictionary explains each column in English and in Korean."""
    for name, column in columns().items():
        assert column.meaning["en"].endswith("."), name
        assert HANGUL.search(column.meaning["ko"]), name


def test_every_subject_with_a_name_has_it_in_both_languages():
    """A place or model that is shown by name has one in each language."""
    for subject, names in read_edition().names.items():
        assert {"en", "ko"} <= set(names), subject


def test_the_words_of_click_are_its_own():
    """Every text that is translated for Click is one that the installed Click says, with the same facts."""
    said = "\n".join(path.read_text(encoding="utf-8") for path in Path(click.__file__).parent.glob("*.py"))
    said = re.sub(r'"\s*\n?\s*"', "", said)
    with CLICK.open("rb") as stream:
        for message in (message for message in read_po(stream, locale="ko") if message.id):
            forms = message.id if isinstance(message.id, tuple) else (message.id,)
            korean_form = message.string[0] if isinstance(message.string, tuple) else message.string
            known = {name for form in forms for _literal, name, *_rest in Formatter().parse(form) if name}
            assert {name for _literal, name, *_rest in Formatter().parse(korean_form) if name} <= known
            for form in forms:
                assert form.replace("\n", "\\n").replace("\t", "\\t") in said, form


def test_a_wrong_option_is_told_in_korean(capsys):
    """Help and errors of the command line itself are in the language that was asked for."""
    assert run_command(["--lang", "ko", "report", "--nope"]) == 2
    told = capsys.readouterr().err
    assert "없는 옵션입니다" in told
    assert "Usage" not in told
    assert run_command(["--lang", "en", "report", "--nope"]) == 2
    assert "No such option" in capsys.readouterr().err


def test_a_measured_command_keeps_its_own_language(monkeypatch):
    """Our choice of language is not handed on to a command that is run under measurement."""
    monkeypatch.setenv("LANGUAGE", "fr:en")
    choose_language("ko")
    with spoken():
        assert os.environ["LANGUAGE"] == "ko"
        assert own_environment()["LANGUAGE"] == "fr:en"
    assert os.environ["LANGUAGE"] == "fr:en"
    monkeypatch.delenv("LANGUAGE")
    with spoken():
        assert "LANGUAGE" not in own_environment()
    assert "LANGUAGE" not in os.environ
    choose_language(None)


def test_a_hint_that_was_filled_in_is_told_in_korean():
    """A hint of the book keeps its names and is in the reader's language; a text of others stays as it is."""
    choose_language("ko")
    hint = HINT_DEVICE.format(name="x9.large (old)", nearest="m5.large, c5.large")
    told = refilled(hint, (HINT_DEVICE,))
    choose_language(None)
    assert HANGUL.search(told)
    assert "x9.large (old)" in told
    assert "m5.large, c5.large" in told
    assert refilled("Something else.", (HINT_DEVICE,)) == "Something else."
