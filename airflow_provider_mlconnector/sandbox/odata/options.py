# SPDX-License-Identifier: Apache-2.0
"""The query options of a request, parsed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_plus

from airflow_provider_mlconnector.sandbox.odata.filters import Node, fields_of, parse_filter

_ORDER = re.compile(r"(\w+)(?:\s+(asc|desc))?")
_EXPAND = re.compile(r"\s*(\w+)\s*(?:\((.*)\))?\s*", re.DOTALL)


class OptionError(ValueError):
    """A query option that makes no sense."""


@dataclass(frozen=True, slots=True)
class Order:
    """One part of ``$orderby``."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Expand:
    """One part of ``$expand``; ``select`` is empty for all fields."""

    navigation: str
    select: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """What a request asks for; ``raw`` keeps each option as it was written, for links to the next page."""

    filter: Node | None = None
    select: tuple[str, ...] = ()
    order: tuple[Order, ...] = ()
    expand: tuple[Expand, ...] = ()
    top: int | None = None
    skip: int = 0
    count: bool = False
    skip_token: str | None = None
    schema_version: str = ""
    raw: tuple[tuple[str, str], ...] = ()

    @property
    def fields(self) -> set[str]:
        """Return the names of all fields that are filtered, selected or ordered by."""
        filtered = fields_of(self.filter) if self.filter else set()
        return filtered | set(self.select) | {order.field for order in self.order}


def parse_options(query_string: str) -> Options:
    """Parse a query string as it came over the wire.

    :raises OptionError: when an option cannot be read.
    :raises FilterError: when the filter cannot.
    """
    pairs = (part.partition("=") for part in query_string.split("&") if part)
    raw = tuple((unquote_plus(name), value) for name, _, value in pairs)
    given = {name.lower(): unquote_plus(value).strip() for name, value in raw}
    return Options(
        filter=parse_filter(given["$filter"]) if given.get("$filter") else None,
        select=_names(given.get("$select", "")),
        order=tuple(_order(part) for part in _names(given.get("$orderby", ""))),
        expand=tuple(_expand(part) for part in split_outside_brackets(given.get("$expand", ""), ",")),
        top=_whole(given, "$top"),
        skip=_whole(given, "$skip") or 0,
        count=given.get("$count", "false").lower() == "true",
        skip_token=given.get("$skiptoken"),
        schema_version=given.get("$schemaversion", ""),
        raw=raw,
    )


def next_query(options: Options, token: str, *, top: int | None, extra: str) -> str:
    """Return the query string of the next page: as it was asked, then ``extra`` and the token.

    :param top: how many rows are left of ``$top``; None when it was not given.
    """
    dropped = {"$skiptoken", "$skip", "$top", extra.partition("=")[0]}
    kept = [f"{name}={value}" for name, value in options.raw if name.lower() not in dropped]
    if top is not None:
        kept.append(f"$top={top}")
    return "&".join([*kept, extra, f"$skiptoken={token}"])


def split_outside_brackets(text: str, separator: str) -> list[str]:
    """Split a list whose parts may hold the separator in brackets."""
    parts, depth, begin = [], 0, 0
    for at, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == separator and depth == 0:
            parts.append(text[begin:at])
            begin = at + 1
    parts.append(text[begin:])
    return [part.strip() for part in parts if part.strip()]


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip() and part.strip() != "*")


def _order(text: str) -> Order:
    match = _ORDER.fullmatch(text)
    if match is None:
        raise OptionError(f"The $orderby '{text}' is not valid.")
    return Order(match[1], match[2] == "desc")


def _expand(text: str) -> Expand:
    match = _EXPAND.fullmatch(text)
    if match is None:
        raise OptionError(f"The $expand '{text}' is not valid.")
    nested = split_outside_brackets(match[2] or "", ";")
    selected = [option.partition("=")[2] for option in nested if option.lower().startswith("$select=")]
    return Expand(match[1], _names(",".join(selected)))


def _whole(given: dict[str, str], name: str) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    if not text.isdigit():
        raise OptionError(f"Invalid value '{text}' for {name} query option found.")
    return int(text)
