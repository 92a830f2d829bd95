# SPDX-License-Identifier: Apache-2.0
"""What Acumatica's error answers mean, and what to do about them.

A 500 says nothing by its number: a wrong password is one, and so is a record that is not there. What counts is the
exception's text. Refusals by the license come as JSON, as plain text or as a page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    BadRequestError,
    MlconnectorError,
    NotFoundError,
    RateLimitedError,
    RemoteError,
    SeatLimitError,
    ServerError,
    UnknownNameError,
)
from airflow_provider_mlconnector.systems.http.failures import error_of_status

if TYPE_CHECKING:
    import requests

OPTIMIZATION = "CannotOptimize"
"""Remote code of an error that says that a list cannot be made with these fields; :func:`unfit_fields` names them."""

_LONGEST = 400
_SIGN_IN = ("/entity/auth/login", "/identity/connect/token")
_NO_SEAT = ("api login limit", "concurrent api login", "checkapiuserslimits", "apiloginlimitreached", "sm201010")
_NO_LOGIN = (
    "invalid credentials",
    "locked out",
    "account is disabled",
    "account has been disabled",
    "need to change your password",
)
_PASSING = ("deadlock", "timeout", "another process has")
_FIELDS_FOLLOW = "cause the error:"


def classify(response: requests.Response) -> MlconnectorError:
    """Make the error of an answer that is not a success."""
    plain = error_of_status(response)
    said = _said(response)
    words = f"{said} {_start(response)}".lower()
    if any(word in words for word in _NO_SEAT) or (response.status_code == 429 and _signs_in(plain)):
        return SeatLimitError(
            "All sessions that the license allows are taken.",
            hint="Close sessions on the form SM201010, or let fewer applications log in at once.",
            path=plain.path,
        )
    if isinstance(plain, RateLimitedError):
        return plain
    return _of_status(plain, said, words)


def unfit_fields(error: RemoteError) -> tuple[str, ...]:
    """Return the fields that a list cannot be made with, as the error names them."""
    _, _, named = error.message.partition(_FIELDS_FOLLOW)
    return tuple(line.partition(":")[0].strip() for line in named.splitlines() if ": View" in line)


def _of_status(plain: RemoteError, said: str, words: str) -> MlconnectorError:
    if "pxundefinedcompany" in words or "proper company id cannot be determined" in words:
        return UnknownNameError("The site has no such tenant.", hint="Check the tenant in the connection.")
    kind, hint, code = _kind_of(plain, words)
    message = f"{plain.message.rstrip('.')}: {said}" if said and said not in plain.message else plain.message
    return kind(message, status=plain.status, path=plain.path, hint=hint, remote_code=code, request_id=plain.request_id)


def _kind_of(plain: RemoteError, words: str) -> tuple[type[RemoteError], str, str]:
    """Return which error an answer is, what to do about it, and its code."""
    if any(word in words for word in _NO_LOGIN):
        return AuthenticationError, "Check user and password; repeated failures lock the user.", ""
    if plain.remote_code in _OAUTH_HINTS:
        return AuthenticationError, _OAUTH_HINTS[plain.remote_code], plain.remote_code
    if plain.status == 500:
        return _kind_of_exception(words)
    if plain.status == 409:
        return ServerError, "A long operation runs in this session.", ""
    return type(plain), _HINTS.get(plain.status or 0, ""), plain.remote_code


def _kind_of_exception(words: str) -> tuple[type[RemoteError], str, str]:
    """Return which error an exception is; most would come again."""
    if "cannot be optimized" in words or "optimization cannot be performed" in words:
        return BadRequestError, "", OPTIMIZATION
    if "noentitysatisfies" in words:
        return NotFoundError, "", ""
    return (ServerError if any(word in words for word in _PASSING) else BadRequestError), "", ""


_HINTS = {
    401: "Check the login of the connection.",
    403: "Give the user rights to the form, and see that its feature is on.",
}
_OAUTH_HINTS = {
    "invalid_grant": "Check user and password, or log in again: airflow mlconnector login",
    "invalid_client": "Check client id (GUID@Tenant) and secret on the form SM303010.",
    "unauthorized_client": "The connected application has another flow: see the form SM303010.",
    "invalid_scope": "The connected application does not allow offline_access.",
}


def _signs_in(error: RemoteError) -> bool:
    return error.path.endswith(_SIGN_IN)


def _start(response: requests.Response) -> str:
    """Return the beginning of a body that is no JSON, to look for words in it; nobody is shown it."""
    return response.content[:4000].decode("utf-8", "replace")


def _said(response: requests.Response) -> str:
    """Return the useful sentence of an error: of an exception, or of each field that was not valid."""
    if "json" not in response.headers.get("Content-Type", ""):
        return ""
    try:
        body = json.loads(response.content)
    except ValueError:
        return ""
    if not isinstance(body, dict):
        return ""
    told = body.get("exceptionMessage") or body.get("message") or "; ".join(_errors_within(body))
    kind = str(body.get("exceptionType") or "").rpartition(".")[2]
    return f"{str(told)[:_LONGEST]}{f' ({kind})' if kind.startswith('NoEntity') else ''}"


def _errors_within(body: Any) -> Iterator[str]:
    """Yield the errors that stand in a record beside the values that they are about."""
    if isinstance(body, dict):
        if isinstance(body.get("error"), str):
            yield body["error"]
        for value in body.values():
            yield from _errors_within(value)
    elif isinstance(body, list):
        for item in body:
            yield from _errors_within(item)
