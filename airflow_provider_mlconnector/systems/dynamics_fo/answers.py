# SPDX-License-Identifier: Apache-2.0
"""What the environment's error answers mean, and what to do about them.

What is useful stands in the inner error, behind ``Infolog:``, as messages with their kind before them; its stack trace
is for nobody's eyes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    ConflictError,
    MlconnectorError,
    NotFoundError,
    PermissionDeniedError,
    RemoteError,
    SchemaDriftError,
)
from airflow_provider_mlconnector.systems.http.failures import error_of_status

if TYPE_CHECKING:
    import requests

_ACTIVITY = "ms-dyn-aid"
_KIND = re.compile(r"^(Info|Warning|Error):\s*")
_TAIL = re.compile(r"^validate(Write|Field) failed\b")
_UNKNOWN_PROPERTY = re.compile(r"Could not find a property named '([^']+)'")
_MOVED = ("update conflict", "already exists")
_LONGEST = 500


def classify(response: requests.Response) -> MlconnectorError:
    """Make the error of an answer that is not a success."""
    error = error_of_status(response)
    error.request_id = response.headers.get(_ACTIVITY, error.request_id)
    inner = _inner_message(response)
    property_ = _UNKNOWN_PROPERTY.search(inner or error.message)
    if property_:
        return SchemaDriftError(
            f"{error.path} has no column {property_[1]}.",
            column=property_[1],
            hint="Where the environment publishes it under another name, say so in the connection's field map.",
        )
    if inner:
        error.message = f"{response.request.method} {error.path} was answered {response.status_code}: {useful(inner)}"
        error.args = (error.message,)
    error.hint = error.hint or _hint(error)
    return error


def judged_change(error: RemoteError) -> RemoteError:
    """Return what an error means for a request that changes something: some say that the last look is out of date.

    Two requests at work on one journal, a line that is there already, and a record that is gone are such.
    """
    moved = isinstance(error, NotFoundError) or any(sign in error.message.lower() for sign in _MOVED)
    if not moved or isinstance(error, ConflictError):
        return error
    hint = "Somebody else is at work on the journal: keep its journal name for the plan alone."
    return ConflictError(error.message, hint=hint, status=error.status, path=error.path, request_id=error.request_id)


def useful(inner: str) -> str:
    """Return what an inner error says to a person: its Infolog without kinds and the names of what failed."""
    _, found, infolog = inner.partition("Infolog:")
    messages = [_KIND.sub("", part.strip()) for part in (infolog if found else inner).split(";")]
    told = [message.rstrip(".") for message in messages if message and not _TAIL.match(message)]
    return f"{'; '.join(told)}."[:_LONGEST] if told else "it does not say why."


def _inner_message(response: requests.Response) -> str:
    if "json" not in response.headers.get("Content-Type", ""):
        return ""
    try:
        body: Any = response.json()
    except ValueError:
        return ""
    error = body.get("error") if isinstance(body, dict) else None
    inner = error.get("innererror") if isinstance(error, dict) else None
    return str(inner.get("message") or "") if isinstance(inner, dict) else ""


def _hint(error: RemoteError) -> str:
    if isinstance(error, AuthenticationError):
        return (
            "Is the client id listed under System administration, Setup, Microsoft Entra ID applications, with a user? "
            "Is the host that of the environment?"
        )
    if isinstance(error, PermissionDeniedError):
        return "Give the user of the application a role that may read this entity."
    if isinstance(error, NotFoundError):
        return "The set is not public here: publish it, or name the one that you publish in the connection."
    return ""
