# SPDX-License-Identifier: Apache-2.0
"""What all sandbox systems share: the clock, the faults, the counts and the books."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.company import LARKFIELD, MEADOW
from airflow_provider_mlconnector.sandbox.books.tui_ledger import tui_books
from airflow_provider_mlconnector.sandbox.clock import VirtualClock
from airflow_provider_mlconnector.sandbox.faults import Faults
from airflow_provider_mlconnector.sandbox.stats import Stats

T = TypeVar("T")


@dataclass(frozen=True)
class World:
    """One sandbox. ``seed`` and ``scale`` decide the books; everything else is made by what its users do.

    :param companies: the books of every company by its code; Larkfield's are those that most are about.
    """

    clock: VirtualClock
    faults: Faults
    stats: Stats
    companies: Mapping[str, Books]
    seed: int = 1
    scale: float = 1.0
    _states: dict[str, Any] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @classmethod
    def create(cls, *, seed: int = 1, scale: float = 1.0) -> World:
        """Make a fresh world; books of a period are generated when they are first looked at."""
        clock = VirtualClock()
        companies = (
            Books(seed=seed, scale=scale, clock=clock, company=LARKFIELD),
            Books(seed=seed, scale=1, clock=clock, company=MEADOW),
            tui_books(clock, seed),
        )
        return cls(clock, Faults(), Stats(clock), {books.code: books for books in companies}, seed, scale)

    @property
    def books(self) -> Books:
        """Return Larkfield's books."""
        return self.companies[LARKFIELD.code]

    def state(self, system: str, make: Callable[[], T]) -> T:
        """Return a system's own state, made on first use, so that its routes, ``describe`` and tests share one.

        What makes it may ask for another state: that of a service that several systems share.
        """
        with self._lock:
            if system not in self._states:
                self._states[system] = make()
            state: T = self._states[system]
            return state
