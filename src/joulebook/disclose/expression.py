"""A written calculation, read safely: numbers with units, names, + - * / **, and the named formulas of joulebook.

``8 * 36 h * 300 W * 1.1`` is an energy; ``facility_energy_kwh(it, 1.2)`` calls the function of that name. Nothing
else can be called, and nothing of the text is handed to the interpreter.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeVar

from joulebook.disclose.quantity import Quantity, is_unit
from joulebook.errors import FormulaUnreadable, UnknownName, translatable

T = TypeVar("T")
Names = Mapping[str, Quantity]
Node = Callable[[Names], Quantity]
Function = Callable[..., Quantity]

LONGEST = 2000
"""Characters a formula may have."""

DEEPEST = 50
"""Parentheses that may be open at once."""

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>[^\W\d]\w*|%)|(?P<op>\*\*|[-+*/()=,^×÷·]))"
)
_GROUPED = re.compile(r"\s*\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?")
_OPERATORS = {"×": "*", "·": "*", "÷": "/", "^": "**"}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Expression:
    """A calculation that has been read.

    Attributes:
        text: as it was written.
        names: the inputs it uses, in order of appearance.
        evaluate: the value for given inputs.
    """

    text: str
    names: tuple[str, ...]
    evaluate: Node


def read_expression(text: str, names: Mapping[str, object], functions: Mapping[str, Function]) -> Expression:
    """Read a calculation once, to evaluate it many times.

    Args:
        text: the calculation.
        names: the inputs; a name is found in any case where only one input answers to it.
        functions: what may be called.

    Raises:
        FormulaUnreadable: the text is not a calculation, or too long or too deep.
        UnknownName: a name is neither an input nor a formula.
    """
    if len(text) > LONGEST:
        raise FormulaUnreadable(
            formula=text[:20],
            place=text[:20],
            what=translatable("it is too long"),
            next_step=translatable("split it up."),
        )
    reader = _Reader(text, names, functions)
    node = reader.sum()
    reader.expect_end()
    return Expression(text, tuple(dict.fromkeys(reader.used)), node)


class _Reader:
    def __init__(self, text: str, names: Mapping[str, object], functions: Mapping[str, Function]) -> None:
        self.text, self.names, self.functions = text, names, functions
        self.tokens, self.place, self.depth = _tokens(text), 0, 0
        self.used: list[str] = []

    def sum(self) -> Node:
        left = self.product()
        while operator := self.take("+", "-"):
            left = _binary(operator, left, self.product())
        return left

    def product(self) -> Node:
        left = self.unary()
        while operator := self.take("*", "/"):
            left = _binary(operator, left, self.unary())
        return left

    def unary(self) -> Node:
        if self.take("-"):
            inner = self.unary()
            return lambda names: -inner(names)
        base = self.atom()
        return _binary("**", base, self.unary()) if self.take("**") else base

    def atom(self) -> Node:
        token = self.next()
        if token.kind == "number":
            return self.number(token)
        if token.text == "(":
            inner = self.inside(self.sum)
            self.expect(")")
            return inner
        if token.kind == "name":
            return self.call(token) if self.take("(") else self.name(token)
        raise self.fault(token, translatable("a number, a name or a parenthesis is missing here"))

    def number(self, token: _Token) -> Node:
        value = float(token.text.replace(",", ""))
        quantity = Quantity(value)
        while (word := self.peek()) and word.kind == "name" and self.is_unit(word, self.place):
            self.place += 1
            quantity = quantity * Quantity.of(1, word.text)
            while self.peek_is("/") and self.is_unit(self.peek(1), self.place + 1):
                per = self.tokens[self.place + 1]
                self.place += 2
                quantity = quantity / Quantity.of(1, per.text)
        return lambda _names: quantity

    def is_unit(self, token: "_Token | None", place: int) -> bool:
        if token is None or token.kind != "name" or token.text in self.names:
            return False
        follows = self.tokens[place + 1] if place + 1 < len(self.tokens) else None
        return is_unit(token.text) and not (follows is not None and follows.text == "(")

    def name(self, token: _Token) -> Node:
        found = token.text if token.text in self.names else self.any_case(token.text)
        self.used.append(found)
        return lambda names: names[found]

    def any_case(self, name: str) -> str:
        same = [known for known in self.names if known.lower() == name.lower()]
        if len(same) == 1:
            return same[0]
        near = get_close_matches(name, [*self.names, *self.functions], n=3) or list(self.names)[:3] or ["a number"]
        raise UnknownName(kind=translatable("input"), name=name, nearest=", ".join(near))

    def call(self, token: _Token) -> Node:
        if token.text not in self.functions:
            near = get_close_matches(token.text, self.functions, n=3) or sorted(self.functions)[:3]
            raise UnknownName(kind=translatable("formula"), name=token.text, nearest=", ".join(near))
        places, keys = self.inside(self.arguments)
        function = self.functions[token.text]
        return lambda names: function(*(one(names) for one in places), **{k: one(names) for k, one in keys.items()})

    def arguments(self) -> tuple[list[Node], dict[str, Node]]:
        places: list[Node] = []
        keys: dict[str, Node] = {}
        while not self.take(")"):
            following = self.peek(1)
            if (word := self.peek()) and word.kind == "name" and following is not None and following.text == "=":
                self.place += 2
                keys[word.text] = self.sum()
            else:
                places.append(self.sum())
            if not self.peek_is(")"):
                self.expect(",")
        return places, keys

    def inside(self, read: Callable[[], T]) -> T:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.fault(self.tokens[self.place - 1], translatable("too many parentheses are open"))
        found = read()
        self.depth -= 1
        return found

    def peek(self, ahead: int = 0) -> "_Token | None":
        return self.tokens[self.place + ahead] if self.place + ahead < len(self.tokens) else None

    def peek_is(self, text: str) -> bool:
        token = self.peek()
        return token is not None and token.text == text

    def take(self, *texts: str) -> str | None:
        token = self.peek()
        if token is None or token.kind != "op" or token.text not in texts:
            return None
        self.place += 1
        return token.text

    def next(self) -> _Token:
        token = self.peek()
        if token is None:
            raise self.fault(_Token("end", "", len(self.text)), translatable("the formula ends too early"))
        self.place += 1
        return token

    def expect(self, text: str) -> None:
        if not self.take(text):
            raise self.fault(self.peek() or _Token("end", "", len(self.text)), translatable("a sign is missing here"))

    def expect_end(self) -> None:
        if (token := self.peek()) is not None:
            raise self.fault(token, translatable("an operator is missing here"))

    def fault(self, token: _Token, what: str) -> FormulaUnreadable:
        return FormulaUnreadable(
            formula=self.text,
            place=self.text[token.at :][:20],
            what=what,
            next_step=translatable("correct the formula."),
        )


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    calls: list[bool] = []
    at = 0
    while text[at:].strip():
        grouped = _GROUPED.match(text, at) if not any(calls) else None
        match = grouped or _TOKEN.match(text, at)
        if match is None:
            raise FormulaUnreadable(
                formula=text,
                place=text[at:].strip()[:20],
                what=translatable("this cannot stand here"),
                next_step=translatable("remove it."),
            )
        kind = "number" if grouped else match.lastgroup or "op"
        word = match.group().strip()
        if word == "(":
            calls.append(bool(tokens) and tokens[-1].kind == "name")
        elif word == ")" and calls:
            calls.pop()
        tokens.append(_Token(kind, _OPERATORS.get(word, word), match.end() - len(word)))
        at = match.end()
    return tokens


def _binary(operator: str, left: Node, right: Node) -> Node:
    if operator == "+":
        return lambda names: left(names) + right(names)
    if operator == "-":
        return lambda names: left(names) - right(names)
    if operator == "*":
        return lambda names: left(names) * right(names)
    if operator == "/":
        return lambda names: left(names) / right(names)
    return lambda names: left(names) ** right(names)
