# SPDX-License-Identifier: Apache-2.0
"""What error answers of the OData service mean, and what to do about them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    MlconnectorError,
    NotFoundError,
    PermissionDeniedError,
    SchemaDriftError,
)
from airflow_provider_mlconnector.systems.http.failures import error_of_status

if TYPE_CHECKING:
    import requests

_UNKNOWN_PROPERTY = re.compile(r"Could not find a property named '([^']+)'")
_HINTS: dict[type[MlconnectorError], str] = {
    AuthenticationError: "Check operator and password; an operator who was enabled for OData is known to the service "
    "only after it was started again.",
    PermissionDeniedError: "The operator may not read this table.",
    NotFoundError: "Check the address of the OData service and how the connection writes a table's path.",
}


def classify(response: requests.Response) -> MlconnectorError:
    """Make the error of an answer that is not a success."""
    error = error_of_status(response)
    unknown = _UNKNOWN_PROPERTY.search(error.message)
    if unknown:
        return SchemaDriftError(f"{error.path} has no column {unknown[1]} any more.", column=unknown[1])
    error.hint = error.hint or _HINTS.get(type(error), "")
    return error
