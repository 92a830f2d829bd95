# SPDX-License-Identifier: Apache-2.0
"""The failure dump of an import: its rejected and warned rows, with the reasons."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from airflow_provider_mlconnector.errors import ProtocolError

STATUS_COLUMN = "_Status_"
LINE_COLUMN = "_Line_"
ERROR_PREFIX = "_Error_"


class RowStatus(StrEnum):
    """``E``: the row was rejected. ``W``: it was loaded, with a warning."""

    REJECTED = "E"
    WARNED = "W"


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """One row of a dump.

    :param line: line of the source file as Anaplan counts them; the header is line 1.
    :param columns: the source's header, as the dump repeats it.
    :param values: the row as it was sent, in the order of the source's header.
    :param errors: Anaplan's reasons.
    """

    line: int
    status: RowStatus
    columns: tuple[str, ...]
    values: tuple[str, ...]
    errors: tuple[str, ...]


def read_dump(path: Path) -> Iterator[RejectedRow]:
    """Read a downloaded dump row by row.

    :raises ProtocolError: when it is not a dump.
    """
    with path.open(encoding="utf-8-sig", newline="") as lines:
        yield from parse_dump(lines)


def parse_dump(lines: Iterable[str]) -> Iterator[RejectedRow]:
    """Parse the lines of a dump: ``"_Status_",<source columns>,"_Line_","_Error_1_"[,"_Error_2_"…]``.

    :raises ProtocolError: when they are not a dump.
    """
    rows = csv.reader(lines)
    header = next(rows, None)
    if header is None:
        return
    line_at = _last(header, LINE_COLUMN)
    if header[:1] != [STATUS_COLUMN] or line_at is None:
        raise ProtocolError("A failure dump begins with another header than Anaplan's.")
    columns = tuple(header[1:line_at])
    for row in rows:
        if row:
            yield _row(row, line_at, columns)


def _row(row: list[str], line_at: int, columns: tuple[str, ...]) -> RejectedRow:
    if len(row) <= line_at or not row[line_at].strip().isdecimal():
        raise ProtocolError("A row of a failure dump names no source line.")
    return RejectedRow(
        line=int(row[line_at]),
        status=RowStatus.WARNED if row[0] == RowStatus.WARNED else RowStatus.REJECTED,
        columns=columns,
        values=tuple(row[1:line_at]),
        errors=tuple(reason for reason in row[line_at + 1 :] if reason),
    )


def _last(header: list[str], name: str) -> int | None:
    """Return the last place of a name: a source column may be called the same."""
    return next((at for at in range(len(header) - 1, -1, -1) if header[at] == name), None)
