# SPDX-License-Identifier: Apache-2.0
"""From SOAP faults to our own errors.

A fault names an entry of the service's exception log. Of a validation (what we sent, or where we have no right) the
entry's sentences can be asked for; of a failure of the service only its administrator sees more than "an error".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow_provider_mlconnector.errors import (
    BadRequestError,
    NotFoundError,
    PermissionDeniedError,
    RemoteError,
    ServerError,
)

if TYPE_CHECKING:
    import requests

_FAULT = "{http://schemas.xmlsoap.org/soap/envelope/}Fault"
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NOT_FOUND = "business object not found"
_DENIED = ("access is denied", "not authorized", "security")


class ValidationFault(BadRequestError):
    """The service refuses what was asked; ``log_id`` is the entry of its log that says why."""

    def __init__(self, message: str, *, log_id: str, path: str) -> None:
        super().__init__(message, status=500, path=path, request_id=log_id)
        self.log_id = log_id


def fault_of(response: requests.Response) -> RemoteError | None:
    """Return the error that a SOAP fault stands for; None for an answer that is no fault."""
    from lxml import etree

    if "xml" not in response.headers.get("Content-Type", ""):
        return None
    try:
        root = etree.fromstring(response.content, etree.XMLParser(resolve_entities=False))
    except etree.XMLSyntaxError:
        return None
    fault = root.find(f".//{_FAULT}")
    if fault is None:
        return None
    said = (fault.findtext("faultstring") or "").strip().rstrip(".")[:300]
    detail = fault.find("detail")
    written = "" if detail is None else etree.tostring(detail, encoding="unicode")
    found = _GUID.search("" if detail is None else "".join(detail.itertext()))
    return _error(said, written, found[0] if found else "", urlsplit(response.url).path)


def _error(said: str, detail: str, log_id: str, path: str) -> RemoteError:
    message = f"Dynamics GP answered: {said or 'a fault without a word'}."
    if _NOT_FOUND in said.lower():
        return NotFoundError(message, status=500, path=path, request_id=log_id)
    if any(word in said.lower() for word in _DENIED):
        hint = "Give the account a role for the company in the Dynamics Security Console."
        return PermissionDeniedError(message, hint=hint, status=500, path=path, request_id=log_id)
    if log_id and ("validation" in said.lower() or "ValidationException" in detail):
        return ValidationFault(message, log_id=log_id, path=path)
    hint = f"The service's exception log has it as {log_id}." if log_id else ""
    return ServerError(message, hint=hint, status=500, path=path, request_id=log_id)
