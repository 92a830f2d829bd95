# SPDX-License-Identifier: Apache-2.0
"""Setup objects of the e.net service: what the sandbox's say, and that ours only ever asks them."""

from __future__ import annotations

import pytest
import requests

from airflow_provider_mlconnector.errors import BadRequestError, ConfigurationError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.sandbox.running import serve
from airflow_provider_mlconnector.sandbox.syspro import site_of
from airflow_provider_mlconnector.systems.syspro.connection import SysproConnection
from airflow_provider_mlconnector.systems.syspro.opening import open_wire
from airflow_provider_mlconnector.systems.syspro.setup_check import EnetSetup
from airflow_provider_mlconnector.systems.syspro.setup_xml import USUAL, SetupTemplate
from tests.sandbox_control import SandboxControl
from tests.unit.systems.http.scripted_server import FakeClock, Reply, quick, serving

SUPPLIER = {"number": "NEW-1", "name": "Bee & Söhne", "currency": "GBP"}
TAKEN = "<setupapsupplier><StatusOfItems><RecordsInvalid>0</RecordsInvalid></StatusOfItems></setupapsupplier>"


class Desk:
    """``check`` is a new session each time; ``books`` are those of company L."""

    def __init__(self, sandbox):
        self.told = sandbox.info["syspro"]
        self.site = site_of(sandbox.world)
        self.books = sandbox.world.books
        self.control = SandboxControl({"url": sandbox.url, **sandbox.info})

    def opened(self, dataset=Dataset.VENDORS, name="APSSSP", template="", **more):
        names = ("odata_url", "enet_url", "entity_url", "password", "company", "company_password")
        fields = {name: self.told[name] for name in names} | more
        connection = SysproConnection(**fields, operator=self.told["login"])
        wire = open_wire(connection, quick(FakeClock()))
        return EnetSetup(wire, name, SetupTemplate(dataset, template or USUAL[dataset]))

    def ask(self, record, *, exists=False, **more):
        opened = self.opened(**more)
        try:
            return opened.refusals(record, exists=exists)
        finally:
            opened.close()

    def send(self, how, document, *, only="N", name="APSSSP"):
        """Call an object as somebody without our client would."""
        session = self.call(
            "Logon",
            Operator=self.told["login"],
            OperatorPassword=self.told["password"],
            CompanyId="L",
            CompanyPassword=self.told["company_password"],
        )
        parameters = f"<SetupApSupplier><Parameters><ValidateOnly>{only}</ValidateOnly></Parameters></SetupApSupplier>"
        sent = {"BusinessObject": name, "XmlParameters": parameters, "XmlIn": document.encode("cp1252")}
        return self.call(f"Setup/{how}", UserId=session, **sent)

    def call(self, path, **params):
        return requests.get(f"{self.told['enet_url']}/{path}", params=params, timeout=10).content.decode("cp1252")

    def counts(self):
        told = self.control.call("GET", "/syspro/journals")
        return told["setup_checks"], told["setup_changes"]


@pytest.fixture(scope="module")
def running():
    with serve(["syspro"], scale=0.02) as sandbox:
        yield Desk(sandbox)


@pytest.fixture
def desk(running):
    before = running.books.vendors
    yield running
    running.books.vendors = before
    running.site.sessions.clear()


def supplier(code, name):
    item = f"<Item><Key><Supplier>{code}</Supplier></Key><SupplierName>{name}</SupplierName></Item>"
    return f"<SetupApSupplier>{item}</SetupApSupplier>"


# The sandbox


def test_an_object_adds_and_changes_unless_it_is_told_to_check_only(desk):
    known = desk.books.vendors[0].number
    assert "<RecordsInvalid>0<" in desk.send("Add", supplier("V-NEW", "Hive"), only="Y")
    assert "V-NEW" not in {one.number for one in desk.books.vendors}
    desk.send("Add", supplier("V-NEW", "Hive"))
    desk.send("Update", supplier(known, "Another Ltd"))
    names = {one.number: one.name for one in desk.books.vendors}
    assert (names["V-NEW"], names[known]) == ("Hive", "Another Ltd")


def test_a_refused_field_is_a_node_of_the_answer_and_counts_its_record(desk):
    known = desk.books.vendors[0].number
    answer = desk.send("Add", supplier(known, "x" * 51))
    assert f"<supplier><Value>{known}</Value><ErrorNumber>240002</ErrorNumber>" in answer
    assert "<suppliername>" in answer
    assert "<RecordsInvalid>1</RecordsInvalid>" in answer
    assert desk.send("Add", supplier("A", "B"), name="APSXXX").startswith("ERROR: Business object 'APSXXX'")
    assert desk.send("Add", "<Setup/>").startswith("ERROR: Invalid root element 'Setup'")


# Ours


def test_a_record_that_would_be_taken_is_not_made(desk):
    before, counts = desk.books.vendors, desk.counts()
    known = before[0]
    assert desk.ask(SUPPLIER | {"currency": desk.books.currency}) == []
    assert desk.ask({"number": known.number, "name": "Renamed"}, exists=True) == []
    assert desk.books.vendors == before
    assert desk.counts() == (counts[0] + 2, counts[1])
    assert not desk.site.sessions


@pytest.mark.parametrize(
    ("record", "exists", "told"),
    [
        ({"number": "NEW-1", "name": "x" * 51}, False, ["suppliername: SupplierName exceeds 50 characters"]),
        ({"number": "NEW-1", "name": "Hive"}, True, ["supplier: Supplier 'NEW-1' not found"]),
        (SUPPLIER | {"currency": "XXX"}, False, ["currency: Currency 'XXX' not found"]),
        ({"number": "NEW-1", "name": "Tūī"}, False, ["Windows-1252 has no place for 'ūī'"]),
        ({"number": "NEW-1", "name": "é" * 6000}, False, ["it is too long for the service"]),
    ],
)
def test_why_a_record_would_be_refused_is_told_field_by_field(desk, record, exists, told):
    assert desk.ask(record, exists=exists) == told


def test_a_customer_is_another_object(desk):
    known = desk.books.customers[0]
    told = desk.ask({"number": known.number, "name": "Hive"}, dataset=Dataset.CUSTOMERS, name="ARSSCS", exists=False)
    assert told == [f"customer: Customer '{known.number}' already exists"]


def test_a_lost_session_is_begun_anew_and_an_object_that_is_not_there_is_an_error(desk):
    opened = desk.opened()
    opened.refusals({"number": "A", "name": "B"}, exists=False)
    desk.site.sessions.clear()
    assert opened.refusals({"number": "A", "name": "B"}, exists=False) == []
    opened.close()
    with pytest.raises(BadRequestError, match="'APSXXX' cannot be loaded"):
        desk.ask(SUPPLIER, name="APSXXX")
    assert not desk.site.sessions


def test_every_request_says_validate_only(desk):
    def answer(request):
        return Reply(200, TAKEN.encode() if "Setup" in request.path else b"A" * 34 + b"  ")

    with serving(answer) as server:
        assert desk.ask(SUPPLIER, enet_url=server.url) == []
        assert desk.ask(SUPPLIER, enet_url=server.url, exists=True) == []
        sent = [one for one in server.requests if "Setup" in one.path]
    assert [one.path.partition("?")[0] for one in sent] == ["/Setup/Add", "/Setup/Update"]
    for one in sent:
        assert "<ValidateOnly>Y</ValidateOnly>" in one.query["XmlParameters"][0]
        assert "<SupplierName>Bee &amp; S" in one.query["XmlIn"][0]


# Templates


def test_what_is_not_compared_is_left_out_of_the_document():
    text = SetupTemplate(Dataset.VENDORS, USUAL[Dataset.VENDORS]).fill({"number": "A {name}", "name": "B"})
    assert text.endswith(
        "<SetupApSupplier><Item><Key><Supplier>A {name}</Supplier></Key>"
        "<SupplierName>B</SupplierName></Item></SetupApSupplier>"
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("no XML", "it is no XML"),
        ("<!DOCTYPE a><a/>", "entities of its own"),
        ("<a>{title}</a>", "it names title, which is no column of vendors"),
    ],
)
def test_a_template_that_cannot_be_used_says_why(text, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        SetupTemplate(Dataset.VENDORS, text)
