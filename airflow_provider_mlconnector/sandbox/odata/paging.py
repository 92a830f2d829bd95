# SPDX-License-Identifier: Apache-2.0
"""Filtering, ordering and paging of rows, whatever holds them.

Rows come as frames in order of their key. A page ends with a token that holds the order fields and the key of its last
row, so that the next page goes on behind it even when rows were added, changed or deleted in between.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from airflow_provider_mlconnector.sandbox.odata.filters import Column, Mask, evaluate
from airflow_provider_mlconnector.sandbox.odata.options import OptionError, Options


class Frame(Protocol):
    """Some rows of an entity set, column by column."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def column(self, field: str) -> Column:
        """Return the values of a field in all rows."""

    def keys(self) -> Column:
        """Return a value for each row by which rows are ordered in the end."""

    def take(self, which: NDArray[Any]) -> Frame:
        """Return the rows at these places, or where this mask is true."""


F = TypeVar("F", bound=Frame)


@dataclass(frozen=True, slots=True)
class Page(Generic[F]):
    """Rows to answer with.

    :param token: where the next page begins; None for the last.
    :param top_left: how much of ``$top`` the next page has left.
    """

    frame: F
    token: str | None = None
    top_left: int | None = None


def last_key(options: Options) -> Any:
    """Return the key behind which a page in order of the key goes on; None for other orders and for first pages.

    :raises OptionError: when the token is none of ours.
    """
    return None if options.skip_token is None or options.order else _read_token(options)[-1]


def count_rows(frames: Iterable[Frame], options: Options) -> int:
    """Return how many rows the filter lets through."""
    return sum(len(frame) for frame in _filtered(frames, options))


def read_page(frames: Iterable[F], options: Options, *, page_size: int, join: Callable[[list[F]], F]) -> Page[F]:
    """Return one page of rows.

    :param frames: in order of the key, those that may hold rows behind the token are enough.
    :param join: joins frames into one.
    :raises OptionError: when the token is none of ours.
    """
    wanted = page_size if options.top is None else min(page_size, options.top)
    found = join(list(_enough(_filtered(frames, options), options, wanted)))
    frame = _ordered(found, options)
    page: Any = frame.take(np.arange(options.skip, min(options.skip + wanted, len(frame))))
    left = None if options.top is None else options.top - len(page)
    if len(frame) <= options.skip + wanted or left == 0:
        return Page(page)
    return Page(page, _token_of(page, options), left)


def _enough(frames: Iterator[F], options: Options, wanted: int) -> Iterator[F]:
    """Yield frames until they hold a page and one row more; all of them when they have to be ordered."""
    needed = options.skip + wanted + 1
    for frame in frames:
        yield frame
        needed -= len(frame)
        if needed <= 0 and not options.order:
            return


def _filtered(frames: Iterable[Any], options: Options) -> Iterator[Any]:
    for frame in frames:
        wanted = np.ones(len(frame), np.bool_)
        if options.skip_token is not None:
            wanted &= _behind(frame, options)
        if options.filter is not None:
            wanted &= evaluate(options.filter, frame.column)
        if wanted.all():
            yield frame
        elif wanted.any():
            yield frame.take(wanted)


def _ordered(frame: Frame, options: Options) -> Frame:
    """Return the rows in the order that was asked for, and by key among equals."""
    if not options.order or not len(frame):
        return frame
    places = np.arange(len(frame))
    for order in reversed(options.order):
        values = frame.column(order.field)[places]
        if order.descending:
            places = places[len(places) - 1 - np.argsort(values[::-1], kind="stable")[::-1]]
        else:
            places = places[np.argsort(values, kind="stable")]
    return frame.take(places)


def _behind(frame: Frame, options: Options) -> Mask:
    """Return which rows come after the last one of the page before."""
    *marks, key = _read_token(options)
    behind = np.zeros(len(frame), np.bool_)
    level = np.ones(len(frame), np.bool_)
    for order, mark in zip(options.order, marks, strict=True):
        column = frame.column(order.field)
        value = _typed(column, mark)
        behind |= level & (column < value if order.descending else column > value).astype(np.bool_)
        level &= (column == value).astype(np.bool_)
    return np.asarray(behind | level & (frame.keys() > key), np.bool_)


def _token_of(frame: Frame, options: Options) -> str:
    marks = [str(frame.column(order.field)[-1]) for order in options.order]
    key = frame.keys()[-1]
    parts = [*marks, key if isinstance(key, str) else int(key)]
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def _read_token(options: Options) -> list[Any]:
    token = options.skip_token or ""
    try:
        parts = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, ValueError) as error:
        raise OptionError("The $skiptoken is not valid.") from error
    if not isinstance(parts, list) or len(parts) != len(options.order) + 1:
        raise OptionError("The $skiptoken belongs to another query.")
    return parts


def _typed(column: Column, mark: str) -> Any:
    """Return a mark of a token as a value of the column."""
    if column.dtype.kind == "M":
        return np.datetime64(mark)
    if column.dtype.kind in "iu":
        return int(mark)
    sample = column[0] if len(column) else mark
    if isinstance(sample, bool):
        return mark == "True"
    return Decimal(mark) if isinstance(sample, Decimal | int) else mark
