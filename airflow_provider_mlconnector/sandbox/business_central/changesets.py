# SPDX-License-Identifier: Apache-2.0
"""``$batch``: up to a hundred requests in one, as JSON, each carried out as if it had come alone.

With ``Isolation: snapshot`` they take effect all together or not at all. The first that fails is the last that is
carried out, unless the client prefers ``odata.continue-on-error``. Posting commits: what came before it stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from fastapi import Request, Response

from airflow_provider_mlconnector.sandbox.business_central.journal_sets import POST_ACTION
from airflow_provider_mlconnector.sandbox.business_central.journals import Journals
from airflow_provider_mlconnector.sandbox.business_central.paths import BATCH
from airflow_provider_mlconnector.sandbox.business_central.wire import WireError

MOST_OPERATIONS = 100

Serve = Callable[[str, Request, bytes], Response]
"""Answers the request to a path with a body; its errors are answers, too."""


class Operation(msgspec.Struct):
    """One request of a batch; ``url`` is relative to the API's root."""

    method: str
    url: str
    id: str | None = None
    headers: dict[str, str] = {}
    body: msgspec.Raw = msgspec.Raw(b"")


class Operations(msgspec.Struct):
    """The body of a batch."""

    requests: list[Operation]


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that came over the wire.

    :param root: path of the API that it was sent to, with a slash at the end.
    :param isolated: whether it takes effect as a whole or not at all.
    """

    root: str
    outer: Request
    operations: Sequence[Operation]
    isolated: bool

    def carry_out(self, serve: Serve, tables: Sequence[Journals]) -> Response:
        """Carry out the requests in their order; return an answer with all of theirs.

        :param tables: what the requests may change.
        """
        goes_on = "continue-on-error" in self.outer.headers.get("prefer", "").lower()
        answers, failed = [], False
        saved = [table.savepoint() for table in tables]
        for operation in self.operations:
            answer = serve(*self._request(operation))
            answers.append(_told(operation, answer))
            if answer.status_code >= 400:
                failed = True
                if not goes_on:
                    break
            elif operation.url.endswith(POST_ACTION):
                saved = [table.savepoint() for table in tables]
        if failed and self.isolated:
            for table, savepoint in zip(tables, saved, strict=True):
                table.roll_back(savepoint)
        return Response(msgspec.json.encode({"responses": answers}), media_type="application/json")

    def _request(self, operation: Operation) -> tuple[str, Request, bytes]:
        """Return path, request and body of an operation; who asks, it has from the batch."""
        relative, _, query = operation.url.lstrip("/").partition("?")
        given = {name.lower(): value for name, value in operation.headers.items()}
        headers = {"host": self.outer.headers["host"], **given}
        scope = {
            **self.outer.scope,
            "method": operation.method.upper(),
            "path": self.outer.scope["path"].removesuffix(BATCH) + relative,
            "query_string": query.encode(),
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        }
        return f"{self.root}{relative}", Request(scope), bytes(operation.body)


def read_batch(root: str, outer: Request, body: bytes, *, can_isolate: bool) -> Batch:
    """Read a batch.

    :param can_isolate: whether the server keeps to ``Isolation: snapshot``.
    :raises WireError: 400 for what is none, and for one with too many requests.
    """
    try:
        operations = msgspec.json.decode(body, type=Operations).requests
    except msgspec.DecodeError as error:
        raise WireError(400, "BadRequest", f"The request body is not a valid JSON batch: {error}.") from error
    if len(operations) > MOST_OPERATIONS:
        message = f"The batch holds {len(operations)} operations, and may hold {MOST_OPERATIONS}."
        raise WireError(400, "BadRequest", message)
    isolated = can_isolate and outer.headers.get("isolation", "").lower() == "snapshot"
    return Batch(root, outer, operations, isolated)


def _told(operation: Operation, answer: Response) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": operation.id,
        "status": answer.status_code,
        "headers": {name: value for name, value in answer.headers.items() if name != "content-length"},
    }
    body = bytes(answer.body)
    if not body:
        return told
    is_json = "json" in answer.headers.get("content-type", "")
    return told | {"body": msgspec.Raw(body) if is_json else body.decode()}
