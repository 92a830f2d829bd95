# SPDX-License-Identifier: Apache-2.0
"""Faults to switch on: which request they hit, what they do to it, and how often.

A fault matches by system, method and a regular expression searched in ``path?query`` (decoded), behind which the
operation of a SOAP call stands (``#CreateGLTransaction``). Several that match are used up in the order in which they
were added. :mod:`airflow_provider_mlconnector.sandbox.gate` carries them out.
"""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class FaultKind(StrEnum):
    """What happens to the request."""

    STATUS = "status"
    """Answered with ``status``, ``headers`` and ``body``; the system never sees it."""
    RESET = "reset"
    """The connection is reset before the system sees the request."""
    LOST_ANSWER = "lost_answer"
    """The system does its work to the end, then the connection is closed without one byte of an answer."""
    LATE = "late"
    """The connection is closed at once; the system does its work when ``seconds`` of virtual time have passed."""
    DELAY = "delay"
    """The system sees the request ``seconds`` later."""
    SLOW = "slow"
    """The answer's body is spread over ``seconds``."""
    TRUNCATE = "truncate"
    """Half of the answer's body is sent, then the connection is closed."""
    HANG = "hang"
    """Nothing happens until the fault is removed, the client leaves or ``seconds`` have passed; then it is served."""
    HELD = "held"
    """The system does its work to the end; its answer waits as a request that hangs does."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    :param system: name of the system, or empty for every one.
    :param method: HTTP method, or empty for every one.
    :param path: regular expression searched in the decoded path and query.
    :param times: how many requests it hits; None for all until it is removed.
    :param skip: how many matching requests pass before the first hit.
    :param status: answer of a ``status`` fault, with ``headers`` and ``body`` (text, or JSON when not text).
    :param seconds: real seconds, for ``delay``, ``slow``, ``hang``, ``held``; of the virtual clock for ``late``.
    """

    kind: FaultKind
    system: str = ""
    method: str = ""
    path: str = ""
    times: int | None = 1
    skip: int = 0
    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = ""
    seconds: float = 30.0


@dataclass(slots=True)
class _Armed:
    """A fault that was switched on, and how often it matched."""

    fault_id: int
    fault: Fault
    pattern: re.Pattern[str]
    seen: int = 0

    def matches(self, system: str, method: str, target: str) -> bool:
        fault = self.fault
        return (
            fault.system in ("", system)
            and fault.method.upper() in ("", method)
            and self.pattern.search(target) is not None
        )

    @property
    def spent(self) -> bool:
        return self.fault.times is not None and self.seen >= self.fault.skip + self.fault.times

    @property
    def hits(self) -> int:
        return max(0, self.seen - self.fault.skip)


@dataclass(frozen=True, slots=True)
class Hit:
    """A fault that struck a request; ``fault_id`` tells whether it is still switched on."""

    fault_id: int
    fault: Fault


class Faults:
    """All faults that are switched on. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._armed: dict[int, _Armed] = {}

    def add(self, fault: Fault) -> int:
        """Switch a fault on and return its id.

        :raises re.error: when ``path`` is no regular expression.
        """
        with self._lock:
            fault_id = next(self._ids)
            self._armed[fault_id] = _Armed(fault_id, fault, re.compile(fault.path))
            return fault_id

    def take(self, system: str, method: str, target: str) -> Hit | None:
        """Return the fault that strikes this request, and use it up by one."""
        with self._lock:
            for armed in self._armed.values():
                if armed.spent or not armed.matches(system, method, target):
                    continue
                armed.seen += 1
                if armed.seen > armed.fault.skip:
                    return Hit(armed.fault_id, armed.fault)
            return None

    def is_on(self, fault_id: int) -> bool:
        """Say whether a fault was not removed yet; a used up one still counts as on."""
        return fault_id in self._armed

    def hits(self, fault_id: int) -> int:
        """Return how many requests a fault struck."""
        armed = self._armed.get(fault_id)
        return armed.hits if armed else 0

    def remove(self, fault_id: int) -> bool:
        """Switch one fault off, letting go of the requests that hang on it; False when there is none."""
        with self._lock:
            return self._armed.pop(fault_id, None) is not None

    def clear(self) -> None:
        """Switch all faults off."""
        with self._lock:
            self._armed.clear()

    def listing(self) -> list[tuple[int, Fault, int]]:
        """Return id, fault and number of hits of every fault that is on."""
        with self._lock:
            return [(armed.fault_id, armed.fault, armed.hits) for armed in self._armed.values()]
