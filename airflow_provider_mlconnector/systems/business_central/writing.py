# SPDX-License-Identifier: Apache-2.0
"""Requests that change something in a company: each is sent once, and what its failure means is judged for a writer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from airflow_provider_mlconnector.errors import (
    ConflictError,
    LostAnswerError,
    PermissionDeniedError,
    RemoteError,
)
from airflow_provider_mlconnector.systems.business_central.api import PLAIN
from airflow_provider_mlconnector.systems.business_central.resources import DIMENSION_LINES, JOURNAL_LINES
from airflow_provider_mlconnector.systems.http.session import HttpSession

ANY_VERSION = "*"

WRITTEN = frozenset({JOURNAL_LINES.name, DIMENSION_LINES.name})
"""What is written at all: no action, such as the one that posts, and no batch."""

MOVED = frozenset({"Internal_EntityWithSameKeyExists", "Internal_RecordNotFound"})
"""Codes of errors about a record that is there already, or not any more."""

ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Change:
    """A request that adds, changes or removes one journal line, or one dimension of a line.

    :param line: number of the line in its journal; in its batch for one that the journal has not.
    :param sentence: what it does.
    :param path: below ``/api``.
    :param match: the etag of what is to be changed, or ``*``; "" for a request that adds something.
    :raises ValueError: for the path of anything else.
    """

    line: int
    sentence: str
    method: str
    path: str
    body: Mapping[str, Any] | None = None
    match: str = ""

    def __post_init__(self) -> None:
        if self.path.rpartition("/")[2].partition("(")[0] not in WRITTEN:
            raise ValueError(f"Only lines and their dimensions are written, not {self.path}.")

    @property
    def headers(self) -> dict[str, str]:
        """The headers that it is sent with, alone or among others."""
        return {**PLAIN, "Content-Type": "application/json", **({"If-Match": self.match} if self.match else {})}


def send_change(session: HttpSession, change: Change) -> None:
    """Send a request that changes something, once.

    :raises LostAnswerError: when it may have taken effect all the same.
    :raises ConflictError: when things are otherwise than they were when they were looked at.
    """
    data = None if change.body is None else ENCODER.encode(change.body)
    try:
        session.request(change.method, change.path, data=data, headers=change.headers, idempotent=False)
    except RemoteError as exc:
        raise judged(exc) from exc


def judged(error: RemoteError) -> RemoteError:
    """Return what an error means for a request that changes something.

    One that the server gave up after its own time-out (408) may have taken effect. One about a record that is there
    already, or gone, was asked for things as they were at the last look.
    """
    if error.status == 408:
        return LostAnswerError(error.message, hint=error.hint, status=408, path=error.path)
    if isinstance(error, PermissionDeniedError):
        error.hint = "Give the application a permission set that may write general journals, besides those to read."
    moved = error.remote_code in MOVED or "already exists" in error.message
    if moved and not isinstance(error, ConflictError):
        hint = "Others write into the journal batch, or it holds lines that the API hides: keep it for the plan alone."
        return ConflictError(error.message, hint=hint, status=error.status, path=error.path)
    return error
