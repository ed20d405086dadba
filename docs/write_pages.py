"""Write the pages that come from the source: the glossary in both languages, and the claims."""

from pathlib import Path

from joulebook.terms.glossary import glossary

HERE = Path(__file__).parent


def main() -> None:
    """Write each page beside this file."""
    (HERE / "glossary.md").write_text(glossary("en"), encoding="utf-8")
    (HERE / "glossary.ko.md").write_text(glossary("ko"), encoding="utf-8")


if __name__ == "__main__":
    main()
