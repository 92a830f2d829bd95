# SPDX-License-Identifier: Apache-2.0
"""The sandbox's web services as their callers know them, by a client that knows nothing but their ``?wsdl``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import zeep
from lxml import etree
from requests_ntlm import HttpNtlmAuth
from zeep.transports import Transport

from airflow_provider_mlconnector.sandbox.running import Sandbox, serve
from airflow_provider_mlconnector.systems.dynamics_gp.soap import DESCRIPTION

GP = "{http://schemas.microsoft.com/dynamics/gp/2006/01}"
BASE = "{http://schemas.microsoft.com/dynamics/2006/01}"
XS = "{http://www.w3.org/2001/XMLSchema}"
PERIOD = "FY2027-P04"


class Caller:
    """zeep, logged in by requests-ntlm, on the description that the server gives."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.told = sandbox.info["dynamics_gp"]
        self.books = sandbox.world.books
        self.session = requests.Session()
        self.session.auth = HttpNtlmAuth(self.told["login"], self.told["password"])
        self.client = zeep.Client(f"{self.told['soap_url']}?wsdl", transport=Transport(session=self.session))
        self.service = self.client.create_service(f"{GP}LegacyDynamicsGP", self.told["soap_url"])

    def make(self, name: str, **members: Any) -> Any:
        return self.client.get_type(name)(**members)

    def context(self, company: int = 1) -> Any:
        return self.make(
            f"{BASE}Context", CurrencyType="Local", OrganizationKey=self.make(f"{BASE}CompanyKey", Id=company)
        )

    def post(self, body: str) -> requests.Response:
        """Send an envelope with a body of our own."""
        spaces = f'xmlns="{GP[1:-1]}" xmlns:d="{BASE[1:-1]}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        soap = "http://schemas.xmlsoap.org/soap/envelope/"
        text = f'<s:Envelope xmlns:s="{soap}" {spaces}><s:Body>{body}</s:Body></s:Envelope>'
        return self.session.post(self.told["soap_url"], data=text.encode(), headers={"Content-Type": "text/xml"})


CONTEXT = (
    '<context><d:OrganizationKey xsi:type="d:CompanyKey"><d:Id>{0}</d:Id></d:OrganizationKey>'
    "<d:CurrencyType>Local</d:CurrencyType></context>"
)


@pytest.fixture(scope="module")
def caller() -> Iterator[Caller]:
    with serve(["dynamics_gp"], scale=0.05) as sandbox:
        yield Caller(sandbox)


def _transactions(caller: Caller) -> list[Any]:
    period = caller.books.period(PERIOD)
    dates = caller.make(
        f"{GP}BetweenRestrictionOfNullableOfDateTime", From=f"{period.start}T00:00:00", To=f"{period.end}T23:59:59"
    )
    criteria = caller.make(f"{GP}GLTransactionCriteria", Date=dates)
    return caller.service.GetGLTransactionList(criteria=criteria, context=caller.context())


def test_lists_show_no_lines_and_posted_keys_of_their_own_type(caller):
    first = _transactions(caller)[0]
    assert type(first.Key).__name__ == "GLTransactionPostedKey"
    assert first.Key.FiscalYear == 2027
    assert not hasattr(first, "Lines")


def test_a_list_without_rows_is_none(caller):
    criteria = caller.make(
        f"{GP}GLTransactionCriteria", JournalId=caller.make(f"{GP}LikeRestrictionOfString", EqualValue="99999999")
    )
    assert not caller.service.GetGLTransactionList(criteria=criteria, context=caller.context())


def test_nobody_gets_in_without_a_windows_account(caller):
    answer = requests.get(f"{caller.told['soap_url']}?wsdl", timeout=10)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Negotiate, NTLM"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("<GetVendorList><criteria/></GetVendorList>", "'Scope' of 'criteria' is missing"),
        (
            "<GetGLTransactionList><criteria><Date><From>2026-01-01T00:00:00</From></Date></criteria></GetGLTransactionList>",
            "'EqualValue' of 'Date' is missing",
        ),
        (
            "<GetCompanyList><context><d:OrganizationKey><d:Id>1</d:Id></d:OrganizationKey></context></GetCompanyList>",
            "abstract: name='d:OrganizationKey'",
        ),
        ("<PostEverything/>", "does not recognize the operation 'PostEverything'"),
        (f"<GetEmployeeList>{CONTEXT.format(1)}<criteria/></GetEmployeeList>", "was not expected here"),
    ],
    ids=["required", "required and null", "abstract", "unknown operation", "order"],
)
def test_what_is_not_written_as_described_is_a_fault(caller, body, told):
    answer = caller.post(body)
    assert answer.status_code == 500
    assert told in etree.fromstring(answer.content).findtext(".//faultstring")


def test_a_validation_can_be_looked_up_by_the_id_in_its_fault(caller):
    answer = caller.post(
        f"<GetEmployeeList><criteria><Scope>Return All</Scope></criteria>{CONTEXT.format(9)}</GetEmployeeList>"
    )
    log_id = etree.fromstring(answer.content).find(".//detail")[0].text
    found = caller.service.GetLoggedValidationResultByKey(logId=log_id, context=caller.context())
    assert [error.Message for error in found.Errors.ValidationError] == ["Company 9 does not exist."]


def _types(text: bytes) -> dict[tuple[str, str], list[tuple[str | None, ...]]]:
    """Return the members of every type of a description, in order."""
    names = ("name", "type", "minOccurs", "maxOccurs", "nillable")
    return {
        (schema.get("targetNamespace"), one.get("name")): [
            tuple(member.get(name) for name in names) for member in one.iter(f"{XS}element")
        ]
        for schema in etree.fromstring(text).iter(f"{XS}schema")
        for one in schema.findall(f"{XS}complexType")
    }


def test_our_own_description_says_of_every_type_what_the_server_says(caller):
    served = _types(caller.session.get(f"{caller.told['soap_url']}?wsdl").content)
    ours = _types(Path(DESCRIPTION).read_bytes())
    assert ours
    assert {name: members for name, members in served.items() if name in ours} == ours


@pytest.mark.parametrize(
    "path", ["Tenants(DefaultTenant)/Companies(Larkfield%20Ltd)/Financial/Journals", "Tenants(Other)/Companies"]
)
def test_sba_has_no_general_ledger_and_no_other_tenant(caller, path):
    assert caller.session.get(f"{caller.told['sba_url']}/{path}").status_code == 404
