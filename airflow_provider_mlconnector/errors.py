# SPDX-License-Identifier: Apache-2.0
"""Every error this package raises on purpose.

    MlconnectorError
    ├── ConfigurationError          somebody has to change a file, a connection or a setting
    │   ├── FlowError               a flow file, with file and line
    │   ├── UnknownNameError        a name that the remote system does not know, or knows twice; lists the candidates
    │   └── CapabilityError         asked for something that this ERP cannot give
    ├── RemoteError                 a remote system answered, or failed to
    │   ├── TransportError          no connection, or it broke before a request was sent whole
    │   │   └── LostAnswerError     the request may have taken effect: look before repeating it
    │   ├── AuthenticationError     401 after one new login, wrong password, expired secret
    │   ├── PermissionDeniedError   403
    │   ├── NotFoundError           404
    │   ├── BadRequestError         400, 405, 406, 415
    │   ├── ConflictError           409, 412
    │   ├── RateLimitedError        429, with the wait that the server asked for
    │   │   └── SeatLimitError      the license lets nobody else log in now
    │   ├── ServerError             5xx
    │   └── ProtocolError           an answer that breaks the protocol: malformed, half a page, a foreign host
    ├── NotApprovedError            nothing proves that a person approved exactly these bytes
    ├── ModelError                  the Anaplan model is not to be worked with
    │   ├── ModelBusyError          busy, locked or offline: wait without a worker slot, then go on
    │   └── ModelUnavailableError   archived or deployed: a person has to act
    ├── TaskError                   a remote job did not end well
    │   ├── TaskFailedError         COMPLETE without success, or more rejects than tolerated
    │   ├── TaskCancelledError
    │   └── DeadlineError           not over by the deadline
    ├── DataError                   the data is not what was agreed
    │   ├── SchemaDriftError        a column is missing or has another type
    │   ├── HeaderError             the import expects another header
    │   ├── RowsRefusedError        unmapped or invalid rows, and the flow says fail
    │   ├── ReconcileError          the books do not agree
    │   ├── PreflightError          a plan cannot become drafts as it is; nothing was written
    │   └── PostedError             a draft that a plan would change was posted by a person
    └── TrailError                  our own database
        ├── TrailUnavailableError   it cannot be reached, or stayed locked: try again later
        ├── LeaseTakenError         somebody else works on the model; come back later
        ├── FencedError             our lease was taken over: stop at once
        ├── StaleVersionError       accepted cells moved on since the file was prepared
        ├── VaultError              no key, or a secret that the key does not open
        └── TamperedError           a row, an event or a file is not what the chain says

Each carries a stable ``code``, a ``hint`` (what to do next, one sentence), whether a later try can help (``retryable``)
and, for remote errors, the request's path and id. Texts never hold a secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar


class MlconnectorError(Exception):
    """Something went wrong that a person has to read about."""

    code: ClassVar[str] = "MLC-0000"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        sentence = f"[{self.code}] {self.message}"
        return f"{sentence} {self.hint}" if self.hint else sentence


class ConfigurationError(MlconnectorError):
    """Somebody has to change a file, a connection or a setting."""

    code = "MLC-CFG-01"


class FlowError(ConfigurationError):
    """A flow file says something that cannot be; ``where`` is ``file:line``."""

    code = "MLC-CFG-02"

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message, hint=hint)
        self.where = where


class UnknownNameError(ConfigurationError):
    """A name that the remote system does not know, or knows more than once."""

    code = "MLC-CFG-03"

    def __init__(self, message: str, *, candidates: Sequence[str] = (), hint: str = "") -> None:
        listed = ", ".join(sorted(candidates)[:20])
        super().__init__(f"{message} Known: {listed}." if listed else message, hint=hint)
        self.candidates = tuple(candidates)


class CapabilityError(ConfigurationError):
    """A flow asks for what this ERP cannot give."""

    code = "MLC-CFG-04"


class RemoteError(MlconnectorError):
    """A remote system answered with an error, or failed to answer."""

    code = "MLC-NET-00"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        status: int | None = None,
        path: str = "",
        remote_code: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.path = path
        self.remote_code = remote_code
        self.request_id = request_id


class TransportError(RemoteError):
    """No connection, or it broke; nothing was done on the other side, or the request may safely be repeated."""

    code = "MLC-NET-01"
    retryable = True


class LostAnswerError(TransportError):
    """The request was sent, no answer came: it may have taken effect."""

    code = "MLC-NET-02"


class AuthenticationError(RemoteError):
    """The system refuses our credentials."""

    code = "MLC-NET-03"


class PermissionDeniedError(RemoteError):
    """The user may not do this."""

    code = "MLC-NET-04"


class NotFoundError(RemoteError):
    """Absent, or hidden from this user."""

    code = "MLC-NET-05"


class BadRequestError(RemoteError):
    """The system does not accept what we sent."""

    code = "MLC-NET-06"


class ConflictError(RemoteError):
    """Somebody changed the object meanwhile, or it is in use."""

    code = "MLC-NET-07"
    retryable = True


class RateLimitedError(RemoteError):
    """Too many requests; ``retry_after`` is the wait in seconds that the server asked for, if it did."""

    code = "MLC-NET-08"
    retryable = True

    def __init__(self, message: str, *, retry_after: float | None = None, hint: str = "", path: str = "") -> None:
        super().__init__(message, hint=hint, status=429, path=path)
        self.retry_after = retry_after


class SeatLimitError(RateLimitedError):
    """The license lets nobody else log in now: wait until somebody has logged out, which takes minutes."""

    code = "MLC-NET-11"


class ServerError(RemoteError):
    """The system failed (5xx)."""

    code = "MLC-NET-09"
    retryable = True


class ProtocolError(RemoteError):
    """An answer that breaks the protocol: malformed, half a page, a link to a foreign host."""

    code = "MLC-NET-10"


class ModelError(MlconnectorError):
    """The Anaplan model cannot be worked with now."""

    code = "MLC-ANA-01"


class ModelBusyError(ModelError):
    """Busy, locked or offline. ``state`` is the word to show; wait without a worker slot and go on."""

    code = "MLC-ANA-02"
    retryable = True

    def __init__(self, message: str, *, state: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.state = state


class ModelUnavailableError(ModelError):
    """Archived or deployed: no waiting helps."""

    code = "MLC-ANA-03"


class TaskError(MlconnectorError):
    """A remote job did not end well."""

    code = "MLC-TSK-01"


class TaskFailedError(TaskError):
    """The job is over and did not succeed, or rejected more rows than the flow tolerates."""

    code = "MLC-TSK-02"


class TaskCancelledError(TaskError):
    """Somebody cancelled the job; its work was rolled back."""

    code = "MLC-TSK-03"
    retryable = True


class DeadlineError(TaskError):
    """The job was not over by its deadline."""

    code = "MLC-TSK-04"


class DataError(MlconnectorError):
    """The data is not what was agreed."""

    code = "MLC-DAT-01"


class SchemaDriftError(DataError):
    """A column that the flow needs is missing or has another type.

    :param column: its name in the ERP, where it is one column.
    :param retyped: it is there, with another type.
    """

    code = "MLC-DAT-02"

    def __init__(self, message: str, *, hint: str = "", column: str = "", retyped: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.column = column
        self.retyped = retyped


class HeaderError(DataError):
    """The import expects another header than the flow would send."""

    code = "MLC-DAT-03"


class RowsRefusedError(DataError):
    """Rows are unmapped or invalid, and the flow says that this fails the run."""

    code = "MLC-DAT-04"


class ReconcileError(DataError):
    """The books do not agree."""

    code = "MLC-DAT-05"


class PreflightError(DataError):
    """A plan cannot become drafts as it is; all that was found is in the message and on the trail."""

    code = "MLC-DAT-06"


class PostedError(DataError):
    """A person posted the draft that a plan would change: it is theirs now."""

    code = "MLC-DAT-07"


class NotApprovedError(MlconnectorError):
    """Nothing proves that a person approved exactly these bytes, in this run."""

    code = "MLC-APR-01"


class TrailError(MlconnectorError):
    """Our own database."""

    code = "MLC-TRL-01"


class LeaseTakenError(TrailError):
    """Somebody else works on the model; ``owner`` says who. Leave the pool slot and come back.

    :param expired: the owner did not renew in time. That does not free the lease: see that the job in ``remote`` is
        over, then take it over with ``token``.
    :param remote: the remote job that the owner noted, as a JSON object.
    """

    code = "MLC-TRL-02"
    retryable = True

    def __init__(
        self,
        message: str,
        *,
        owner: str,
        hint: str = "",
        expired: bool = False,
        token: int = 0,
        until: datetime | None = None,
        remote: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.owner = owner
        self.expired = expired
        self.token = token
        self.until = until
        self.remote = remote


class FencedError(TrailError):
    """Our lease was taken over: not one more request that changes the model."""

    code = "MLC-TRL-03"
    retryable = True


class StaleVersionError(TrailError):
    """The accepted cells moved on since the file was prepared: prepare again."""

    code = "MLC-TRL-04"
    retryable = True


class VaultError(TrailError):
    """No key, or a secret that the key does not open."""

    code = "MLC-TRL-05"


class TamperedError(TrailError):
    """A row, an event or a file is not what the chain of hashes says."""

    code = "MLC-TRL-06"


class TrailUnavailableError(TrailError):
    """Our own database cannot be reached, the connection to it broke, or it stayed locked."""

    code = "MLC-TRL-07"
    retryable = True
