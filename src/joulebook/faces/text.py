"""Every text a user sees, in Korean or English.

Only faces translate. The core marks its texts with `joulebook.errors.translatable`; the face that shows them calls `_`.
"""

import gettext
import os
import re
from collections.abc import Generator, Iterable, MutableMapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from string import Formatter

from joulebook.config import TOP, read_config
from joulebook.errors import ConfigFault, JoulebookError
from joulebook.terms.finding import RULES, Finding

LANGUAGES = ("en", "ko")
LOCALE = Path(__file__).parents[1] / "locale"

OURS = frozenset({"what", "next_step", "kind", "expected", "reason", "remedy"})
"""Facts of an error that are texts of ours; all others are the user's words and stay as they are."""

NEAREST_SHOWN = 5

VARIABLE = "LANGUAGE"
"""Where gettext looks first for the language. Source: GNU gettext manual, "The LANGUAGE variable"."""

_chosen: str | None = None
_before: list[str | None] = []


def language() -> str:
    """The language in use: the chosen one, else the first of LANGUAGE, LC_ALL, LC_MESSAGES, LANG, else English."""
    if _chosen is not None:
        return _chosen
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        for wanted in os.environ.get(variable, "").split(":"):
            if wanted[:2].lower() in LANGUAGES:
                return wanted[:2].lower()
    return "en"


def choose_language(wanted: str | None) -> None:
    """Use one language from now on; None goes back to the environment's."""
    global _chosen  # noqa: PLW0603  (one process speaks one language)
    _chosen = wanted


def settled_language() -> str | None:
    """The language that a file of settings asks for, if any."""
    try:
        settled = read_config().text(TOP, "lang")
    except ConfigFault:
        return None  # whoever reads more of the file than its language says what is wrong with it
    return settled if settled in LANGUAGES else None


@cache
def _catalog(wanted: str) -> gettext.NullTranslations:
    if wanted == "en":
        return gettext.NullTranslations()
    path = LOCALE / wanted / "LC_MESSAGES" / "joulebook.mo"
    if not path.is_file():  # a source tree whose catalogs were not compiled: English, not a crash
        return gettext.NullTranslations()
    with path.open("rb") as stream:
        return gettext.GNUTranslations(stream)


def _(message: str) -> str:
    """The message in the language in use."""
    return _catalog(language()).gettext(message) if message else ""


@contextmanager
def spoken() -> Generator[None]:
    """Let Click speak the language in use: its words come from our catalog, found by way of ``LANGUAGE``."""
    former = os.environ.get(VARIABLE)
    gettext.bindtextdomain("joulebook", str(LOCALE))
    gettext.textdomain("joulebook")
    os.environ[VARIABLE] = language()
    _before.append(former)
    try:
        yield
    finally:
        _before.pop()
        gettext.textdomain("messages")
        _put(os.environ, former)


def own_environment() -> dict[str, str]:
    """The environment as it was given to us: what a child should see."""
    environment = dict(os.environ)
    if _before:
        _put(environment, _before[0])
    return environment


def _put(environment: MutableMapping[str, str], value: str | None) -> None:
    environment.pop(VARIABLE, None)
    if value is not None:
        environment[VARIABLE] = value


def error_text(error: JoulebookError) -> str:
    """What an error says, in the language in use; facts that are texts of ours are translated, too."""
    facts = {name: _in_words(name, fact) for name, fact in error.facts.items()}
    return _(error.template).format(**facts)


def finding_text(finding: Finding) -> str:
    """What a finding says, in the language in use; facts that are texts of ours are translated, too."""
    facts = {name: _in_words(name, fact) for name, fact in finding.facts.items()}
    return _(RULES[finding.rule]).format(**facts)


def refilled(text: str, templates: Iterable[str]) -> str:
    """A text of the book in the language in use; one that was filled in is taken apart by the template it came from."""
    said = _(text)
    if said != text or language() == "en":
        return said
    for template in templates:
        parts = [(re.escape(literal), name) for literal, name, *_rest in Formatter().parse(template)]
        pattern = "".join(literal + (f"(?P<{name}>.*)" if name else "") for literal, name in parts)
        found = re.fullmatch(pattern, text)
        if found:
            return _(template).format(**found.groupdict())
    return text


def _in_words(name: str, fact: object) -> object:
    if not isinstance(fact, str):
        return fact
    if name == "nearest":
        return ", ".join(fact.split(", ")[:NEAREST_SHOWN])
    return _(fact) if name in OURS else fact
