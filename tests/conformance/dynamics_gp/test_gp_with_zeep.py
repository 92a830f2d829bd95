# SPDX-License-Identifier: Apache-2.0
"""zeep, as it is, with an address and a Windows account: it reads Dynamics GP by what its ``?wsdl`` says."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pytest
import requests
import zeep
from requests_ntlm import HttpNtlmAuth
from zeep.transports import Transport

from airflow_provider_mlconnector.sandbox.running import serve

GP = "{http://schemas.microsoft.com/dynamics/gp/2006/01}"
BASE = "{http://schemas.microsoft.com/dynamics/2006/01}"
PERIOD = "FY2027-P04"


@pytest.fixture(scope="module")
def sandbox():
    with serve(["dynamics_gp"], scale=0.05) as running:
        yield running


@pytest.fixture(scope="module")
def client(sandbox):
    told = sandbox.info["dynamics_gp"]
    with requests.Session() as session:
        session.auth = HttpNtlmAuth(told["login"], told["password"])
        yield zeep.Client(f"{told['soap_url']}?wsdl", transport=Transport(session=session))


@pytest.fixture(scope="module")
def service(sandbox, client):
    """Return the service at the address that was asked: its description names the server as itself knows it."""
    return client.create_service(f"{GP}LegacyDynamicsGP", sandbox.info["dynamics_gp"]["soap_url"])


def context_of(client, company):
    key = client.get_type(f"{BASE}CompanyKey")(Id=company)
    return client.get_type(f"{BASE}Context")(CurrencyType="Local", OrganizationKey=key)


@pytest.fixture(scope="module")
def context(client):
    return context_of(client, 1)


def transactions_of(client, service, context, period):
    between = client.get_type(f"{GP}BetweenRestrictionOfNullableOfDateTime")
    days = between(From=f"{period.start}T00:00:00", To=f"{period.end}T23:59:59")
    return service.GetGLTransactionList(criteria={"Date": days}, context=context)


def test_it_lists_the_companies(service, context, sandbox):
    companies = service.GetCompanyList(criteria={}, context=context)
    assert {one.Key.Id: one.Name for one in companies} == {
        sandbox.info["dynamics_gp"]["company_ids"][code]: name
        for code, name in sandbox.info["dynamics_gp"]["companies"].items()
    }


def test_it_reads_the_trial_balance_of_a_period_transaction_by_transaction(client, service, context, sandbox):
    books, net = sandbox.world.books, defaultdict(Decimal)
    for summary in transactions_of(client, service, context, books.period(PERIOD)):
        whole = service.GetGLPostedTransactionByKey(key=summary.Key, context=context)
        for line in whole.Lines.GLTransactionLine:
            account = line.GLAccountKey.Id.partition("-")[0]
            net[account] += line.DebitAmount.Value - line.CreditAmount.Value
    posted = {name: amount for name, amount in books.trial_balance(PERIOD).items() if amount}
    assert {name: amount for name, amount in net.items() if amount} == posted


def test_it_understands_a_fault(client, service):
    with pytest.raises(zeep.exceptions.Fault, match="A validation exception has occurred"):
        service.GetEmployeeList(criteria={"Scope": "Return All"}, context=context_of(client, 9))


def test_a_wrong_password_is_told_before_anything_is_described(sandbox):
    told = sandbox.info["dynamics_gp"]
    with requests.Session() as session:
        session.auth = HttpNtlmAuth(told["login"], "wrong")
        with pytest.raises(requests.HTTPError, match="401"):
            zeep.Client(f"{told['soap_url']}?wsdl", transport=Transport(session=session))
