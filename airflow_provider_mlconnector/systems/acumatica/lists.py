# SPDX-License-Identifier: Apache-2.0
"""Lists that are read whole, though the server promises no order for its pages.

While somebody pages with ``$skip``, a record that is changed may move, so that another one shows twice and a third one
never. What fits into one answer needs no paging. For the rest all keys are asked for first, in passes until one brings
nothing new; then the records, in ranges of keys that fit into one answer. An answer without a key that it must hold is
asked for again in halves, down to the single key, which is then gone. So nothing is missing and nothing is doubled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Generic, TypeVar

from airflow_provider_mlconnector.errors import ConflictError, NotFoundError, RemoteError
from airflow_provider_mlconnector.systems.acumatica.answers import OPTIMIZATION
from airflow_provider_mlconnector.systems.acumatica.api import AcumaticaApi
from airflow_provider_mlconnector.systems.acumatica.wrapped import Entity, Record, literal
from airflow_provider_mlconnector.systems.port import Finding, FindingKind

KEYS_PAGE = 10_000
"""Keys of one request."""

MOST_PASSES = 10

Key = tuple[str, ...]
RecordT = TypeVar("RecordT", bound=Record)


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
        """Yield the records that a filter lets through, a portion at a time, each once.

        :raises ConflictError: when the list changes faster than it can be read.
        """
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
        """Yield the records of these keys, those that are there."""
        for key in keys:
            try:
                yield [self._api.record(self._entity, key)]
            except NotFoundError:
                continue

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
        """Return all keys that a filter lets through."""
        seen: set[Key] = set()
        for _ in range(MOST_PASSES):
            passed, pages = self._pass(where)
            settled = pages == 1 or passed <= seen
            seen |= passed
            if settled:
                return seen
        raise ConflictError(
            f"The list {self._entity.name} changes faster than it can be read.", hint="Try when fewer people post."
        )

    def _pass(self, where: str) -> tuple[set[Key], int]:
        """Page through the keys once; return them and the number of pages that held any."""
        keys: set[Key] = set()
        skip = pages = 0
        while page := self._page_of_keys(where, skip, KEYS_PAGE):
            keys.update(page)
            skip += len(page)
            pages += 1
        return keys, pages

    def _page_of_keys(self, where: str, skip: int, top: int) -> list[Key]:
        return self._api.keys(self._entity, where=where, top=top, skip=skip)


def all_of(*conditions: str) -> str:
    """Return the filter of all conditions; empty ones are left out."""
    return " and ".join(filter(None, conditions))
