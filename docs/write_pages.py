"""Write the pages that come from the source: glossary, claims, assumptions, and the library to search."""

from pathlib import Path

from joulebook.disclose.claim_read import read_claims
from joulebook.disclose.verdict import judge
from joulebook.faces import assumption_page
from joulebook.faces.claim_page import page
from joulebook.faces.cli import factor_page
from joulebook.faces.text import choose_language
from joulebook.factors.read import read_edition
from joulebook.terms.glossary import glossary

HERE = Path(__file__).parent


def main() -> None:
    """Write each page beside this file."""
    (HERE / "glossary.md").write_text(glossary("en"), encoding="utf-8")
    (HERE / "glossary.ko.md").write_text(glossary("ko"), encoding="utf-8")
    edition = read_edition()
    claims, sources = read_claims(edition.sources)
    for name, language in (("claims.md", "en"), ("claims.ko.md", "ko")):
        choose_language(language)
        text = page([judge(claim, claims) for claim in claims.values()], sources)
        (HERE / name).write_text(text, encoding="utf-8")
    for name, language in (("assumptions.md", "en"), ("assumptions.ko.md", "ko")):
        choose_language(language)
        (HERE / name).write_text(assumption_page.page(edition.factors), encoding="utf-8")
    for name, language in (("factor-library.html", "en"), ("factor-library.ko.html", "ko")):
        choose_language(language)
        (HERE / name).write_text("\n".join(factor_page.page(edition)), encoding="utf-8")


if __name__ == "__main__":
    main()
