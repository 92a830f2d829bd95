# SPDX-License-Identifier: Apache-2.0
"""python-odata, a public client, builds its classes from what each OData server says of itself, and reads page by page.

It is made for any OData service: it knows neither vendor, and follows links as they come.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msal
import pytest
import requests
from odata import ODataService

from airflow_provider_mlconnector.sandbox.running import Sandbox, serve
from airflow_provider_mlconnector.sandbox.tls import vendor_session

PERIOD = "FY2027-P04"
PAGE = 50
FO = "https://larkfield.operations.dynamics.com"
BC = "https://api.businesscentral.dynamics.com"
DATA_ENTITIES = "Microsoft.Dynamics.DataEntities"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serve(["business_central", "dynamics_fo", "syspro"], scale=0.2, tls=True) as running:
        yield running


@pytest.fixture
def session(sandbox: Sandbox) -> Iterator[requests.Session]:
    """Yield a session to which the vendors' own names lead here, with the addresses of the pages that it read."""
    with vendor_session(sandbox.url, sandbox.ca_file) as ready:
        ready.pages = []
        ready.hooks["response"].append(lambda answer, **_: ready.pages.append(answer.url))
        yield ready


def log_in(told: dict[str, Any], session: requests.Session, scope: str) -> None:
    application = msal.ConfidentialClientApplication(
        told["client_id"],
        authority=f"https://login.microsoftonline.com/{told['tenant']}",
        client_credential=told["client_secret"],
        http_client=session,
    )
    token = application.acquire_token_for_client([f"{scope}/.default"])
    session.headers["Authorization"] = f"Bearer {token['access_token']}"
    session.pages.clear()


def service(url: str, session: requests.Session) -> ODataService:
    return ODataService(url, session=session, reflect_entities=True, quiet_progress=True)


def switch(sandbox: Sandbox, session: requests.Session, system: str, **values: object) -> None:
    answer = session.patch(f"{sandbox.url}/_sandbox/{system}/switches", json=values, timeout=5)
    answer.raise_for_status()


def posted(sandbox: Sandbox) -> dict[str, Decimal]:
    return {name: net for name, net in sandbox.world.books.trial_balance(PERIOD).items() if net}


def sums(rows: list[Any], account: Callable[[Any], str], amount: Callable[[Any], Decimal]) -> dict[str, Decimal]:
    net: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        net[account(row)] += amount(row)
    return {name: total for name, total in net.items() if total}


# Finance & Operations


@pytest.mark.parametrize("skip_token", [False, True], ids=["links by $skip", "links by $skiptoken"])
def test_it_reads_the_posted_lines_of_finance_and_operations(sandbox, session, skip_token):
    switch(sandbox, session, "dynamics_fo", page_size=PAGE, skip_token=skip_token)
    log_in(sandbox.info["dynamics_fo"], session, FO)
    found = service(f"{FO}/data/", session)
    accounts, headers, lines = (
        found.entities[name]
        for name in ("MainAccounts", "GeneralJournalEntryBiEntities", "GeneralJournalAccountEntryBiEntities")
    )
    names = {
        one.MainAccountRecId: one.MainAccountId
        for one in found.query(accounts).filter(accounts.ChartOfAccounts == "LARKFIELD")
    }
    period = sandbox.world.books.period(PERIOD)
    start, end = (datetime.combine(day, datetime.min.time(), UTC) for day in (period.start, period.end))
    area, current = headers.SubledgerVoucherDataAreaId, found.types[f"{DATA_ENTITIES}.CurrentOperationsTax"].Current
    mine = (
        found.query(headers)
        .filter(area == "lark")
        .filter(headers.AccountingDate >= start)
        .filter(headers.AccountingDate <= end.replace(hour=23))
        .filter(headers.PostingLayer == current)
    )
    keys = {header.SourceKey for header in mine}
    session.pages.clear()
    rows = [line for line in found.query(lines) if line.GeneralJournalEntry in keys]
    assert len(session.pages) > 3
    assert sums(rows, lambda one: names[one.MainAccount], lambda one: one.AccountingCurrencyAmount) == posted(sandbox)


def test_its_filter_by_an_enum_of_finance_and_operations_is_understood(sandbox, session):
    log_in(sandbox.info["dynamics_fo"], session, FO)
    found = service(f"{FO}/data/", session)
    entries, no_yes = found.entities["GeneralJournalAccountEntryBiEntities"], found.types[f"{DATA_ENTITIES}.NoYes"]
    credits = found.query(entries).filter(entries.IsCredit == no_yes.Yes).limit(20).all()
    assert {one.IsCredit for one in credits} == {no_yes.Yes}


# Business Central


def without_blank_names(answer: requests.Response, **_: object) -> None:
    """Rename the members that stand for blank: Python's enums refuse a name between underscores, CSDL does not."""
    if answer.url.endswith("$metadata"):
        answer._content = answer.content.replace(b'Name="_x0020_"', b'Name="blank"')


@pytest.fixture
def business_central(sandbox: Sandbox, session: requests.Session) -> Callable[[str], ODataService]:
    told = sandbox.info["business_central"]
    log_in(told, session, BC)
    session.headers["Prefer"] = f"odata.maxpagesize={PAGE}"
    session.hooks["response"].append(without_blank_names)
    root = f"{BC}/v2.0/{told['tenant']}/{told['environment']}/api"
    return lambda api: service(f"{root}/{api}/companies({told['company_id']})/", session)


@pytest.mark.parametrize("api", ["v2.0", "microsoft/reportsFinance/beta"])
def test_it_reads_the_entries_of_business_central(sandbox, session, business_central, api):
    found = business_central(api)
    entries, period = found.entities["generalLedgerEntries"], sandbox.world.books.period(PERIOD)
    session.pages.clear()
    # the type of a day is one that it does not know, and so writes in quotes
    days = f"postingDate ge {period.start} and postingDate le {period.end}"
    rows = found.query(entries).filter(days).all()
    assert len(session.pages) > 1
    assert sums(rows, lambda one: one.accountNumber, lambda one: one.debitAmount - one.creditAmount) == posted(sandbox)
    assert all(period.contains(date.fromisoformat(one.postingDate)) for one in rows)


def test_it_reads_purchase_orders_with_their_lines(sandbox, business_central):
    found = business_central("v2.0")
    orders = found.entities["purchaseOrders"]
    read = {one.number: one for one in found.query(orders).expand(orders.purchaseOrderLines)}
    open_orders = {one.number: one for one in sandbox.world.books.stock.purchase_orders if one.open_amount}
    assert read.keys() == open_orders.keys()
    for number, one in read.items():
        (line,) = one.purchaseOrderLines
        assert (line.quantity - line.invoicedQuantity) * line.directUnitCost == open_orders[number].open_amount


# SYSPRO


def by_top_and_skip(query: Any) -> list[Any]:
    """Read portion by portion, as a service needs it that links to no next page."""
    rows: list[Any] = []
    while portion := query.limit(PAGE).offset(len(rows)).all():
        rows += portion
    return rows


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
@pytest.mark.parametrize("company", ["", "SysproCompanyL/"], ids=["the operator's company", "a company of the path"])
def test_it_reads_the_journals_of_syspro(sandbox, session, company, links):
    switch(sandbox, session, "syspro", page_size=PAGE, next_links=links)
    told = sandbox.info["syspro"]
    session.auth = (told["login"], told["password"])
    found = service(f"{told['odata_url']}/{company}", session)
    journals = found.entities["GenJournalDetail"]
    key = (journals.Company, journals.GlYear, journals.GlPeriod, journals.Journal, journals.EntryNumber)
    period = found.query(journals).filter(journals.GlYear == 2027).filter(journals.GlPeriod == 4)
    session.pages.clear()
    rows = period.all() if links else by_top_and_skip(period.order_by(*(part.asc() for part in key)))
    assert len(session.pages) > 1
    mine = [row for row in rows if row.Company.strip() == told["company"]]
    assert sums(mine, lambda one: one.GlCode.partition(".")[0], lambda one: one.EntryValue) == posted(sandbox)


def test_it_takes_the_keys_and_types_of_syspro_for_what_they_are(sandbox, session):
    told = sandbox.info["syspro"]
    session.auth = (told["login"], told["password"])
    found = service(told["odata_url"], session)
    suppliers = found.entities["ApSupplier"]
    assert suppliers.Supplier.primary_key
    one = found.query(suppliers).get("V00010")
    assert (one.Supplier.strip(), type(one.CurrentBalance)) == ("V00010", Decimal)
