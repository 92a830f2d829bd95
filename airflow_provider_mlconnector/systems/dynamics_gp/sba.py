# SPDX-License-Identifier: Apache-2.0
"""Service Based Architecture: REST resources with lists as JSON, each installation's in an envelope of its own.

Neither envelope nor paging nor filters are documented, so lists are fetched whole and filtered here, and what holds the
rows is looked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from airflow_provider_mlconnector.errors import DataError, NotFoundError, RemoteError, TransportError
from airflow_provider_mlconnector.systems.dynamics_gp.connection import GpConnection

if TYPE_CHECKING:
    from airflow_provider_mlconnector.systems.http.session import HttpSession

Row = Mapping[str, Any]
_FIRST_ERROR = 400
_ENVELOPES = ("payload", "value", "items", "data", "results")


class SbaService:
    """The resources of one company.

    :param http: session whose base URL is ``…/GPService``.
    """

    def __init__(self, http: HttpSession, connection: GpConnection) -> None:
        self._http = http
        self._tenant = f"Tenants({quote(connection.tenant, safe='')})"
        self._company = connection.sba_company or connection.company

    def companies(self) -> list[str]:
        """Return the companies as the server spells them."""
        rows = self._rows(f"{self._tenant}/Companies", "Companies")
        return [str(next(iter(row.values()), "")) for row in rows]

    def rows(self, resource: str) -> list[Row]:
        """Return all rows of a resource such as ``Purchasing/Vendors``."""
        address = "/".join(quote(part) for part in resource.split("/"))
        company = quote(self._company, safe="")
        return self._rows(f"{self._tenant}/Companies({company})/{address}", resource.rpartition("/")[2])

    def _rows(self, path: str, name: str) -> list[Row]:
        answer = self._http.request("GET", path, headers={"Accept": "application/json"})
        try:
            body = msgspec.json.Decoder(Any, float_hook=Decimal).decode(answer.content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise DataError(f"SBA's {name} came as what is no JSON.") from None
        rows = rows_of(body, name)
        if rows is None:
            raise DataError(f"SBA's {name} came in an envelope that shows no rows.")
        return rows


def rows_of(body: Any, name: str) -> list[Row] | None:
    """Return the rows in a body: a bare list, one object, or either in an envelope; None when there are none to see."""
    if isinstance(body, list):
        return body if all(isinstance(row, dict) for row in body) else None
    if not isinstance(body, dict):
        return None
    by_name = {key.lower(): value for key, value in body.items()}
    if _is_error(by_name.get("status")):
        return None
    framed = [by_name[key] for key in (*_ENVELOPES, name.lower()) if key in by_name]
    for value in framed:
        if isinstance(value, (list, dict)):
            return rows_of(value, name)
    if framed:
        return [] if all(value is None for value in framed) else None
    return [] if set(by_name) <= {"status"} else [body]


def _is_error(status: Any) -> bool:
    """Say whether the status in an envelope is that of an error, which may come with an answer of 200."""
    code = str(field(status, "Code")) if isinstance(status, dict) else ""
    return code.isdecimal() and int(code) >= _FIRST_ERROR


def field(row: Row, *names: str) -> Any:
    """Return the value of the first of these fields that a row has, whatever their case; None when it has none."""
    by_name = {key.lower(): value for key, value in row.items()}
    return next((by_name[name.lower()] for name in names if by_name.get(name.lower()) is not None), None)


def is_not_installed(error: RemoteError) -> bool:
    """Say whether an error means that there is no SBA, or no such resource: then the web services are asked."""
    return isinstance(error, NotFoundError) or error.status in (405, 501) or isinstance(error, TransportError)
