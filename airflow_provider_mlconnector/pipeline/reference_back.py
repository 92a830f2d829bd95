# SPDX-License-Identifier: Apache-2.0
"""A list of the model held against the ledger's own: which members it lacks, has too many, or describes otherwise.

Nothing is changed by it: what differs is told to a person, who corrects the one or the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from airflow_provider_mlconnector.errors import HeaderError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.inverse import Inverse
from airflow_provider_mlconnector.pipeline.plan import Source


class DifferenceKind(StrEnum):
    """In what a list and the ledger differ."""

    NOT_IN_LEDGER = "not in the ledger"
    NOT_IN_LIST = "not in the list"
    OTHERWISE = "otherwise"
    TWICE = "twice in the list"
    WITHOUT_CODE = "without a code of the ledger"
    """The list gives it none, or the code book knows none for it."""


@dataclass(frozen=True, slots=True)
class ComparePlan:
    """One list that is compared.

    :param columns: by column of the export, the column of the dataset that says the same.
    :param key: the column of the dataset that names a record.
    :param inverses: by column of the export, the code book that is read backwards.
    :param only: by column of the dataset, the one value of the records that are compared.
    :param dimensions: whose values are read, where they are what is compared.
    """

    flow: str
    name: str
    export: str
    dataset: Dataset
    columns: Mapping[str, Source]
    key: str
    inverses: Mapping[str, Inverse] = field(default_factory=dict)
    only: Mapping[str, str] = field(default_factory=dict)
    dimensions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which they differ.

    :param code: of the member, as the ledger writes it.
    :param column: of the export, where the member is in both.
    :param listed: what the list says there; ``kept`` is what the ledger says, written as the model would.
    :param record: what the list says of the whole member, by column of the dataset; empty when it has none such.
    """

    kind: DifferenceKind
    code: str
    column: str = ""
    listed: str = ""
    kept: str = ""
    record: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        if self.kind is DifferenceKind.OTHERWISE:
            return f"{self.code}: {self.column} is '{self.listed}' in the list and '{self.kept}' in the ledger"
        name = self.listed or self.kept
        who = f"{self.code}{f' ({name})' if name else ''}" if self.code else name or "A member"
        return f"{who} is {self.kind}"


def compare_lists(
    listed: Iterable[Mapping[str, str]],
    kept: Iterable[Mapping[str, Any]],
    columns: Mapping[str, str],
    key: str,
) -> list[Difference]:
    """Compare an exported list with a dataset of the ledger; sorted by code.

    Blanks around texts count for nothing, and neither does how a number is written.

    :param listed: rows of the export.
    :param kept: rows of the dataset.
    :param columns: by column of the export, the column of the dataset that it is to say the same as.
    :param key: the column of the dataset that names a member; one column of the export has to be it.
    :raises HeaderError: when no column of the export, or more than one, is the key, or a row lacks a column.
    """
    names = [name for name, column in columns.items() if column == key]
    if len(names) != 1:
        raise HeaderError(f"{len(names)} columns of the list are {key}; exactly one has to be.")
    differences: list[Difference] = []
    members: dict[str, Mapping[str, str]] = {}
    for row in listed:
        lacking = sorted(columns.keys() - row.keys())
        if lacking:
            raise HeaderError(f"The exported list has no column {', '.join(lacking)}.")
        code = row[names[0]].strip()
        if not code:
            differences.append(Difference(DifferenceKind.WITHOUT_CODE, "", listed=_name(row, columns, key)))
            continue
        if code in members:
            differences.append(Difference(DifferenceKind.TWICE, code, listed=_name(row, columns, key)))
        members.setdefault(code, row)
    known = {as_text(row[key]): row for row in kept}
    for code in sorted(members.keys() | known.keys()):
        differences += _of_member(code, members.get(code), known.get(code), columns, key)
    return sorted(differences, key=lambda one: (one.code, one.kind, one.column))


def as_text(value: Any) -> str:
    """Return a value of the ledger as the model writes it; blank for none."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case Decimal():
            return f"{value.normalize():f}"
        case _:
            return str(value).strip()


def _of_member(
    code: str,
    listed: Mapping[str, str] | None,
    kept: Mapping[str, Any] | None,
    columns: Mapping[str, str],
    key: str,
) -> list[Difference]:
    if kept is None:
        name = _name(listed or {}, columns, key)
        return [Difference(DifferenceKind.NOT_IN_LEDGER, code, listed=name, record=_record(listed or {}, columns))]
    if listed is None:
        others = (as_text(kept.get(column)) for column in columns.values() if column != key)
        return [Difference(DifferenceKind.NOT_IN_LIST, code, kept=next(others, ""))]
    return [
        Difference(
            DifferenceKind.OTHERWISE,
            code,
            name,
            listed[name].strip(),
            as_text(kept.get(column)),
            record=_record(listed, columns),
        )
        for name, column in columns.items()
        if column != key and not _same(listed[name], kept.get(column))
    ]


def _record(row: Mapping[str, str], columns: Mapping[str, str]) -> dict[str, str]:
    return {column: row[name].strip() for name, column in columns.items()}


def _name(row: Mapping[str, str], columns: Mapping[str, str], key: str) -> str:
    """Return what tells a person who is meant: the first column beside the code."""
    return next((row[name].strip() for name, column in columns.items() if column != key), "")


def _same(listed: str, kept: Any) -> bool:
    if isinstance(kept, Decimal):
        try:
            return Decimal(listed.strip() or "0") == kept
        except InvalidOperation:
            return False
    if isinstance(kept, bool):
        return listed.strip().lower() == as_text(kept)
    return listed.strip() == as_text(kept)
