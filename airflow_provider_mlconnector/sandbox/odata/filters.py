# SPDX-License-Identifier: Apache-2.0
"""``$filter``: parsed into a small tree, then evaluated over whole columns at once.

The grammar is what the systems' documents promise: comparisons with ``eq ne gt ge lt le``, ``in``, ``and or not``,
brackets, and ``contains startswith endswith``; a member of an enum is written ``Namespace.Type'Member'``.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Value: TypeAlias = str | Decimal | bool | date | datetime | None
Column: TypeAlias = NDArray[Any]
Columns: TypeAlias = Callable[[str], Column]
Mask: TypeAlias = NDArray[np.bool_]


class FilterError(ValueError):
    """A filter that the server does not understand."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """``field op value``."""

    field: str
    operation: str
    value: Value


@dataclass(frozen=True, slots=True)
class Membership:
    """``field in (value, …)``."""

    field: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class TextTest:
    """``contains(field,'text')`` and its like."""

    function: str
    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Both:
    """``left and right``."""

    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Either:
    """``left or right``."""

    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Negation:
    """``not (inner)``."""

    inner: Node


Node: TypeAlias = Comparison | Membership | TextTest | Both | Either | Negation

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>'(?:[^']|'')*')
      | (?P<guid>[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12})
      | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))
      | (?P<date>\d{4}-\d\d-\d\d)
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<enum>[A-Za-z_][A-Za-z0-9_.]*'(?:[^']|'')*')
      | (?P<word>[A-Za-z_@][A-Za-z0-9_.]*)
      | (?P<mark>[(),])
    )""",
    re.VERBOSE,
)
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "contains": operator.contains,
    "startswith": str.startswith,
    "endswith": str.endswith,
}
_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None}


def parse_filter(text: str) -> Node:
    """Parse a filter expression.

    :raises FilterError: with a sentence about what is wrong with it.
    """
    parser = _Parser(text)
    node = parser.either()
    parser.expect_end()
    return node


def fields_of(node: Node) -> set[str]:
    """Return the names of all fields that a filter looks at."""
    match node:
        case Both(left, right) | Either(left, right):
            return fields_of(left) | fields_of(right)
        case Negation(inner):
            return fields_of(inner)
        case _:
            return {node.field}


def conjunction(node: Node | None) -> Iterator[Node]:
    """Yield the conditions that must all be true."""
    if isinstance(node, Both):
        yield from conjunction(node.left)
        yield from conjunction(node.right)
    elif node is not None:
        yield node


def without(node: Node | None, field: str) -> Node | None:
    """Return a filter without its conditions on a field, of those that must all be true; None when none is left."""
    kept = [condition for condition in conjunction(node) if fields_of(condition) != {field}]
    return reduce(Both, kept) if kept else None


def evaluate(node: Node, columns: Columns) -> Mask:
    """Return which rows a filter lets through; ``columns`` gives a field's values of all rows.

    Dates are ``datetime64[D]`` and moments ``datetime64[us]`` arrays, everything else arrays of objects or numbers.

    :raises FilterError: when a field is compared with a value of another type.
    """
    match node:
        case Both(left, right):
            return evaluate(left, columns) & evaluate(right, columns)
        case Either(left, right):
            return evaluate(left, columns) | evaluate(right, columns)
        case Negation(inner):
            return np.logical_not(evaluate(inner, columns))
        case Comparison(field, operation, value):
            return _compare(columns(field), operation, value)
        case Membership(field, values):
            column = columns(field)
            matches = [_compare(column, "eq", value) for value in values]
            return np.asarray(np.logical_or.reduce(matches), np.bool_)
        case TextTest(function, field, text):
            test = _TEXT_TESTS[function]
            return np.fromiter((test(str(value), text) for value in columns(field)), np.bool_)


def comparable(column: Column, value: Value) -> Any:
    """Return a value so that it can be compared with a column's values.

    :raises FilterError: when their types do not go together.
    """
    if column.dtype.kind == "M":
        if isinstance(value, datetime):
            return np.datetime64(value.astimezone(UTC).replace(tzinfo=None), "us")
        if isinstance(value, date):
            return np.datetime64(value, "D")
        raise FilterError("A date is compared with something that is none.")
    sample = column[0] if len(column) else None
    if isinstance(sample, str) != isinstance(value, str) and sample is not None:
        raise FilterError("A binary operator with incompatible types was detected.")
    return value


def _compare(column: Column, operation: str, value: Value) -> Mask:
    try:
        result = _COMPARE[operation](column, comparable(column, value))
    except TypeError as error:
        raise FilterError("A binary operator with incompatible types was detected.") from error
    return np.broadcast_to(np.asarray(result, np.bool_), len(column))


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self._text = text.strip()
        self._at = 0

    def either(self) -> Node:
        node = self._both()
        while self._take_word("or"):
            node = Either(node, self._both())
        return node

    def expect_end(self) -> None:
        if self._at < len(self._text):
            raise FilterError(f"Syntax error at position {self._at} in '{self._text}'.")

    def _both(self) -> Node:
        node = self._single()
        while self._take_word("and"):
            node = Both(node, self._single())
        return node

    def _single(self) -> Node:
        if self._take_word("not"):
            return Negation(self._single())
        if self._take_mark("("):
            node = self.either()
            self._expect_mark(")")
            return node
        kind, word = self._next()
        if kind != "word":
            raise FilterError(f"A property is expected before position {self._at} in '{self._text}'.")
        return self._text_test(word) if word in _TEXT_TESTS else self._condition(word)

    def _text_test(self, function: str) -> Node:
        self._expect_mark("(")
        _, field = self._next()
        self._expect_mark(",")
        text = self._value()
        self._expect_mark(")")
        if not isinstance(text, str):
            raise FilterError(f"{function} takes a property and a string.")
        return TextTest(function, field, text)

    def _condition(self, field: str) -> Node:
        _, word = self._next()
        if word == "in":
            return Membership(field, tuple(self._listed()))
        if word not in _COMPARE:
            raise FilterError(f"'{word}' is no operator, before position {self._at} in '{self._text}'.")
        return Comparison(field, word, self._value())

    def _listed(self) -> Iterator[Value]:
        self._expect_mark("(")
        yield self._value()
        while self._take_mark(","):
            yield self._value()
        self._expect_mark(")")

    def _value(self) -> Value:
        kind, text = self._next()
        match kind:
            case "string":
                return text[1:-1].replace("''", "'")
            case "enum":
                return text.partition("'")[2][:-1]
            case "guid":
                return text.lower()
            case "datetime":
                return datetime.fromisoformat(text)
            case "date":
                return date.fromisoformat(text)
            case "number":
                return Decimal(text)
            case _ if text in _WORDS:
                return _WORDS[text]
            case "word" if text == "binary":
                return self._value()
            case _:
                raise FilterError(f"'{text}' is no value, before position {self._at} in '{self._text}'.")

    def _next(self) -> tuple[str, str]:
        match = _TOKEN.match(self._text, self._at)
        if match is None or match.lastgroup is None:
            raise FilterError(f"Syntax error at position {self._at} in '{self._text}'.")
        self._at = match.end()
        return match.lastgroup, match[match.lastgroup]

    def _take_word(self, word: str) -> bool:
        match = re.compile(rf"\s*{word}\b").match(self._text, self._at)
        return self._took(match)

    def _take_mark(self, mark: str) -> bool:
        match = re.compile(rf"\s*{re.escape(mark)}").match(self._text, self._at)
        return self._took(match)

    def _took(self, match: re.Match[str] | None) -> bool:
        if match is None:
            return False
        self._at = match.end()
        return True

    def _expect_mark(self, mark: str) -> None:
        if not self._take_mark(mark):
            raise FilterError(f"'{mark}' is expected at position {self._at} in '{self._text}'.")
