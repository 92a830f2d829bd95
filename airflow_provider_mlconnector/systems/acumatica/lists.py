# SPDX-License-Identifier: Apache-2.0
"""Lists that are read whole, though the server promises no order for its pages.

While somebody pages with ``$skip``, a record that is changed may move, so that another one shows twice and a third one
never. So nothing is paged: what does not fit into one answer is asked for in ranges of keys, and a range that does not
fit either is halved. Keys never change, so that a record is in one range alone, whatever happens to it meanwhile. First
the keys are asked for, which are small, then the records in ranges of keys that fit into one answer. An answer without
a key that it must hold is asked for again in halves, down to the single key, which is then gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Generic, TypeVar

from airflow_provider_mlconnector.errors import NotFoundError, ProtocolError, RemoteError
from airflow_provider_mlconnector.systems.acumatica.answers import OPTIMIZATION
from airflow_provider_mlconnector.systems.acumatica.api import AcumaticaApi
from airflow_provider_mlconnector.systems.acumatica.wrapped import Entity, Record, literal
from airflow_provider_mlconnector.systems.port import Finding, FindingKind

KEYS_PAGE = 10_000
"""Keys of one request."""

DEEPEST = 100
"""How often a range of keys is halved; a server that orders keys in its own way may not see a half as we do."""

NO_ENTITY = 404
"""Status that says that there is no such entity; a record that is not there is a 500."""

Key = tuple[str, ...]
RecordT = TypeVar("RecordT", bound=Record)


@dataclass(frozen=True, slots=True)
class _Range:
    """The keys whose last part comes after one and up to another; None is no bound."""

    after: str | None = None
    until: str | None = None
    depth: int = 0

    def filter(self, name: str) -> str:
        bounds = (("gt", self.after), ("le", self.until))
        return all_of(*(f"{name} {side} {literal(bound)}" for side, bound in bounds if bound is not None))


class ListReader(Generic[RecordT]):
    """Reads the records of one entity.

    :param findings: takes what is worth telling.
    """

    def __init__(self, api: AcumaticaApi, entity: Entity[RecordT], findings: list[Finding]) -> None:
        self._api = api
        self._entity = entity
        self._findings = findings
        self._size = api.connection.page_size

    def read(self, where: str = "") -> Iterator[list[RecordT]]:
        """Yield the records that a filter lets through, a portion at a time, each once."""
        try:
            first = self._api.records(self._entity, self._findings, where=where, top=self._size)
        except RemoteError as exc:
            if exc.remote_code != OPTIMIZATION:
                raise
            detail = "the server cannot list it; each record is read by its keys"
            self._findings.append(Finding(FindingKind.FALLBACK, self._entity.name, detail))
            yield from self._one_by_one(where)
            return
        if len(first) < self._size and not self._page_of_keys(where, len(first), 1):
            yield first
        else:
            yield from self._by_ranges(where)

    def of_keys(self, keys: Sequence[Key]) -> Iterator[list[RecordT]]:
        """Yield the records of these keys, those that are there.

        :raises NotFoundError: for a 404, which is said of the entity; a record that is not there is another answer.
        """
        for key in keys:
            try:
                yield [self._api.record(self._entity, key)]
            except NotFoundError as exc:
                if exc.status == NO_ENTITY:
                    raise

    def _one_by_one(self, where: str) -> Iterator[list[RecordT]]:
        return self.of_keys(sorted(self._keys(where)))

    def _by_ranges(self, where: str) -> Iterator[list[RecordT]]:
        keys = sorted(self._keys(where))
        for _, group in groupby(keys, key=lambda key: key[:-1]):
            alike = list(group)
            for at in range(0, len(alike), self._size):
                yield from self._range(where, alike[at : at + self._size])

    def _range(self, where: str, keys: Sequence[Key]) -> Iterator[list[RecordT]]:
        found = self._api.records(self._entity, self._findings, where=all_of(where, self._between(keys)))
        by_key = {self._entity.key_of(record): record for record in found}
        if all(key in by_key for key in keys):
            yield list(by_key.values())
        elif len(keys) > 1:
            middle = len(keys) // 2
            yield from self._range(where, keys[:middle])
            yield from self._range(where, keys[middle:])

    def _between(self, keys: Sequence[Key]) -> str:
        """Return the filter of the keys from the first to the last, which differ in their last part alone."""
        *alike, last = self._entity.keys
        first_key, last_key = keys[0], keys[-1]
        same = [f"{name} eq {literal(value)}" for name, value in zip(alike, first_key, strict=False)]
        return all_of(*same, f"{last} ge {literal(first_key[-1])}", f"{last} le {literal(last_key[-1])}")

    def _keys(self, where: str) -> set[Key]:
        """Return all keys that a filter lets through.

        :raises ProtocolError: when keys that are alike in their last part do not fit into one answer.
        """
        keys: set[Key] = set()
        ranges = [_Range()]
        while ranges:
            part = ranges.pop()
            within = all_of(where, part.filter(self._entity.keys[-1]))
            page = self._page_of_keys(within, 0, KEYS_PAGE)
            if not page or not self._page_of_keys(within, len(page), 1):
                keys.update(page)
            else:
                ranges += self._halves(part, page)
        return keys

    def _halves(self, part: _Range, page: Sequence[Key]) -> tuple[_Range, _Range]:
        """Halve a range of keys, of which a page shows some."""
        ordered = sorted({key[-1] for key in page})
        if len(ordered) < 2 or part.depth == DEEPEST:
            raise ProtocolError(
                f"The server gives only {len(page)} records of {self._entity.name} at a time, which is too few.",
                hint="Ask the administrator of the site whether lists are cut off.",
            )
        middle = ordered[(len(ordered) - 1) // 2]
        return replace(part, until=middle, depth=part.depth + 1), replace(part, after=middle, depth=part.depth + 1)

    def _page_of_keys(self, where: str, skip: int, top: int) -> list[Key]:
        return self._api.keys(self._entity, where=where, top=top, skip=skip)


def all_of(*conditions: str) -> str:
    """Return the filter of all conditions; empty ones are left out."""
    return " and ".join(filter(None, conditions))
