"""Pages that are written from the source are what the source says."""

from pathlib import Path

import pytest

from joulebook.faces import assumption_page
from joulebook.faces.text import choose_language
from joulebook.factors.read import read_edition
from joulebook.terms.glossary import glossary

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize(("name", "language"), [("glossary.md", "en"), ("glossary.ko.md", "ko")])
def test_the_glossary_is_the_dictionary(name: str, language: str):
    """The glossary page says what the column dictionary says; `make docs` writes it anew."""
    assert (DOCS / name).read_text(encoding="utf-8") == glossary(language)


def test_links_between_pages_lead_somewhere():
    """Each relative link in README and docs points to a file that is there."""
    import re

    root = DOCS.parent
    for page in [*root.glob("*.md"), *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} -> {target}"


def test_every_page_stands_in_both_languages():
    """Each page for users has its partner in the other language; decisions are for those who build."""
    pages = {path for path in DOCS.rglob("*.md") if "decisions" not in path.parts}
    english = {path for path in pages if not path.name.endswith(".ko.md")}
    assert {path.with_suffix(".ko.md") for path in english} == pages - english


@pytest.mark.parametrize(("name", "language"), [("assumptions.md", "en"), ("assumptions.ko.md", "ko")])
def test_the_register_is_the_library(name: str, language: str):
    """The page of assumptions lists exactly those of the library; `make docs` writes it anew."""
    choose_language(language)
    assert (DOCS / name).read_text(encoding="utf-8") == assumption_page.page(read_edition().factors)
    choose_language("en")


def test_the_figures_of_accuracy_are_the_same_in_both_languages():
    """Each table of the Korean page is the English one in other words, figure by figure."""
    import re

    pytest.importorskip("numpy")
    from benchmarks.accuracy.korean import in_korean

    pages = [(DOCS / name).read_text(encoding="utf-8") for name in ("accuracy.md", "accuracy.ko.md")]
    between = re.compile(r"<!-- \w+: start -->\n(.*?)<!--", re.DOTALL)
    english, korean = (between.findall(page) for page in pages)
    assert len(english) == 3
    assert [in_korean(table) for table in english] == korean
