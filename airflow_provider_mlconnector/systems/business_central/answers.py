# SPDX-License-Identifier: Apache-2.0
"""What Business Central's error answers mean, and what to do about them.

The body is ``{"error": {"code", "message"}}``; the id for Microsoft's support stands at the end of the message alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    MlconnectorError,
    NotFoundError,
    PermissionDeniedError,
    RemoteError,
    SchemaDriftError,
    ServerError,
)
from airflow_provider_mlconnector.systems.http.failures import error_of_status

if TYPE_CHECKING:
    import requests

NOT_ANSWERED = frozenset({400, 403, 404, 405, 501})
"""Answers by which an API, an entity set or an option turns out not to be offered here, or not to us."""

_CORRELATION = re.compile(r"\s*CorrelationId:\s*([0-9a-fA-F-]{36})\.?")
_UNKNOWN_PROPERTY = re.compile(r"Could not find a property named '([^']+)'")


def classify(response: requests.Response) -> MlconnectorError:
    """Make the error of an answer that is not a success."""
    return explained(error_of_status(response))


def explained(error: RemoteError) -> MlconnectorError:
    """Return an error by status as what it is here: with its support id apart from its message, and a hint."""
    said = error.message
    correlation = _CORRELATION.search(said)
    message = _CORRELATION.sub("", said)
    property_ = _UNKNOWN_PROPERTY.search(message)
    if property_:
        return SchemaDriftError(f"{error.path} has no column {property_[1]} any more.", column=property_[1])
    if error.status == 400 and "try again later" in message.lower():
        error = ServerError(message, status=400, path=error.path, remote_code=error.remote_code)
    error.message = message
    error.args = (message,)
    error.hint = error.hint or _hint(error)
    error.request_id = correlation[1] if correlation else error.request_id
    return error


def is_not_answered(error: RemoteError) -> bool:
    """Say whether an error means that the service does not offer what was asked for."""
    return error.status in NOT_ANSWERED


def is_lost_dimension_value(error: RemoteError) -> bool:
    """Say whether dimensions could not be expanded since a row names a dimension value that was deleted."""
    return error.status in (400, 404) and "dimension value" in error.message.lower()


def _hint(error: RemoteError) -> str:
    if isinstance(error, AuthenticationError):
        return "On the page Microsoft Entra Applications in Business Central, is the client id there and Enabled?"
    if isinstance(error, PermissionDeniedError):
        return "Give the application read permission sets on the page Microsoft Entra Applications."
    if error.remote_code == "Internal_CompanyNotFound":
        return "The company was renamed or deleted, or is closed to the application: check it in the connection."
    if isinstance(error, NotFoundError):
        return "Check tenant, environment and company of the connection."
    return ""
