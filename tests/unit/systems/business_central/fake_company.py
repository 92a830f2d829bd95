# SPDX-License-Identifier: Apache-2.0
"""One company of Business Central over real HTTP: entity sets from lists, paged by links, with faults to put in.

It does not filter: a test that needs fewer rows gives fewer, and looks at the filter that was sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from email.utils import formatdate
from typing import Any

import pyarrow as pa

from airflow_provider_mlconnector.finance.calendar import MonthlyCalendar
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.business_central.connection import BusinessCentralConnection, FinanceApi
from airflow_provider_mlconnector.systems.business_central.erp import BusinessCentral
from airflow_provider_mlconnector.systems.port import Reading, Scope
from tests.unit.systems.http.scripted_server import FakeClock, Reply, Request, as_json, quick, serving

COMPANY = "aaaaaaaa-0000-0000-0000-000000000001"
OTHER = "aaaaaaaa-0000-0000-0000-000000000002"
CALENDAR = MonthlyCalendar(calendar="monthly_july", first_month=7)
OCTOBER = Period(2027, 4, date(2026, 10, 1), date(2026, 10, 31))
EVERYTHING = Scope()
LOST = {"error": {"code": "Internal_RecordNotFound", "message": "The Dimension Value does not exist."}}


class FakeCompany:
    """Entity sets by name; those of the finance API are named ``finance:<set>``. What is not there is answered 404."""

    def __init__(self) -> None:
        self.url = ""
        self.sets: dict[str, list[dict[str, Any]]] = {}
        self.texts: dict[str, str] = {}
        self.replies: dict[str, list[Reply]] = {}
        self.lost: set[str] = set()
        self.requests: list[Request] = []
        self.companies = [
            {"id": COMPANY, "name": "LARKFIELD", "displayName": "Larkfield Ltd"},
            {"id": OTHER, "name": "OTHER", "displayName": "Other Ltd"},
        ]

    def __call__(self, request: Request) -> Reply:
        self.requests.append(request)
        name = self._name(request.path)
        if self.replies.get(name):
            return self.replies[name].pop(0)
        if name == "companies":
            reply = as_json({"value": self.companies})
            return replace(reply, headers={**reply.headers, "Date": formatdate(usegmt=True)})
        if name in self.texts:
            return Reply(body=self.texts[name].encode(), headers={"Content-Type": "text/plain"})
        if name not in self.sets:
            error = {"code": "BadRequest_NotFound", "message": f"No {name}.  CorrelationId:  {OTHER}."}
            return as_json({"error": error}, status=404)
        return self._page(name, request)

    def sent(self, name: str) -> list[Request]:
        """Return the requests for a set, in order."""
        return [request for request in self.requests if self._name(request.path) == name]

    def _name(self, path: str) -> str:
        api, _, rest = path.partition("/companies")
        inside = rest.partition(")/")[2]
        return ("finance:" if "reportsFinance" in api else "") + (inside or "companies")

    def _page(self, name: str, request: Request) -> Reply:
        query = request.query
        rows = self.sets[name]
        if " gt " in query.get("$filter", [""])[0].partition(" and ")[0]:  # after a day and before the next
            rows = self.sets.get(f"closing:{name}", rows if "setId" in query["$filter"][0] else [])
        start = int(query.get("$skiptoken", query.get("$skip", ["0"]))[0])
        size = int(request.headers["prefer"].partition("=")[2]) if "prefer" in request.headers else 20_000
        stop = min(start + size, len(rows), start + int(query.get("$top", ["20000"])[0]))
        chosen = rows[start:stop]
        expand = "$expand" in query
        if expand and self.lost & {row["id"] for row in chosen}:
            return as_json(LOST, status=404)
        body: dict[str, Any] = {"@odata.context": "x", "value": [_shown(row, query, expand) for row in chosen]}
        if stop < len(rows) and "$top" not in query:
            link = "".join(f"&{option}={query[option][0]}" for option in ("$expand", "$select") if option in query)
            body["@odata.nextLink"] = f"{self.url}{request.path}?aid=FIN&$skiptoken={stop}{link}"
        return as_json(body)


def _shown(row: dict[str, Any], query: dict[str, list[str]], expand: bool) -> dict[str, Any]:
    selected = query["$select"][0].split(",") if "$select" in query else list(row)
    expanded = [query["$expand"][0].partition("(")[0]] if expand else []
    wanted = {*selected, *expanded}
    return {name: value for name, value in row.items() if name in wanted and (expand or name != "dimensionSetLines")}


def line(number: int, debit: float = 0, credit: float = 0, /, *, dims: dict[str, str] | None = None, **other: Any):
    """Return an entry of API v2.0."""
    lines = [{"id": OTHER, "code": code, "valueCode": value} for code, value in (dims or {}).items()]
    return {
        "@odata.etag": 'W/"x"',
        "id": f"3c1c5c4e-0000-0000-0000-{number:012}",
        "entryNumber": number,
        "postingDate": "2026-10-31",
        "documentNumber": f"G{number:05}",
        "documentType": "_x0020_",
        "accountId": OTHER,
        "accountNumber": "61100",
        "description": "Rent Oct",
        "debitAmount": debit,
        "creditAmount": credit,
        "additionalCurrencyDebitAmount": 0,
        "additionalCurrencyCreditAmount": 0,
        "lastModifiedDateTime": "2026-11-19T08:12:33.497Z",
        "dimensionSetLines": lines,
    } | other


@contextmanager
def company(**options: Any) -> Iterator[tuple[FakeCompany, BusinessCentral]]:
    """Serve a company and give a client of it; options are those of the connection."""
    fake = FakeCompany()
    with serving(fake) as server:
        fake.url = server.url
        client = client_of(server.url, **options)
        yield fake, client
        client.close()


def client_of(url: str, *, clock: FakeClock | None = None, **options: Any) -> BusinessCentral:
    plain = BusinessCentralConnection(
        tenant="t1", environment="Production", company=COMPANY, credential=None, base_url=url, source=FinanceApi.V2
    )
    connection = replace(plain, **options)
    return BusinessCentral(connection, CALENDAR.period_of, quick(clock))


def rows_of(
    client: BusinessCentral, dataset: Dataset, scope: Scope = EVERYTHING
) -> tuple[list[dict[str, Any]], Reading]:
    """Read a dataset to the end."""
    reading = client.read(dataset, scope)
    batches = list(reading.batches)
    return (pa.Table.from_batches(batches).to_pylist() if batches else []), reading


def broken_off(rows: list[dict[str, Any]]) -> Reply:
    """Return a page that ends in its midst."""
    return Reply(body=json.dumps({"value": rows})[:-20].encode(), headers={"Content-Type": "application/json"})
