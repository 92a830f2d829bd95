# SPDX-License-Identifier: Apache-2.0
"""From what went wrong on the wire to our own errors: exceptions of requests, and status codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    LostAnswerError,
    MlconnectorError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    RateLimitedError,
    RemoteError,
    ServerError,
    TransportError,
)

if TYPE_CHECKING:
    import requests

REQUEST_ID_HEADERS = ("x-request-id", "request-id", "x-correlation-id", "ms-correlation-x", "x-ms-request-id")
NOT_OFFERED = frozenset({501, 505})  # 5xx by number, but asking again cannot help

BY_STATUS: dict[int, type[RemoteError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    412: ConflictError,
}


@dataclass(frozen=True, slots=True)
class Sending:
    """A request as far as its failure goes.

    :param repeatable: it may take effect twice without harm.
    :param silence_is_final: a read time-out says something about the server and is not to be sat through again.
    :param guard: called right before every send; what it raises ends the request.
    """

    method: str
    url: str
    repeatable: bool
    silence_is_final: bool = False
    guard: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A request without success; ``status`` is 0 without an answer, ``asked`` the wait that the server asked for."""

    error: MlconnectorError
    status: int = 0
    asked: float | None = None


def failure_of_exception(exc: Exception, sending: Sending) -> Failure:
    """Judge an exception of requests: whether the request could have taken effect, and whether that matters."""
    import requests

    parts = urlsplit(sending.url)
    path, host, what = parts.path, parts.hostname or "", f"{sending.method} {parts.path}"
    if isinstance(exc, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(exc):
        hint = "Check the certificate authorities that this machine trusts, and the proxy."
        return Failure(ProtocolError(f"{what}: the certificate of {host} is not trusted.", hint=hint, path=path))
    if isinstance(exc, requests.exceptions.ReadTimeout) or "Read timed out" in str(exc):
        kind = TransportError if sending.repeatable and not sending.silence_is_final else LostAnswerError
        return Failure(kind(f"{what}: {host} did not answer in time.", path=path))
    if _nothing_sent(exc):
        return Failure(TransportError(f"{what}: no connection to {host} ({_reason(exc)}).", path=path))
    kind = TransportError if sending.repeatable else LostAnswerError
    return Failure(kind(f"{what}: the connection to {host} broke off ({_reason(exc)}).", path=path))


def error_of_status(response: requests.Response) -> RemoteError:
    """Make the error of an answer that is not a success, by its status alone and what its body says."""
    path = urlsplit(response.url).path
    what = f"{response.request.method} {path}"
    return error_of(what, path, response.status_code, said_by(response), request_id_of(response))


def error_of(what: str, path: str, status: int, told: tuple[str, str], request_id: str = "") -> RemoteError:
    """Make the error of a request that was answered with a status and a body.

    :param what: the request, as the message is to call it.
    :param told: code and sentence of the body.
    """
    code, said = told
    message = f"{what} was answered {status}{': ' + said if said else ''}."
    if status == 429:
        return RateLimitedError(message, path=path, hint="The server asks for fewer requests; it is tried again later.")
    kind = BY_STATUS.get(status, ServerError if status >= 500 and status not in NOT_OFFERED else BadRequestError)
    return kind(message, status=status, path=path, remote_code=code, request_id=request_id)


def request_id_of(response: requests.Response) -> str:
    """Return the id under which the server's own support finds the request, or ""."""
    return next((response.headers[name] for name in REQUEST_ID_HEADERS if name in response.headers), "")


def said_by(response: requests.Response) -> tuple[str, str]:
    """Return code and sentence of an error body in the dialects of our systems; gateways send HTML or nothing."""
    if "json" not in response.headers.get("Content-Type", ""):
        return "", ""
    try:
        return said_in(response.json())
    except ValueError:
        return "", ""


def said_in(body: Any) -> tuple[str, str]:
    """Return code and sentence of an error body that was read; both are "" where it says nothing."""
    if not isinstance(body, dict):
        return "", ""
    told = _by_small_letters(body)
    inner = next((_by_small_letters(told[key]) for key in ("error", "status") if isinstance(told.get(key), dict)), told)
    code = inner.get("code") or inner.get("error") or inner.get("status") or ""
    said = inner.get("message") or inner.get("error_description") or inner.get("statusmessage") or ""
    return str(code)[:100], str(said).rstrip(".")[:300]


def _by_small_letters(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body whose names are in small letters: some systems begin them with a large one."""
    return {name.lower(): value for name, value in body.items()}


def _nothing_sent(exc: Exception) -> bool:
    import requests
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    if isinstance(exc, (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError)):
        return True
    reason = getattr(exc.args[0], "reason", None) if exc.args else None
    return isinstance(reason, (NewConnectionError, ConnectTimeoutError))


def _reason(exc: BaseException) -> str:
    """Return the innermost exception's kind: its text may hold the URL with its query."""
    inner: Any = exc
    while getattr(inner, "args", None) and isinstance(inner.args[0], BaseException):
        inner = inner.args[0]
    inner = getattr(inner, "reason", None) or inner
    return type(inner).__name__
