# SPDX-License-Identifier: Apache-2.0
"""What the books of a company are in every system: datasets with a reader each, whose requests are counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from airflow_provider_mlconnector.errors import CapabilityError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.systems.port import Capabilities, Reading, Scope

if TYPE_CHECKING:
    import pyarrow as pa

Reader = Callable[[Scope, Reading], "Iterator[pa.RecordBatch]"]
"""Yields the batches of one dataset, and notes in the reading what there is to tell."""


class Service(Protocol):
    """The requests of one company's books."""

    @property
    def requests_made(self) -> int:
        """Requests sent so far."""

    def close(self) -> None:
        """Log off and release connections."""


class Books:
    """The books of one company, as far as they are alike everywhere. Not to be shared between threads.

    :ivar capabilities: what the system can be asked for.
    """

    capabilities: Capabilities

    def __init__(self, service: Service, readers: Mapping[Dataset, Reader]) -> None:
        self._service = service
        self._readers = readers

    @property
    def requests_made(self) -> int:
        """Requests sent so far; whether those of a login are among them, the system decides."""
        return self._service.requests_made

    def read(self, dataset: Dataset, scope: Scope) -> Reading:
        """Read a dataset; nothing is asked for until the batches are.

        :raises CapabilityError: for a dataset that the system does not give, and for periods where nothing tells them.
        """
        if dataset not in self._readers:
            raise CapabilityError(self.capabilities.refusal(dataset))
        reading = Reading(batches=iter(()))
        reading.batches = self._watched(self._readers[dataset](scope, reading), reading)
        return reading

    def close(self) -> None:
        """Log off where there is something to log off from, and release connections."""
        self._service.close()

    def _watched(self, batches: Iterator[pa.RecordBatch], reading: Reading) -> Iterator[pa.RecordBatch]:
        """Keep count of a read's requests and of the largest modified stamp; leave out empty batches."""
        import pyarrow.compute as pc

        before = self.requests_made
        for batch in batches:
            reading.requests = self.requests_made - before
            newest = pc.max(batch["modified_at"]).as_py()
            reading.cursor = max(filter(None, (reading.cursor, newest)), default=None)
            if batch.num_rows:
                yield batch
        reading.requests = self.requests_made - before
