# SPDX-License-Identifier: Apache-2.0
"""Changes of a journal as few requests: up to a hundred in one ``$batch``, which takes effect as a whole or not at all.

What this module guarantees: a server that does not keep to ``Isolation: snapshot`` does no harm. Each change holds good
by itself: what took effect is found at the next look, and what is missing is sent then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import msgspec

from airflow_provider_mlconnector.errors import MlconnectorError, ProtocolError, RemoteError, ServerError
from airflow_provider_mlconnector.systems.business_central.answers import explained
from airflow_provider_mlconnector.systems.business_central.api import PLAIN
from airflow_provider_mlconnector.systems.business_central.resources import Api
from airflow_provider_mlconnector.systems.business_central.writing import ENCODER, Change, judged, send_change
from airflow_provider_mlconnector.systems.drafting import Step
from airflow_provider_mlconnector.systems.http.failures import error_of, said_in
from airflow_provider_mlconnector.systems.http.session import HttpSession

MOST_CHANGES = 100
"""In one batch (operational limits of Business Central online)."""

ROOT = f"{Api.V2}/"
PATH = f"{ROOT}$batch"
HEADERS = {**PLAIN, "Content-Type": "application/json", "Isolation": "snapshot"}


class Answer(msgspec.Struct):
    """The answer to one request of a batch; ``id`` is that of the request, where the server says it again."""

    status: int
    id: str | None = None
    body: Any = None


class Answers(msgspec.Struct):
    """The answer to a batch: as many as were carried out, in their order."""

    responses: list[Answer]


def steps_of(session: HttpSession, changes: Iterable[Change], verb: str, rest: str) -> list[Step]:
    """Return the steps that make changes of one kind, each one request.

    :param verb: with ``rest`` the sentence of several, such as "add" … "of AP12 to batch ANAPLAN"; one has its own.
        It names the lines, so that it is another one as soon as the step took effect.
    """
    listed, steps = list(changes), []
    for start in range(0, len(listed), MOST_CHANGES):
        some = listed[start : start + MOST_CHANGES]
        if len(some) == 1:
            steps.append(Step(some[0].sentence, partial(send_change, session, some[0])))
        else:
            steps.append(Step(f"{verb} {_lines(some)} {rest}", partial(send_changes, session, some)))
    return steps


def send_changes(session: HttpSession, changes: Sequence[Change]) -> None:
    """Send changes as one request, once.

    :raises LostAnswerError: when they may have taken effect all the same.
    :raises ConflictError: when things are otherwise than they were when they were looked at.
    :raises ProtocolError: when not every change is answered; they may have taken effect, too.
    """
    numbered = {str(number): change for number, change in enumerate(changes, start=1)}
    data = ENCODER.encode({"requests": [_operation(number, change) for number, change in numbered.items()]})
    try:
        response = session.request("POST", PATH, data=data, headers=HEADERS, idempotent=False)
    except RemoteError as exc:
        raise judged(exc) from exc
    try:
        answers = msgspec.json.decode(response.content, type=Answers).responses
    except msgspec.DecodeError as exc:
        raise ProtocolError(f"The answer to {len(changes)} changes is broken: {exc}.", path=PATH) from None
    for answer in answers:
        if answer.status >= 400:
            raise _failure(numbered.get(answer.id or ""), answer)
    done = sum(200 <= answer.status < 300 for answer in answers)
    if done != len(changes):
        raise ProtocolError(f"Of {len(changes)} changes in one request, {done} were answered as done.", path=PATH)


def _operation(number: str, change: Change) -> dict[str, Any]:
    url = change.path.removeprefix(ROOT)
    operation = {"id": number, "method": change.method, "url": url, "headers": change.headers}
    return operation if change.body is None else {**operation, "body": change.body}


def _failure(change: Change | None, answer: Answer) -> MlconnectorError:
    """Return what the failure of one change means for all that were sent with it.

    A server that is too busy for one (429) is so for the others, too: nobody but the next look knows what it did.
    """
    path = change.path if change else PATH
    what = f"{change.method} {path} ({change.sentence})" if change else f"One of the changes in POST {path}"
    told = said_in(answer.body)
    error = explained(error_of(what, path, answer.status, told))
    if answer.status == 429:
        return ServerError(error.message, status=answer.status, path=path, remote_code=told[0])
    return judged(error) if isinstance(error, RemoteError) else error


def _lines(changes: Sequence[Change]) -> str:
    """Return the lines that changes are about, such as "100 lines (1 to 100)"; "line 7" for several of one line."""
    numbers = sorted({change.line for change in changes})
    if len(numbers) == 1:
        return f"line {numbers[0]}"
    return f"{len(numbers)} lines ({numbers[0]} to {numbers[-1]})"
