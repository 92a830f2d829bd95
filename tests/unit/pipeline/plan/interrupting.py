# SPDX-License-Identifier: Apache-2.0
"""What happens to a process that writes drafts, or to one of its requests: it dies, or an answer is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import requests

from airflow_provider_mlconnector.finance.drafts import Journal, Payload
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.writeback import Receipt, write_back
from airflow_provider_mlconnector.sandbox.faults import FaultKind
from airflow_provider_mlconnector.systems.drafting import Drafting
from tests.unit.pipeline.support import FLOW

LATER = 30.0
LOSSES = {
    "before it took effect": (FaultKind.RESET, 0.0),
    "after it took effect": (FaultKind.LOST_ANSWER, 0.0),
    "long before it took effect": (FaultKind.LATE, LATER),
}
"""When an answer may be lost: the fault that does it, and after how many seconds the request takes effect."""

NameOf = Callable[[str, str, dict[str, Any]], str]
"""From the method, the address and the options of a request to the name that a test knows it by; "": not counted."""


class Killed(BaseException):
    """The worker is gone."""


@contextmanager
def killed(name_of: NameOf, *, at: int, after: bool = False) -> Iterator[list[str]]:
    """Let the process die before its request of that number, or after it; yield the names of those it sent.

    :param at: counted from 0, among the requests that have a name.
    """
    sent: list[str] = []
    real = requests.Session.request

    def request(self, method, url, **more):
        name = name_of(method, url, more)
        if not name:
            return real(self, method, url, **more)
        if len(sent) == at and not after:
            raise Killed
        sent.append(name)
        try:
            return real(self, method, url, **more)
        finally:
            if after and len(sent) == at + 1:
                raise Killed

    requests.Session.request = request
    try:
        yield sent
    except Killed:
        pass
    finally:
        requests.Session.request = real


def payload(company: str, name: str, period: str, *journals: Journal) -> Payload:
    """Return an approved plan of one period."""
    return Payload(
        flow=FLOW,
        plan="Approved Budget",
        company=company,
        periods=(period,),
        version="Budget",
        name=name,
        journals=journals,
    )


def write(bench: Bench, drafts: Drafting, approved: Payload, run_id: str) -> list[Receipt]:
    """Write as a task of a run does, each time by another process; it logs off unless it is killed."""
    resource = f"{approved.company}/{approved.name}"
    receipts = write_back(bench, approved, drafts, run_id=run_id, owner="plan/run/write", resource=resource)
    drafts.close()
    return receipts
