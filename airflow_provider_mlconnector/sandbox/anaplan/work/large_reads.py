# SPDX-License-Identifier: Apache-2.0
"""Read requests: a view or a list, cut into pages of CSV that are there until deleted or 30 minutes idle."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_provider_mlconnector.sandbox.anaplan.ids import hex_id
from airflow_provider_mlconnector.sandbox.anaplan.model.definitions import FileFormat
from airflow_provider_mlconnector.sandbox.anaplan.switches import PageHeader, Switches
from airflow_provider_mlconnector.sandbox.anaplan.work.actions import csv_text
from airflow_provider_mlconnector.sandbox.clock import VirtualClock

IDLE_LIFE = timedelta(minutes=30)
RENEWING_PAGES = 100
"""Only a page whose number is a multiple of this renews the request."""


@dataclass(slots=True)
class ReadRequest:
    """One large read; ``subject`` is the id of the view or list."""

    id: str
    subject: str
    pages: list[str]
    created_at: datetime
    ready_at: datetime
    renewed_at: datetime
    is_cancelled: bool = False

    def state(self, now: datetime) -> str:
        """Return the request's state."""
        if self.is_cancelled:
            return "CANCELLED"
        return "COMPLETE" if now >= self.ready_at else "IN_PROGRESS"

    def available(self, now: datetime) -> int:
        """Return how many pages can be had; they come one by one until the request is complete."""
        if now >= self.ready_at:
            return len(self.pages)
        done = (now - self.created_at) / (self.ready_at - self.created_at)
        return int(len(self.pages) * done)


class LargeReads:
    """All read requests of a model. Safe for threads."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._requests: dict[str, ReadRequest] = {}

    def start(self, subject: str, rows: Iterable[tuple[str, ...]], switches: Switches) -> ReadRequest:
        """Cut a table into pages."""
        now = self._clock.now()
        ready_at = now + timedelta(seconds=switches.read_request_seconds)
        request = ReadRequest(hex_id(), subject, _pages(rows, switches), now, ready_at, now)
        with self._lock:
            self._requests[request.id] = request
        return request

    def find(self, subject: str, request_id: str) -> ReadRequest | None:
        """Return a request that has not expired."""
        with self._lock:
            request = self._requests.get(request_id)
            if request is None or request.subject != subject:
                return None
            if request.renewed_at + IDLE_LIFE <= self._clock.now():
                del self._requests[request_id]
                return None
            return request

    def page(self, request: ReadRequest, number: int) -> str | None:
        """Return a page, or None when it is not there yet or at all."""
        now = self._clock.now()
        if not 0 <= number < request.available(now):
            return None
        if number % RENEWING_PAGES == 0:
            request.renewed_at = now
        return request.pages[number]

    def delete(self, request: ReadRequest) -> None:
        """Remove a request; one that is not complete yet is cancelled."""
        request.is_cancelled = self._clock.now() < request.ready_at
        with self._lock:
            self._requests.pop(request.id, None)

    def open_count(self) -> int:
        """Return how many requests hold pages."""
        return len(self._requests)


def _pages(rows: Iterable[tuple[str, ...]], switches: Switches) -> list[str]:
    header, *body = rows
    size, every = switches.read_page_rows, switches.page_header is PageHeader.EVERY
    pages = []
    for at in range(0, max(len(body), 1), size):
        head = [header] if at == 0 or every else []
        pages.append(csv_text([*head, *body[at : at + size]], FileFormat()))
    return pages
