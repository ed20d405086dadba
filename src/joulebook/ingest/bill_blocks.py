"""How many tokens a line of a FOCUS bill counts whose unit is only called a unit.

A price may be for a block of units: ``x_PricingBlockSize``, ``x_PricingUnitDescription`` such as 1K, or the name of the
meter. The standard's ContractedCost = ContractedUnitPrice x PricingQuantity tells which of the two quantities counts
blocks; where no price is told, their ratio does. What neither tells stays unknown.

Azure's own usage details count blocks: a quantity of 0.0004 with the unit 10K at 0.1 costs 0.00004 in the samples that
Microsoft publishes with its FinOps toolkit, which are four operations.

Sources: FOCUS 1.2, "Contracted Cost"; Microsoft FinOps toolkit, open data "Pricing units" and the EA sample of its
tests.
"""

import math
import re
from collections.abc import Mapping

from joulebook.ingest.cells import CellFaultError, money

UNITS = ("unit", "units", "1", "1 unit", "1 units")
TOKENS = ("token", "tokens")
PRICES = (("contracted_price", "contracted_cost"), ("list_price", "list_cost"))
CLOSE = 0.01
"""Bills round; two numbers this near are the same, while blocks lie factors of a thousand apart."""

_BLOCK = re.compile(r"\s*([\d,]+)\s*([KMB]?)\b", re.IGNORECASE)
_POWERS = {"": 1, "K": 1_000, "M": 1_000_000, "B": 1_000_000_000}
_NAMED = re.compile(r"\b(?:(1,?000,?000|1M|million)|(1,?000|1K|thousand))\s+(?:\w+\s+){0,5}tokens?\b", re.IGNORECASE)
"""Between them stand at most ``1 hour Cache Write Input``."""

_UNIT = re.compile(
    r"(?P<number>\d[\d,]*)?[ .]*(?<![a-z])(?P<power>k|m|b|thousand|million|billion)?\b[ .]*(?:\w+ ){0,2}"
    r"(?:tokens?|counts?|requests?)\Z|\A(?P<plain>\d[\d,]*) ?(?P<letter>[kmb])\Z|\A(?P<thousands>1,?000(?:,?000)*)\Z",
    re.IGNORECASE,
)
_WORDS = {"": 1, "k": 1_000, "thousand": 1_000, "m": 1_000_000, "million": 1_000_000, "b": 10**9, "billion": 10**9}

UNTOLD = "?"
"""The unit of a line whose blocks are not known."""


def named_block(text: str) -> int | None:
    """The tokens that a unit holds by the words of a meter; None where they do not say.

    >>> named_block("5.4 opt Gl 1M Tokens"), named_block("Million Response Tokens"), named_block("gpt 4o Inp Tokens")
    (1000000, 1000000, None)
    >>> named_block("Million 1 hour Cache Write Input Tokens Global"), named_block("Price per 1 million input tokens")
    (1000000, 1000000)
    """
    found = _NAMED.search(text)
    return None if found is None else 1_000_000 if found[1] else 1_000


def tokens_in(unit: str) -> int | None:
    """The tokens that one unit of a line on tokens holds; None where the unit does not say.

    >>> tokens_in("1K tokens"), tokens_in("1000000 count"), tokens_in("10K"), tokens_in("Tokens"), tokens_in("GB")
    (1000, 1000000, 10000, 1, None)
    """
    found = _UNIT.search(unit)
    if found is None:
        return None
    number = found["number"] or found["plain"] or found["thousands"] or "1"
    return int(number.replace(",", "")) * _WORDS[(found["power"] or found["letter"] or "").lower()]


def told_in_tokens(told: Mapping[str, str | None], text: str) -> tuple[float | None, str]:
    """Quantity and unit of a line on tokens: single tokens, or a unit of untold size.

    Args:
        told: our words of `joulebook.ingest.bill_words.FOCUS` -> cells.
        text: what names the line.
    """
    consumed, priced = _number(told, "quantity"), _number(told, "priced")
    size = _block(told)
    block = size if size is not None and size > 1 else named_block(text) or size
    if consumed is None or block is None:
        return consumed, UNTOLD
    blocks = _blocks(told, consumed, priced, block, is_sized=size is not None)
    return (consumed, UNTOLD) if blocks is None else (blocks * block, "tokens")


def is_priced(told: Mapping[str, str | None]) -> bool:
    """Whether a line tells a price and the cost that it makes, so that they say which quantity counts blocks."""
    return any(_number(told, price) and _number(told, cost) for price, cost in PRICES)


def _blocks(
    told: Mapping[str, str | None], consumed: float, priced: float | None, block: float, *, is_sized: bool
) -> float | None:
    """How many blocks a line is for."""
    if priced is None:
        return None if is_sized and block > 1 else consumed
    for price_name, cost_name in PRICES:
        price, cost = _number(told, price_name), _number(told, cost_name)
        if price and cost:
            fitting = [number for number in (priced, consumed) if _is_near(price * number, cost)]
            return fitting[0] if fitting else None
    if _is_near(consumed, priced * block):
        return priced
    return consumed if _is_near(consumed, priced) else None


def _block(told: Mapping[str, str | None]) -> float | None:
    """The block that a price is for, as the bill states it."""
    size = _number(told, "block")
    if size is not None and size > 0:
        return size
    found = _BLOCK.match(told.get("block_unit") or "")
    if found is not None:
        return float(found[1].replace(",", "")) * _POWERS[found[2].upper()]
    priced = tokens_in((told.get("priced_unit") or "").strip())
    return priced if priced is not None and priced > 1 else None


def _number(told: Mapping[str, str | None], name: str) -> float | None:
    try:
        return money(told[name]) if told.get(name) else None
    except CellFaultError:
        return None


def _is_near(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=CLOSE)
